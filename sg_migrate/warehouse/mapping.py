"""One visible table: what a ShotGrid data type becomes in the warehouse.

Data types and what the API returns for them: ShotGrid API reference, "Data Types"; sizes of numbers as measured on
live sites. Types are portable: one revision runs on SQLite, PostgreSQL and MySQL/MariaDB.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any, Literal, TypeAlias

import sqlalchemy as sa
from sqlalchemy.dialects import mysql, postgresql
from sqlalchemy.types import TypeEngine

from sg_migrate.site.schema import Field

Link: TypeAlias = Literal["link", "links"]

ID: TypeEngine[Any] = sa.BigInteger()
ENTITY_TYPE: TypeEngine[Any] = sa.String(64)
"""An entity type's name; the longest seen on a real site has 56 characters."""

TEXT: TypeEngine[Any] = sa.Text().with_variant(mysql.LONGTEXT(), "mysql", "mariadb")
"""MySQL's TEXT ends at 64 KB."""
STRING: TypeEngine[Any] = sa.String().with_variant(mysql.LONGTEXT(), "mysql", "mariadb")
"""As shotgrid_orm builds texts; only in warehouses that were taken over from it."""
FLOAT: TypeEngine[Any] = sa.Float(53).with_variant(mysql.DOUBLE(asdecimal=False), "mysql", "mariadb")
"""Another name for a double, which SQLite keeps."""
STRING_IN_INDEX: TypeEngine[Any] = sa.String().with_variant(mysql.VARCHAR(64), "mysql", "mariadb")
"""The same for a link's entity type, which has an index: MySQL's keys are of bounded length."""
TIMESTAMP: TypeEngine[Any] = sa.DateTime(timezone=True).with_variant(mysql.DATETIME(fsp=6), "mysql", "mariadb")
"""MySQL's DATETIME drops microseconds, its TIMESTAMP ends in 2038."""
JSON_VALUE: TypeEngine[Any] = sa.JSON().with_variant(postgresql.JSONB(), "postgresql")
INTEGER: TypeEngine[Any] = sa.Integer()
DOUBLE: TypeEngine[Any] = sa.Double()
BOOLEAN: TypeEngine[Any] = sa.Boolean()
DATE: TypeEngine[Any] = sa.Date()
MONEY: TypeEngine[Any] = sa.Numeric(15, 2)
WORD: TypeEngine[Any] = sa.String(64)
LINE: TypeEngine[Any] = sa.String(255)

MAPPING: dict[str, TypeEngine[Any] | Link | None] = {
    # text
    "text": TEXT,
    "image": TEXT,  # signed URLs have no bounded length
    "system_task_type": TEXT,
    "url_template": TEXT,
    "footage": WORD,
    "list": LINE,
    "status_list": WORD,
    "entity_type": ENTITY_TYPE,
    "color": WORD,  # "r,g,b" or "pipeline_step"
    "uuid": WORD,
    # numbers
    "number": INTEGER,
    "integer": INTEGER,
    "percent": INTEGER,
    "duration": INTEGER,  # minutes
    "timecode": INTEGER,  # milliseconds
    "float": DOUBLE,
    "currency": MONEY,
    "checkbox": BOOLEAN,
    # time
    "date": DATE,
    "date_time": TIMESTAMP,
    # structures
    "url": JSON_VALUE,
    "serializable": JSON_VALUE,
    "jsonb": JSON_VALUE,
    "tag_list": JSON_VALUE,
    # links
    "entity": "link",
    "multi_entity": "links",
    "addressing": "links",
    # the API returns nothing of these, or asterisks
    "pivot_column": None,
    "summary": None,
    "password": None,
}

SUMMARIES_WITH_A_VALUE = {"open_notes_count": INTEGER}
"""Every other summary field reads null through the API."""


def columns_for(field: Field) -> TypeEngine[Any] | Link | None:
    """What ``field`` becomes: a scalar column's type, ``"link"``, ``"links"``, or ``None`` for nothing.

    A data type that nobody has seen before becomes unbounded text; `is_known` tells.
    """
    if field.data_type == "summary":
        return SUMMARIES_WITH_A_VALUE.get(field.code)
    if field.data_type == "calculated":
        renderer = dict(field.properties).get("renderer", "").strip('"')
        mapped = MAPPING.get(renderer)
        return mapped if isinstance(mapped, TypeEngine) else TEXT
    return MAPPING.get(field.data_type, TEXT)


def is_known(data_type: str) -> bool:
    """Whether the data type is one that ShotGrid is known to have."""
    return data_type == "calculated" or data_type in MAPPING


def unmapped(fields: Iterable[Field]) -> list[str]:
    """What a person should know of new fields: those that get no column, and data types that nobody has seen before."""
    fields = list(fields)
    left_out = sorted({field.data_type for field in fields if columns_for(field) is None})
    notes = [f"{field}: data type {field.data_type!r} is unknown; kept as text" for field in fields
             if not is_known(field.data_type)]  # fmt: skip
    if left_out:
        notes.append(f"no columns for new fields of type {', '.join(left_out)}: the API returns nothing of them")
    return notes
