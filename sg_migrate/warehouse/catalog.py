"""The data dictionary inside the warehouse: two tables that say what every table and column stands for."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import replace
from typing import Any, TypeAlias

import sqlalchemy as sa
from sqlalchemy.types import TypeEngine

from sg_migrate.settings import Settings
from sg_migrate.site.raw import canonical_text
from sg_migrate.site.schema import EntityType, Field, SiteSchema
from sg_migrate.text import clean
from sg_migrate.warehouse.mapping import TEXT, WORD
from sg_migrate.warehouse.mark import CATALOG, Mark
from sg_migrate.warehouse.state import ColumnState, State, TableState

_NAME, _TEXT = WORD, TEXT

ENTITY_COLUMNS: dict[str, tuple[TypeEngine[Any], str]] = {
    "table_name": (_NAME, "The table"),
    "entity_type": (_TEXT, "The entity type's code on the site; null for these two tables themselves"),
    "field_code": (_TEXT, "Of a link table: the code of the field whose links it holds"),
    "display_name": (_TEXT, "What the site calls it"),
    "state": (_NAME, "active: on the site; retired: not any more; former: keeps the values of an earlier type"),
    "retired_since": (_NAME, "The day on which the site was first read without it"),
}
"""The columns with their types and comments."""
FIELD_COLUMNS: dict[str, tuple[TypeEngine[Any], str]] = {
    "table_name": (_NAME, "The table"),
    "column_name": (_NAME, "The column"),
    "entity_type": (_TEXT, "The entity type's code on the site; null for these two tables themselves"),
    "field_code": (_TEXT, "The field's code on the site; null for a column of sg_migrate's own"),
    "display_name": (_TEXT, "What the site calls the field"),
    "description": (_TEXT, "What the site says of the field"),
    "data_type": (_NAME, "The field's data type on the site"),
    "valid_types": (_TEXT, "Of a link: the entity types that it may lead to"),
    "valid_values": (_TEXT, "Of a list: the values that the site offers"),
    "value_labels": (_TEXT, "What the site shows for values, where that is another text"),
    "default_value": (_TEXT, "What the site enters where nobody does"),
    "state": (_NAME, "active: on the site; retired: not any more; former: keeps the values of an earlier type"),
    "retired_since": (_NAME, "The day on which the site was first read without it"),
}
"""The columns with their types and comments."""


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


def _table(
    name: str, mark: Mark, about: dict[str, tuple[TypeEngine[Any], str]], key: tuple[str, ...], comment: str
) -> TableState:
    columns = {
        column: ColumnState(
            column, type_, replace(mark, data_type="catalog", role=column), words, nullable=column not in key
        )
        for column, (type_, words) in about.items()
    }
    return TableState(name, mark, columns, key, comment)


def refresh(connection: sa.Connection, built: State, site: SiteSchema, settings: Settings) -> None:
    """Bring both tables up to date, with what is built and what the snapshot says of it; needs a transaction.

    Only rows that differ are written.

    Args:
        connection: to the warehouse.
        built: the tables as built at the database's revision.
        site: the snapshot's entries; ``None`` when there is no snapshot.
        settings: the names of the two tables.
    """
    for table, rows in _wanted(built, site, settings):
        _write(connection, table, rows)


def stale_rows(connection: sa.Connection, built: State, site: SiteSchema, settings: Settings) -> int:
    """How many rows `refresh` would write or take away. The arguments are those of `refresh`; writes nothing."""
    found = [_differing(connection, table, rows) for table, rows in _wanted(built, site, settings)]
    return sum(len({*stale, *(_key(table, row) for row in fresh)}) for table, stale, fresh, _ in found)


def _wanted(
    built: State, site: SiteSchema, settings: Settings
) -> Iterator[tuple[TableState, list[dict[str, str | None]]]]:
    """The catalog's tables that are built, each with the rows that it should have."""
    if settings.catalog_entity in built:
        yield built[settings.catalog_entity], [_entity_row(table, site) for table in built.values()]
    if settings.catalog_field in built:
        columns = ((table, column) for table in built.values() for column in table.columns.values())
        yield built[settings.catalog_field], [_field_row(table, column, site) for table, column in columns]


Key: TypeAlias = tuple[Any, ...]


def _key(built: TableState, row: Mapping[str, Any]) -> Key:
    return tuple(row[name] for name in built.primary_key)


def _differing(
    connection: sa.Connection, built: TableState, rows: list[dict[str, str | None]]
) -> tuple[TableState, list[Key], list[dict[str, Any]], int]:
    """The keys of rows that are not as wanted, the rows that are missing, and how many there are.

    A key that is there twice or is missing cannot be.
    """
    table = sa.table(built.name, *(sa.column(column.name, column.type) for column in built.columns.values()))
    found = [dict(row) for row in connection.execute(sa.select(table)).mappings()]
    present = {_key(built, row): row for row in found}
    wanted = {_key(built, row): {name: row[name] for name in built.columns} for row in rows}
    stale = [key for key, row in present.items() if wanted.get(key) != row]
    fresh = [row for key, row in wanted.items() if present.get(key) != row]
    return built, stale, fresh, len(present)


def _write(connection: sa.Connection, built: TableState, rows: list[dict[str, str | None]]) -> None:
    """Make ``rows`` the content of a catalog's table."""
    _, stale, fresh, count = _differing(connection, built, rows)
    table = sa.table(built.name, *(sa.column(column.name, column.type) for column in built.columns.values()))
    keys = [table.c[name] for name in built.primary_key]
    if len(stale) == count and stale:
        connection.execute(sa.delete(table))
    elif stale:
        values = [{f"key{number}": value for number, value in enumerate(key)} for key in stale]
        of_row = sa.and_(*(key == sa.bindparam(f"key{number}") for number, key in enumerate(keys)))
        connection.execute(sa.delete(table).where(of_row), values)
    if fresh:
        connection.execute(sa.insert(table), fresh)


def _entity_row(table: TableState, site: SiteSchema) -> dict[str, str | None]:
    ours = table.mark.entity_type == CATALOG
    entity_type = site.entity_types.get(table.mark.entity_type)
    field = entity_type.fields.get(table.mark.field) if entity_type else None
    entry = field if table.mark.field else entity_type
    return {
        "table_name": table.name,
        "entity_type": None if ours else table.mark.entity_type,
        "field_code": None if ours else table.mark.field or None,
        "display_name": table.comment if ours else clean(entry.name) if entry else None,
        "state": _state(table, entry),
        "retired_since": _since(entity_type, field) if table.mark.kept else None,
    }


def _field_row(table: TableState, column: ColumnState, site: SiteSchema) -> dict[str, str | None]:
    ours = not column.mark.field or column.mark.entity_type == CATALOG
    entity_type = site.entity_types.get(column.mark.entity_type)
    field = entity_type.fields.get(column.mark.field) if entity_type else None
    labels = field.value_labels.items() if field else ()
    return {
        "table_name": table.name,
        "column_name": column.name,
        "entity_type": None if column.mark.entity_type == CATALOG else column.mark.entity_type,
        "field_code": None if ours else column.mark.field,
        "display_name": clean(field.name) if field else None,
        "description": column.comment if ours else clean(field.description) if field else None,
        "data_type": None if ours else column.mark.data_type,
        "valid_types": ", ".join(field.valid_types) if field else None,
        "valid_values": ", ".join(map(clean, field.valid_values)) if field else None,
        "value_labels": ", ".join(f"{clean(value)}: {clean(label)}" for value, label in labels) or None,
        "default_value": _default(field),
        "state": "retired" if table.mark.kept and not column.mark.former else _state(column, field),
        "retired_since": _since(entity_type, field) if table.mark.kept or column.mark.kept else None,
    }


def _default(field: Field | None) -> str | None:
    """The default as a text: a text as it is, anything else as JSON."""
    if field is None or field.default is None:
        return None
    return clean(field.default if isinstance(field.default, str) else canonical_text(field.default))


def _since(entity_type: EntityType | None, field: Field | None) -> str | None:
    """The date of a field's own retirement, or of its entity type's."""
    return (field.since if field else None) or (entity_type.since if entity_type else None)


def _state(built: TableState | ColumnState, entry: EntityType | Field | None) -> str:
    if built.mark.former:
        return "former"
    return "retired" if built.mark.kept or (entry is not None and entry.state != "active") else "active"
