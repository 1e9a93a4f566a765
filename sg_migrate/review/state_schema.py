"""What a state of the warehouse says about the site: entity types and fields, read from marks and comments."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

from sg_migrate.site.schema import EntityType, Field, SiteSchema
from sg_migrate.warehouse.comments import comment_for, with_retired
from sg_migrate.warehouse.state import CATALOG, ColumnState, Mark, State, TableState


def schema_of(state: State, known: SiteSchema | None = None) -> SiteSchema:
    """The site's schema as far as the tables tell it: codes, data types, names, what is retired.

    Args:
        state: tables as built or as wanted.
        known: where a display name is looked up that its comment holds together with a description; without it, what
            stands before the first colon is the name.
    """
    known = known or SiteSchema()
    entity_types: dict[str, EntityType] = {}
    fields: dict[str, dict[str, Field]] = {}
    for table in state.values():
        if table.mark.entity_type == CATALOG:
            continue
        if not table.mark.field and not table.mark.was:
            entity_types[table.mark.entity_type] = _entity_type(table, known)
        for mark, item in _fields(table):
            fields.setdefault(mark.entity_type, {})[mark.field] = _field(mark, item, known)
    found = (replace(entity_type, fields=dict(sorted(fields.get(code, {}).items())))
             for code, entity_type in sorted(entity_types.items()))  # fmt: skip
    return SiteSchema({entity_type.code: entity_type for entity_type in found}, known.host)


def joined(before: SiteSchema, after: SiteSchema) -> SiteSchema:
    """``after`` with what only ``before`` has: everything that a revision is about."""
    entity_types = dict(before.entity_types)
    for code, entity_type in after.entity_types.items():
        known = before.entity_types.get(code)
        fields = {**(known.fields if known else {}), **entity_type.fields}
        entity_types[code] = replace(entity_type, fields=dict(sorted(fields.items())))
    return SiteSchema(dict(sorted(entity_types.items())), after.host)


def _fields(table: TableState) -> Iterator[tuple[Mark, TableState | ColumnState]]:
    """The fields that a table holds, by what holds them; of a link, the column of the id."""
    if table.mark.was:
        return
    if table.mark.field:
        yield table.mark, table
        return
    for column in table.columns.values():
        if not column.mark.was and column.mark.role in ("", "id"):
            yield column.mark, column


def _entity_type(table: TableState, known: SiteSchema) -> EntityType:
    entry = known.entity_types.get(table.mark.entity_type)
    comment = with_retired(table.comment, False) or ""
    name = entry.name if entry and comment_for(entry.name) == comment else comment
    return EntityType(table.mark.entity_type, name, state="retired" if table.retired else "active")


def _field(mark: Mark, item: TableState | ColumnState, known: SiteSchema) -> Field:
    entity_type = known.entity_types.get(mark.entity_type)
    entry = entity_type.fields.get(mark.field) if entity_type else None
    comment = with_retired(item.comment, False) or ""
    if entry is not None and comment_for(entry.name or entry.code, entry.description) == comment:
        name, description = entry.name, entry.description
    else:
        name, _, description = comment.partition(": ")
    return Field(mark.entity_type, mark.field, mark.data_type, name, description,
                 state="retired" if item.retired else "active")  # fmt: skip
