"""Taking over a warehouse that shotgrid_orm's ``create_all`` made: what of it belongs to the site, as a state.

How shotgrid_orm builds: a table per entity type and a column per field, called as on the site; a link is
``<field>_id``, with ``<field>_type`` where it may lead to several types; a list of links is a text ``<field>_ids``;
``metadata`` is ``_metadata``, because SQLAlchemy's declarative classes reserve that name.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import sqlalchemy as sa
from sqlalchemy.types import TypeEngine

from sg_migrate.conversion.rules import ColumnKind, kind_of
from sg_migrate.database.address import engine_for
from sg_migrate.errors import AdoptError
from sg_migrate.site.schema import EntityType, Field, SiteSchema
from sg_migrate.warehouse.mapping import (
    BOOLEAN,
    DATE,
    DOUBLE,
    FLOAT,
    ID,
    INTEGER,
    JSON_VALUE,
    STRING,
    STRING_IN_INDEX,
    TEXT,
    TIMESTAMP,
    columns_for,
)
from sg_migrate.warehouse.mark import Mark, mark_for
from sg_migrate.warehouse.state import ColumnState, State, TableState
from sg_migrate.warehouse.type_change import type_change

_STORED_AS: dict[ColumnKind, str] = {
    "text": "text",
    "integer": "number",
    "double": "float",
    "money": "currency",
    "boolean": "checkbox",
    "date": "date",
    "timestamp": "date_time",
    "json": "jsonb",
}
"""The data type whose column a column of that kind is."""


def absolute(url: str) -> str:
    """``url``, with the path of a SQLite file made absolute: the project's commands run in another folder."""
    parsed = sa.make_url(url)
    if parsed.get_backend_name() != "sqlite" or not parsed.database or parsed.database == ":memory:":
        return url
    path = Path(parsed.database).absolute()
    return parsed.set(database=str(path)).render_as_string(hide_password=False)


def describe(url: str, site: SiteSchema) -> State:
    """The tables and columns of a database that belong to ``site``, as they are. Reads, and never writes.

    Args:
        url: the database, SQLite or PostgreSQL.
        site: what the site says.

    Raises:
        AdoptError: it has a history of revisions already, none of the site's tables, or something in one of them that
            shotgrid_orm does not make.
    """
    parsed = sa.make_url(url)
    if parsed.get_backend_name() not in ("sqlite", "postgresql"):
        raise AdoptError("Only on SQLite and PostgreSQL can shotgrid_orm have made a warehouse.")
    if parsed.get_backend_name() == "sqlite" and not Path(parsed.database or "").is_file():
        raise AdoptError(f"There is no database {parsed.database}.")
    engine = engine_for(url, {})
    with engine.connect() as connection:
        inspector = sa.inspect(connection)
        names = set(inspector.get_table_names())
        if "alembic_version" in names:
            raise AdoptError("This database has a history of revisions already: it holds a table alembic_version.")
        known = [entity_type for code, entity_type in site.entity_types.items() if code in names]
        if not known:
            raise AdoptError("This database has no table that is called as one of the site's entity types.")
        tables = [_table(inspector, entity_type) for entity_type in known]
    return {table.name: table for table in tables}


def _table(inspector: sa.Inspector, entity_type: EntityType) -> TableState:
    name = entity_type.code
    if inspector.get_pk_constraint(name)["constrained_columns"] != ["id"]:
        raise AdoptError(f"Table {name} has another primary key than id.")
    present = {column["name"]: column for column in inspector.get_columns(name)}
    columns: dict[str, ColumnState] = {}
    for column, mark, wanted in _owned(entity_type):
        if column in present and column not in columns:
            columns[column] = _column(f"{name}.{column}", present[column], mark, wanted, inspector.dialect.name)
    supports = inspector.dialect.supports_comments
    comment = inspector.get_table_comment(name)["text"] if supports else None
    return TableState(name, Mark(entity_type.code), columns, comment=comment)


def _owned(entity_type: EntityType) -> Iterator[tuple[str, Mark, TypeEngine[Any] | None]]:
    """The columns that a table may have: name, mark, and the wanted type where the column is to stay in use.

    Links go first, as with shotgrid_orm: where ``task`` and ``task_id`` clash, the column is the link's.
    """
    yield "id", Mark(entity_type.code, "id", "number"), ID
    fields = [field for field in entity_type.fields.values() if field.code != "id"]
    for field in sorted(fields, key=lambda field: field.data_type not in ("entity", "multi_entity")):
        yield from _of_field(field)


def _of_field(field: Field) -> Iterator[tuple[str, Mark, TypeEngine[Any] | None]]:
    code = "_metadata" if field.code == "metadata" else field.code
    target = columns_for(field)
    if target == "link":
        yield f"{code}_id", mark_for(field, "id"), ID
        yield f"{code}_type", mark_for(field, "type"), STRING
    elif field.data_type == "multi_entity":
        yield f"{code}_ids", mark_for(field, "ids").as_former(field.data_type), None
        yield f"{code}_type", mark_for(field, "types").as_former(field.data_type), None
    elif target == "links":
        yield code, mark_for(field, "text").as_former(field.data_type), None
    else:
        yield code, mark_for(field), target if isinstance(target, TypeEngine) else None


def _column(place: str, column: Any, mark: Mark, wanted: TypeEngine[Any] | None, dialect: str) -> ColumnState:
    type_ = _portable(column["type"], dialect)
    if type_ is None:
        raise AdoptError(f"Column {place} has the type {column['type']!r}, which shotgrid_orm does not make.")
    if mark.role == "type" and type_ is STRING:
        type_ = STRING_IN_INDEX
    if wanted is not None and type_change(type_, wanted) == "convert":
        mark = Mark(mark.entity_type, mark.field, _STORED_AS[kind_of(type_)], mark.role)
    return ColumnState(column["name"], type_, mark, column.get("comment"), bool(column["nullable"]))


def _portable(db_type: TypeEngine[Any], dialect: str) -> TypeEngine[Any] | None:
    """A reflected type as a revision may name it; ``None`` for one that is not expected."""
    if isinstance(db_type, sa.Text):
        return TEXT
    if isinstance(db_type, sa.String):
        return sa.String(db_type.length) if db_type.length else STRING
    if isinstance(db_type, sa.DateTime):
        return TIMESTAMP if db_type.timezone or dialect == "sqlite" else sa.DateTime()
    if isinstance(db_type, sa.Float) and not isinstance(db_type, sa.Double):
        return FLOAT
    if isinstance(db_type, sa.Numeric) and not isinstance(db_type, sa.Float):
        return sa.Numeric(db_type.precision, db_type.scale)
    plain: tuple[tuple[type[TypeEngine[Any]], TypeEngine[Any]], ...] = (
        (sa.Boolean, BOOLEAN), (sa.BigInteger, ID), (sa.Integer, INTEGER), (sa.Double, DOUBLE), (sa.Date, DATE),
        (sa.JSON, JSON_VALUE),
    )  # fmt: skip
    return next((portable for class_, portable in plain if isinstance(db_type, class_)), None)
