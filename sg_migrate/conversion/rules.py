"""What happens to a column's values when its field gets another data type: one visible table of kinds of columns.

docs/conversions.md shows this table to users; a test holds the two together.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Literal, TypeAlias

import sqlalchemy as sa
from sqlalchemy.types import TypeEngine

from sg_migrate.conversion import sql as sql
from sg_migrate.warehouse.mapping import BOOLEAN, DATE, DOUBLE, INTEGER, JSON_VALUE, MONEY, TEXT, TIMESTAMP
from sg_migrate.warehouse.type_change import text_length

ColumnKind: TypeAlias = Literal[
    "text", "integer", "double", "money", "boolean", "date", "timestamp", "json", "link", "links"
]  # fmt: skip
"""The kinds of columns that `sg_migrate.warehouse.mapping` makes; bounded strings are ``text`` too."""


@dataclass(frozen=True, slots=True)
class Conversion:
    """How values of one kind become values of another; whatever does not convert is NULL there."""

    converts: str
    """Which values convert, and into what, in words."""
    sql: Callable[[sa.ColumnElement[Any], str], sa.ColumnElement[Any]] | None = None
    """The expression for a column in a dialect; links move between columns and tables instead."""


RULES: dict[tuple[ColumnKind, ColumnKind], Conversion] = {
    # from text
    ("text", "integer"): Conversion("whole numbers within 32 bits: `-12`, `007`", sql.text_to_integer),
    ("text", "double"): Conversion("decimal numbers of at most 15 digits: `431.25`", sql.text_to_double),
    ("text", "money"): Conversion("decimal numbers of at most 13 digits and 2 decimals: `431.5`", sql.text_to_money),
    ("text", "boolean"): Conversion("`true`, `yes`, `1` and `false`, `no`, `0`, in any case", sql.text_to_boolean),
    ("text", "date"): Conversion("days of the calendar: `2024-02-29`", sql.text_to_date),
    ("text", "timestamp"): Conversion("`2024-02-29T08:30:00.5Z`, a space for `T`, without `Z`, without the fraction,"
                                " or the day alone; read as UTC", sql.text_to_timestamp),
    # from numbers
    ("integer", "text"): Conversion("every value: its digits", sql.integer_to_text),
    ("integer", "double"): Conversion("every value", sql.integer_to_double),
    ("integer", "money"): Conversion("every value", sql.integer_to_money),
    ("integer", "boolean"): Conversion("1 and 0", sql.number_to_boolean),
    ("double", "text"): Conversion("values that at most 6 decimals and 15 digits write exactly: `24`, `23.976`",
                             sql.double_to_text),
    ("double", "integer"): Conversion("whole numbers within 32 bits", sql.number_to_integer),
    ("double", "money"): Conversion("values with at most 13 digits and 2 decimals", sql.double_to_money),
    ("double", "boolean"): Conversion("1 and 0", sql.number_to_boolean),
    ("money", "text"): Conversion("every value, with 2 decimals: `431.50`", sql.money_to_text),
    ("money", "integer"): Conversion("whole numbers within 32 bits", sql.number_to_integer),
    ("money", "double"): Conversion("every value: the nearest double", sql.money_to_double),
    ("money", "boolean"): Conversion("1 and 0", sql.number_to_boolean),
    # from checkboxes
    ("boolean", "text"): Conversion("`true` and `false`", sql.boolean_to_text),
    ("boolean", "integer"): Conversion("1 and 0", sql.boolean_to_number),
    ("boolean", "double"): Conversion("1 and 0", sql.boolean_to_number),
    ("boolean", "money"): Conversion("1 and 0", sql.boolean_to_number),
    # from dates and times
    ("date", "text"): Conversion("every value: `2024-02-29`", sql.date_to_text),
    ("date", "timestamp"): Conversion("every value: midnight in UTC, when the day begins", sql.date_to_timestamp),
    ("timestamp", "text"): Conversion("every value, in UTC: `2024-02-29T08:30:00Z`, with 6 decimals where there is"
                                " a fraction", sql.timestamp_to_text),
    ("timestamp", "date"): Conversion("every value: its day in UTC", sql.timestamp_to_date),
    # from structures
    ("json", "text"): Conversion("web links: their `url`", sql.json_to_text),
    # links
    ("link", "links"): Conversion("every link: one row of the link table"),
    ("links", "link"): Conversion("the links of records that have exactly one"),
}  # fmt: skip
"""The pairs that convert. For every other pair the new column starts empty, and the old one stays."""

_KINDS: tuple[tuple[type[TypeEngine[Any]], ColumnKind], ...] = (
    (sa.Boolean, "boolean"),
    (sa.Integer, "integer"),
    (sa.Float, "double"),
    (sa.Numeric, "money"),
    (sa.Date, "date"),
    (sa.DateTime, "timestamp"),
    (sa.JSON, "json"),
    (sa.String, "text"),
)

_TYPES: dict[ColumnKind, TypeEngine[Any]] = {
    "text": TEXT, "integer": INTEGER, "double": DOUBLE, "money": MONEY, "boolean": BOOLEAN, "date": DATE,
    "timestamp": TIMESTAMP, "json": JSON_VALUE,
}  # fmt: skip

_STORED_ON_SQLITE: dict[ColumnKind, tuple[str, ...]] = {
    "integer": ("integer",),
    "double": ("real", "integer"),
    "money": ("real", "integer"),
    "boolean": ("integer",),
}
"""A SQLite column takes values of any type; these are the ones that count."""


def kind_of(type_: TypeEngine[Any]) -> ColumnKind:
    """The kind of a column of this type. Raises ``ValueError`` for a type that `mapping` never gives."""
    for class_, kind in _KINDS:
        if isinstance(type_, class_):
            return kind
    raise ValueError(f"no column of ours has the type {type_!r}")


def type_of(kind: ColumnKind, length: int | None = None) -> TypeEngine[Any]:
    """The type of a column of this kind; ``length`` is that of a bounded text."""
    return sa.String(length) if length is not None else _TYPES[kind]


def converted(
    column: sa.ColumnElement[Any], built: TypeEngine[Any], wanted: TypeEngine[Any], dialect: str
) -> sa.ColumnElement[Any] | None:
    """SQL for the values of ``column`` as ``wanted``, NULL for those that do not convert; the same on every engine.

    Args:
        column: the column that holds the values.
        built: its type.
        wanted: the type of the column they go to.
        dialect: the database's dialect: ``sqlite``, ``postgresql``, ``mysql``, ``mariadb``.

    Returns:
        The expression, or ``None`` where there is no rule: nothing is carried over.
    """
    kind = kind_of(built)
    rule = RULES.get((kind, kind_of(wanted)))
    if rule is None or rule.sql is None:
        return None
    value = rule.sql(sa.type_coerce(column, built), dialect)
    if dialect == "sqlite":
        value = sa.case((sa.func.typeof(column).in_(_STORED_ON_SQLITE.get(kind, ("text",))), value))
    if kind == "json" and text_length(wanted) < float("inf"):
        value = sa.case((sa.func.char_length(value) <= text_length(wanted), value))
    return value


_ALWAYS: frozenset[tuple[ColumnKind, ColumnKind]] = frozenset(
    {
        ("integer", "text"), ("integer", "double"), ("integer", "money"), ("money", "text"), ("money", "double"),
        ("boolean", "text"), ("boolean", "integer"), ("boolean", "double"), ("boolean", "money"), ("date", "text"),
        ("date", "timestamp"), ("timestamp", "text"), ("link", "links"),
    }
)  # fmt: skip
"""Between these kinds of columns every value converts and keeps what it says; a moment loses its time as a date."""


def always_converts(kinds: tuple[ColumnKind, ColumnKind]) -> bool:
    """Whether every value converts and says the same afterwards."""
    return kinds in _ALWAYS
