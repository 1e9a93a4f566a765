"""Who links to records that went into the trash or came out of it: no event names them, and their links change."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Mapping
from typing import Any, TypeAlias

import sqlalchemy as sa

from sg_migrate.load.pages import beyond, highest, ids_of
from sg_migrate.load.plan import LoadedField, TypePlan
from sg_migrate.load.session import Session

_AT_ONCE = 1_000
"""Ids in one statement."""
Targets: TypeAlias = "Mapping[str, Collection[int]]"
"""By entity type: the ids of records."""


def linking_here(connection: sa.Connection, plan: TypePlan, targets: Targets) -> set[int]:
    """The records of an entity type that link to some targets, as the warehouse has it."""
    found: set[int] = set()
    for field in plan.fields:
        for entity_type, ids in targets.items() if field.is_link else ():
            ordered = sorted(ids)
            for first in range(0, len(ordered), _AT_ONCE):
                query = _query(plan, field, entity_type, ordered[first : first + _AT_ONCE])
                found.update(connection.execute(query).scalars())
    return found


def _query(plan: TypePlan, field: LoadedField, entity_type: str, ids: Any) -> sa.Select[Any]:
    if field.link_table:
        links = sa.table(field.link_table, *map(sa.column, ("owner_id", "linked_type", "linked_id")))
        owners = sa.select(links.c.owner_id).distinct()
        return owners.where(links.c.linked_type == entity_type, links.c.linked_id.in_(ids))
    names = [column.name for column in field.columns]
    table = sa.table(plan.table, sa.column("id"), *map(sa.column, names))
    if len(names) == 2:
        return sa.select(table.c.id).where(table.c[names[1]] == entity_type, table.c[names[0]].in_(ids))
    text = sa.cast(table.c[names[0]], sa.Text())  # a list as JSON: every record that links to the type at all
    return sa.select(table.c.id).where(text.contains(f'"type": "{entity_type}"', autoescape=True))


def dangling(connection: sa.Connection, plan: TypePlan, others: Iterable[TypePlan]) -> set[int]:
    """The records of an entity type with a link to a record that the warehouse has as retired.

    The site shows no such link: where one is here, it was read before its target went into the trash.
    """
    found: set[int] = set()
    for target in others:
        retired = sa.table(target.table, sa.column("id"), sa.column(target.retired_at))
        gone = sa.select(retired.c.id).where(retired.c[target.retired_at].is_not(None))
        for field in plan.fields:
            if field.is_link and target.entity_type in field.valid_types and len(field.columns) != 1:
                found.update(connection.execute(_query(plan, field, target.entity_type, gone)).scalars())
    return found


async def linking_on_site(session: Session, plan: TypePlan, targets: Targets) -> set[int]:
    """The active and retired records of an entity type that link to some targets, as the site has it now."""
    found: set[int] = set()
    for conditions in _conditions(plan, targets, session.pool.page_size):
        filters = [{"filter_operator": "any", "filters": conditions}]
        for retired in (False, True):
            last = 0
            while True:
                wanted = [*session.scoped(plan), *filters, ["id", "greater_than", last]]
                page = await session.find(plan.entity_type, wanted, ["id"], retired=retired)
                found |= ids_of(page)
                if len(page) < session.pool.page_size:
                    break
                last = beyond(highest(page, last), last, plan.entity_type)
    return found


def _conditions(plan: TypePlan, targets: Targets, size: int) -> Iterator[list[Any]]:
    """What makes a record link to the targets, in portions that a request can hold."""
    for entity_type, ids in targets.items():
        fields = [
            f.code for f in plan.fields if f.data_type in ("entity", "multi_entity") and entity_type in f.valid_types
        ]
        ordered = sorted(ids)
        for first in range(0, len(ordered) if fields else 0, size):
            links = [{"type": entity_type, "id": record_id} for record_id in ordered[first : first + size]]
            yield [[code, "in", links] for code in fields]
