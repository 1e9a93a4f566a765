"""What happens to a column's values when its field gets another data type."""

from __future__ import annotations

from typing import Any, Literal, TypeAlias

import sqlalchemy as sa
from sqlalchemy.types import TypeEngine

from sg_migrate.warehouse.state import type_text

Change: TypeAlias = Literal["none", "widen", "convert"]


def change(built: TypeEngine[Any], wanted: TypeEngine[Any]) -> Change:
    """How a column of type ``built`` gets to hold values of type ``wanted``.

    ``none``: the column as built holds them already, and keeps its type; ``widen``: in place, every value stays what
    it is on every engine; ``convert``: a new column beside the old one.
    """
    if type_text(built) == type_text(wanted) or _length(built) >= _length(wanted) > 0:
        return "none"
    if 0 < _length(built) < _length(wanted):
        return "widen"
    return "convert"


def _length(type_: TypeEngine[Any]) -> float:
    """How many characters a text type holds; 0 for other types."""
    if isinstance(type_, sa.Text):
        return float("inf")
    if isinstance(type_, sa.String):
        return type_.length or float("inf")
    return 0


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
        The expression, or ``None`` where no rule is known: nothing is carried over.
    """
    if isinstance(built, sa.String) and isinstance(wanted, sa.Integer):
        return _text_to_integer(column, dialect)
    if isinstance(built, sa.Integer) and isinstance(wanted, sa.Text):
        return _integer_to_text(column, dialect)
    return None


_INTEGER = (-(2**31), 2**31 - 1)


def _text_to_integer(column: sa.ColumnElement[Any], dialect: str) -> sa.ColumnElement[Any]:
    """Whole numbers with at most 18 digits, signed or not, spaces around them allowed, if they fit into 32 bits."""
    text = sa.func.trim(column)
    number: sa.ColumnElement[Any]
    if dialect == "sqlite":
        digits = sa.case((sa.func.substr(text, 1, 1).in_(["+", "-"]), sa.func.substr(text, 2)), else_=text)
        whole = sa.and_(digits != "", sa.not_(digits.op("GLOB")("*[^0-9]*")), sa.func.length(digits) <= 18)
    else:
        whole = text.regexp_match("^[-+]?[0-9]{1,18}$")
    number = sa.cast(text, sa.BigInteger())
    in_range = sa.case((whole, number.between(*_INTEGER)), else_=sa.false())
    return sa.case((in_range, sa.cast(text, sa.Integer())), else_=sa.null())


def _integer_to_text(column: sa.ColumnElement[Any], dialect: str) -> sa.ColumnElement[Any]:
    return sa.cast(column, sa.CHAR() if dialect in ("mysql", "mariadb") else sa.Text())
