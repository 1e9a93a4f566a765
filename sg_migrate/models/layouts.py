"""The tables that shotgrid_orm makes of a site, for warehouses that are of its making.

Until 0.2 every link has ``<field>_id`` and ``<field>_type``, every list of links a text ``<field>_ids`` and
``<field>_type``. From 0.3 on the type is left out where there is one valid type, and such a link has a foreign key
where that type is a table. Fields of data types that are not in `TYPES` have no column there.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, Literal, TypeAlias

import sqlalchemy as sa
from sqlalchemy.types import TypeEngine

from sg_migrate.site.schema import EntityType, Field, SiteSchema
from sg_migrate.warehouse.mark import Mark, mark_for
from sg_migrate.warehouse.naming import with_hash
from sg_migrate.warehouse.state import ColumnState, ForeignKeyState, State, TableState

Layout: TypeAlias = Literal["sg_migrate", "shotgrid_orm-0.2", "shotgrid_orm-0.3"]

_TEXT = sa.String()
_WHOLE = sa.Integer()
TYPES: dict[str, TypeEngine[Any]] = {
    "addressing": _TEXT,
    "checkbox": sa.Boolean(),
    "color": _TEXT,
    "currency": sa.Double(),  # FLOAT on SQLAlchemy 2.0, which is the same type on PostgreSQL and SQLite
    "date": _TEXT,
    "date_time": sa.DateTime(),
    "duration": _WHOLE,  # from 0.3 on
    "float": sa.Double(),
    "footage": _TEXT,
    "image": _TEXT,
    "list": _TEXT,
    "number": _WHOLE,
    "password": _TEXT,
    "percent": _WHOLE,
    "serializable": _TEXT,
    "status_list": _TEXT,
    "system_task_type": _TEXT,
    "tag_list": _TEXT,
    "text": _TEXT,
    "timecode": _WHOLE,
    "url": _TEXT,
}


def shotgrid_orm_state(site: SiteSchema, layout: Layout) -> State:
    """The tables that a version of shotgrid_orm makes of a site; entity types without an id have none there."""
    tables = [
        _table(entity_type, site, layout) for entity_type in site.entity_types.values() if "id" in entity_type.fields
    ]
    return {table.name: table for table in tables}


def _table(entity_type: EntityType, site: SiteSchema, layout: Layout) -> TableState:
    columns = {
        "id": ColumnState("id", sa.BigInteger(), mark_for(entity_type.fields["id"]), nullable=False),
    }
    fields = [field for field in entity_type.fields.values() if field.code != "id"]
    keys = {}
    for field in sorted(fields, key=lambda field: field.data_type not in ("entity", "multi_entity")):
        for column in _columns(field, layout):
            columns.setdefault(column.name, column)
        if layout == "shotgrid_orm-0.3" and field.data_type == "entity" and len(field.valid_types) == 1:
            referred = site.entity_types.get(field.valid_types[0])
            if referred is not None and "id" in referred.fields:
                column_name = f"{_code(field)}_id"
                name = f"{entity_type.code}_{column_name}_fkey"  # as PostgreSQL calls one that nobody named
                name = name if len(name) <= 63 else with_hash(name, name)
                keys[name] = ForeignKeyState(name, (column_name,), referred.code, ("id",))
    return TableState(entity_type.code, Mark(entity_type.code), columns, foreign_keys=keys)


def _code(field: Field) -> str:
    return "_metadata" if field.code == "metadata" else field.code


def _columns(field: Field, layout: Layout) -> Iterator[ColumnState]:
    code = _code(field)
    typed = layout == "shotgrid_orm-0.2" or len(field.valid_types) != 1
    if field.data_type == "entity":
        yield ColumnState(f"{code}_id", sa.BigInteger(), mark_for(field, "id"))
        if typed:
            yield ColumnState(f"{code}_type", _TEXT, mark_for(field, "type"))
    elif field.data_type == "multi_entity":
        yield ColumnState(f"{code}_ids", _TEXT, mark_for(field, "ids"))
        if typed:
            yield ColumnState(f"{code}_type", _TEXT, mark_for(field, "types"))
    elif field.data_type in TYPES and not (field.data_type == "duration" and layout == "shotgrid_orm-0.2"):
        yield ColumnState(code, TYPES[field.data_type], mark_for(field))
