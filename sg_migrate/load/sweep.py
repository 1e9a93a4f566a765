"""The sweep: every id of the site against the warehouse, the only proof of what was deleted and of what came back."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

import sqlalchemy as sa

from sg_migrate.errors import VanishedRecordsError
from sg_migrate.load.entity_type import TypeLoad
from sg_migrate.load.links import dangling, linking_on_site
from sg_migrate.load.pages import highest, ids_of, pages
from sg_migrate.load.plan import LoadedField, here
from sg_migrate.load.writer import in_parts

VANISHED_PART, VANISHED_LEAST = 0.25, 20
"""More than this part of a type's records, and at least so many, do not vanish by themselves."""


@dataclass(slots=True)
class Differing:
    """Where the site and the warehouse differ in one entity type."""

    gone: set[int] = field(default_factory=set)
    """Active here, and not among the site's active ones."""
    back: set[int] = field(default_factory=set)
    """Retired here, and active on the site."""
    unknown: set[int] = field(default_factory=set)
    """Not here at all, or without a date by which a change could be seen."""
    deleted: set[int] = field(default_factory=set)
    """Retired here, and not in the site's trash any more."""


async def sweep(load: TypeLoad, others: Sequence[TypeLoad], *, deep: bool) -> None:
    """Find the records of an entity type that were deleted or revived, or are missing, and read them again.

    What the site works out by itself is read along: no event tells of it.

    Args:
        load: the entity type.
        others: every entity type that is loaded; what links to a record that came back is read again.
        deep: whether no event log tells what changed: then links are read along too.

    Raises:
        VanishedRecordsError: more than a quarter of the records cannot be seen any more, and nobody said it is so.
    """
    found = Differing()
    await _compare(load, found, deep=deep, retired=False)
    await _compare(load, found, deep=deep, retired=True)
    if found.back:
        for other in others:
            await other.read_ids(await linking_on_site(other.session, other.plan, {load.plan.entity_type: found.back}))
        load.session.commit()  # before the records themselves: another load would not find them again
    absent = await load.read_ids(found.gone | found.back | found.unknown)
    absent &= found.gone
    _check(load, absent)
    load.mark_gone(absent)
    if load.session.options.forget:
        _forget(load, absent | await load.read_ids(found.deleted))


async def mend_links(load: TypeLoad, others: Sequence[TypeLoad]) -> None:
    """Read the records again that link to what went into the trash, once every entity type is compared."""
    await load.read_ids(dangling(load.session.connection, load.plan, [other.plan for other in others]))


async def _compare(load: TypeLoad, found: Differing, *, deep: bool, retired: bool) -> None:
    """All ids of the site, active or retired, against those of the warehouse between the same two."""
    codes = [one.code for one in load.plan.fields if _is_read_along(one, deep, retired)]
    only = TypeLoad(load.session, load.plan.only(codes), load.progress, load.events, partial=True)
    dates = ["updated_at"] if deep and load.plan.has_updated_at else []
    last = 0
    async for page, is_last in pages(load.session, load.plan, [*codes, *dates], retired=retired):
        ours = _between(load, last, None if is_last else highest(page, last))
        site = ids_of(page)
        found.unknown |= site - ours.keys()
        found.unknown |= ids_of(record for record in page if dates and record.get("updated_at") is None)
        if retired:
            found.deleted |= {one for one, is_retired in ours.items() if is_retired} - site - found.back
        else:
            found.back |= {one for one in site if ours.get(one)}
            found.gone |= {one for one, is_retired in ours.items() if not is_retired} - site
        if codes:  # records that are elsewhere now are read whole
            known = [record for record in page if ours.get(record.get("id", 0)) is retired]
            load.session.written(load.plan, load.progress, 0, only.write(known, retired=retired))
        last = highest(page, last) or last


def _is_read_along(field: LoadedField, deep: bool, retired: bool) -> bool:
    """Whether nothing but a comparison tells of another value: what the site works out, and without a log all links."""
    return (field.is_worked_out and not retired) or (deep and field.is_link)


def _between(load: TypeLoad, low: int, high: int | None) -> dict[int, bool]:
    """The records of the warehouse between two ids: whether they are retired."""
    plan, projects = load.plan, load.session.options.projects
    table = sa.table(plan.table, *map(sa.column, ("id", plan.retired_at)))
    query = sa.select(table.c.id, table.c[plan.retired_at].is_not(None)).where(table.c.id > low)
    if high is not None:
        query = query.where(table.c.id <= high)
    query = query.where(*here(plan, projects))
    return {int(record_id): bool(retired) for record_id, retired in load.session.connection.execute(query)}


def _check(load: TypeLoad, absent: set[int]) -> None:
    table = sa.table(load.plan.table, sa.column(load.plan.retired_at))
    active = sa.select(sa.func.count()).select_from(table).where(table.c[load.plan.retired_at].is_(None))
    if len(absent) < VANISHED_LEAST or load.session.options.accept_retirements:
        return
    rows = int(load.session.connection.execute(active).scalar_one())
    if len(absent) > rows * VANISHED_PART:
        raise VanishedRecordsError(load.plan.entity_type, len(absent), rows)


def _forget(load: TypeLoad, ids: set[int]) -> None:
    """Take the rows of records away that the site deleted for ever, with their links."""
    changed = 0
    tables: list[tuple[Any, str]] = [(one.link_table, "owner_id") for one in load.plan.fields if one.link_table]
    for name, key in [*tables, (load.plan.table, "id")]:
        for part in in_parts(ids):
            statement = sa.delete(sa.table(name)).where(sa.text(f"{key} IN {part}"))
            changed += load.session.connection.execute(statement).rowcount
    load.session.written(load.plan, load.progress, 0, changed)
