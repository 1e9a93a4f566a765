"""The data dictionary inside the warehouse: two tables that say what every table and column stands for."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import replace
from typing import Any

import sqlalchemy as sa
from sqlalchemy.types import TypeEngine

from sg_migrate.settings import Settings
from sg_migrate.site.schema import EntityType, Field, SiteSchema
from sg_migrate.text import clean
from sg_migrate.warehouse.mapping import TEXT, WORD
from sg_migrate.warehouse.mark import CATALOG, Mark
from sg_migrate.warehouse.state import ColumnState, State, TableState

_NAME, _TEXT = WORD, TEXT

ENTITY_COLUMNS: dict[str, TypeEngine[Any]] = {
    "table_name": _NAME,
    "entity_type": _TEXT,
    "field_code": _TEXT,
    "display_name": _TEXT,
    "state": _NAME,
    "retired_since": _NAME,
}
FIELD_COLUMNS: dict[str, TypeEngine[Any]] = {
    "table_name": _NAME,
    "column_name": _NAME,
    "entity_type": _TEXT,
    "field_code": _TEXT,
    "display_name": _TEXT,
    "description": _TEXT,
    "data_type": _NAME,
    "valid_types": _TEXT,
    "valid_values": _TEXT,
    "state": _NAME,
    "retired_since": _NAME,
}


def catalog_tables(settings: Settings) -> list[TableState]:
    """The two tables as the first revision creates them; none when the settings say so."""
    if not settings.catalog:
        return []
    return [
        _table(
            settings.catalog_entity,
            Mark(CATALOG, "entity"),
            ENTITY_COLUMNS,
            ("table_name",),
            "What every table stands for",
        ),
        _table(
            settings.catalog_field,
            Mark(CATALOG, "field"),
            FIELD_COLUMNS,
            ("table_name", "column_name"),
            "What every column stands for",
        ),
    ]


def _table(name: str, mark: Mark, types: dict[str, TypeEngine[Any]], key: tuple[str, ...], comment: str) -> TableState:
    columns = {
        column: ColumnState(column, type_, replace(mark, data_type="catalog", role=column), nullable=column not in key)
        for column, type_ in types.items()
    }
    return TableState(name, mark, columns, key, comment)


def refresh(connection: sa.Connection, built: State, site: SiteSchema | None, settings: Settings) -> None:
    """Bring both tables up to date, with what is built and what the snapshot says of it; needs a transaction.

    Only rows that differ are written.

    Args:
        connection: to the warehouse.
        built: the tables as built at the database's revision.
        site: the snapshot's entries; ``None`` when there is no snapshot.
        settings: the names of the two tables.
    """
    entity_rows = [_entity_row(table, site) for table in built.values() if table.mark.entity_type != CATALOG]
    field_rows = [
        _field_row(table, column, site)
        for table in built.values()
        if table.mark.entity_type != CATALOG
        for column in table.columns.values()
    ]
    for name, rows in ((settings.catalog_entity, entity_rows), (settings.catalog_field, field_rows)):
        if name in built:
            _write(connection, built[name], rows)


def _write(connection: sa.Connection, built: TableState, rows: list[dict[str, str | None]]) -> None:
    """Make ``rows`` the content of a catalog's table; a key that is there twice or is missing cannot be."""
    table = sa.table(built.name, *(sa.column(column.name, column.type) for column in built.columns.values()))
    keys = [table.c[name] for name in built.primary_key]
    places = [list(built.columns).index(name) for name in built.primary_key]

    def by_key(found: Iterable[Sequence[Any]]) -> dict[tuple[Any, ...], tuple[Any, ...]]:
        return {tuple(row[place] for place in places): tuple(row) for row in found}

    present = by_key(connection.execute(sa.select(table)))
    wanted = by_key([row[name] for name in built.columns] for row in rows)
    stale = [key for key, row in present.items() if wanted.get(key) != row]
    fresh = [dict(zip(built.columns, row, strict=True)) for key, row in wanted.items() if present.get(key) != row]
    if len(stale) == len(present) and stale:
        connection.execute(sa.delete(table))
    elif stale:
        values = [{f"key{number}": value for number, value in enumerate(key)} for key in stale]
        of_row = sa.and_(*(key == sa.bindparam(f"key{number}") for number, key in enumerate(keys)))
        connection.execute(sa.delete(table).where(of_row), values)
    if fresh:
        connection.execute(sa.insert(table), fresh)


def _entity_row(table: TableState, site: SiteSchema | None) -> dict[str, str | None]:
    entity_type = site.entity_types.get(table.mark.entity_type) if site else None
    field = entity_type.fields.get(table.mark.field) if entity_type else None
    entry = field if table.mark.field else entity_type
    return {
        "table_name": table.name,
        "entity_type": table.mark.entity_type,
        "field_code": table.mark.field or None,
        "display_name": clean(entry.name) if entry else None,
        "state": _state(table, entry),
        "retired_since": _since(entity_type, field) if table.mark.kept else None,
    }


def _field_row(table: TableState, column: ColumnState, site: SiteSchema | None) -> dict[str, str | None]:
    entity_type = site.entity_types.get(column.mark.entity_type) if site else None
    field = entity_type.fields.get(column.mark.field) if entity_type else None
    return {
        "table_name": table.name,
        "column_name": column.name,
        "entity_type": column.mark.entity_type,
        "field_code": column.mark.field,
        "display_name": clean(field.name) if field else None,
        "description": clean(field.description) if field else None,
        "data_type": column.mark.data_type,
        "valid_types": ", ".join(field.valid_types) if field else None,
        "valid_values": ", ".join(map(clean, field.valid_values)) if field else None,
        "state": "retired" if table.mark.kept and not column.mark.former else _state(column, field),
        "retired_since": _since(entity_type, field) if table.mark.kept or column.mark.kept else None,
    }


def _since(entity_type: EntityType | None, field: Field | None) -> str | None:
    """The date of a field's own retirement, or of its entity type's."""
    return (field.since if field else None) or (entity_type.since if entity_type else None)


def _state(built: TableState | ColumnState, entry: EntityType | Field | None) -> str:
    if built.mark.former:
        return "former"
    return "retired" if built.mark.kept or (entry is not None and entry.state != "active") else "active"
