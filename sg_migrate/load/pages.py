"""Reading by pages: always by the ids above the last one, never by number, and ranges of ids side by side."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable, Iterable, Sequence
from typing import Any, TypeAlias

from sg_migrate.database.load_record import Progress
from sg_migrate.errors import UnreachableError
from sg_migrate.load.plan import TypePlan
from sg_migrate.load.pool import Record
from sg_migrate.load.session import Session
from sg_migrate.load.values import is_id

Range: TypeAlias = "list[int | None]"
"""Read up to the first id, to be read up to the second; ``None`` is no limit."""

_PAGES_OF_A_RANGE = 4
"""A range that is not worth that many is not split off."""


async def pages(
    session: Session,
    plan: TypePlan,
    fields: Sequence[str],
    filters: Sequence[Any] = (),
    *,
    retired: bool = False,
    limits: Range | None = None,
) -> AsyncIterator[tuple[list[Record], bool]]:
    """The records of a range of ids, page by page, the next one being read while one is worked on.

    Args:
        session: the load.
        plan: the entity type.
        fields: the fields wanted.
        filters: what the records must meet beside the session's own filters.
        retired: whether to read those in the trash.
        limits: the range; everything where left out.

    Yields:
        Records in the order of their ids, and whether they are the last.

    Raises:
        UnreachableError: the site does not page by id.
    """
    last, end = limits or [0, None]
    size = session.pool.page_size

    def following(last: int | None) -> asyncio.Task[list[Record]]:
        bounds: list[Any] = [["id", "greater_than", last]] if last is not None else []
        bounds += [["id", "less_than", end + 1]] if end is not None else []
        wanted = [*session.scoped(plan), *filters, *bounds]
        return asyncio.ensure_future(session.find(plan.entity_type, wanted, fields, retired=retired))

    reading: asyncio.Task[list[Record]] | None = following(last)
    try:
        while reading is not None:
            page = await reading
            before, last = last, highest(page, last)
            if len(page) < size or (end is not None and last is not None and last >= end):
                reading = None
            else:
                reading = following(beyond(last, before, plan.entity_type))
            yield page, reading is None
    finally:
        if reading is not None:
            reading.cancel()


def beyond(last: int | None, before: int | None, entity_type: str) -> int:
    """The id to go on after a full page. Raises `UnreachableError` where that is no further than before."""
    if last is None or last == before:
        raise UnreachableError("the site", f"gave the same records of {entity_type} twice.", "It does not page by id.")
    return last


def ids_of(page: Iterable[Record]) -> set[int]:
    """The ids of a page; what is no id does not count."""
    return {record["id"] for record in page if is_id(record.get("id"))}


def highest(page: Iterable[Record], otherwise: int | None) -> int | None:
    """The highest id of a page, or the one before it."""
    ids = ids_of(page)
    return max([*ids, otherwise or 0]) if ids else otherwise


async def everything(
    session: Session,
    plan: TypePlan,
    progress: Progress,
    write: Callable[[list[Record], Range], int],
    fields: Sequence[str],
    filters: Sequence[Any] = (),
    *,
    retired: bool,
) -> None:
    """Read the ranges that ``progress`` has, side by side, and move them on as pages are written.

    Args:
        session: the load.
        plan: the entity type.
        progress: its ranges; ``[[0, None]]`` where nothing is read yet. None are left at the end.
        write: takes a page and the range of ids that it is all of; gives how many rows changed.
        fields: the fields wanted.
        filters: as for `pages`.
        retired: whether to read those in the trash.
    """

    def take(limits: Range, page: list[Record], is_last: bool) -> None:
        read = highest(page, limits[0])
        changed = write(page, [limits[0], limits[1] if is_last else read])
        limits[0] = read
        progress.last_id = max(progress.last_id, read or 0)
        if is_last:
            progress.ranges.remove(limits)
        session.written(plan, progress, len(page), changed, 1 - len(progress.ranges) / max(whole, 1))

    async def one(limits: Range) -> None:
        async with session.slots:
            async for page, is_last in pages(session, plan, fields, filters, retired=retired, limits=limits):
                take(limits, page, is_last)

    whole = len(progress.ranges)
    if progress.ranges == [[0, None]]:
        wanted = [*session.scoped(plan), *filters]
        async with session.slots:
            page = await session.find(plan.entity_type, wanted, fields, retired=retired)
            take(progress.ranges[0], page, len(page) < session.pool.page_size)
        if progress.ranges:
            progress.ranges = await _split(session, plan, progress, progress.ranges[0])
            whole = len(progress.ranges)
    await asyncio.gather(*(one(limits) for limits in list(progress.ranges)))


async def _split(session: Session, plan: TypePlan, progress: Progress, limits: Range) -> list[Range]:
    """The rest of the ids in ranges of one size; ids above the highest that is known belong to the last."""
    last, top = limits[0] or 0, progress.last_id
    if session.pool.jobs == 1:
        return [limits]
    if top <= last:
        scoped = session.scoped(plan)
        top = highest(await session.find(plan.entity_type, scoped, ["id"], newest_first="id", limit=1), 0) or 0
    ranges = max(1, min(2 * session.pool.jobs, (top - last) // (session.pool.page_size * _PAGES_OF_A_RANGE)))
    bounds = [last + (top - last) * number // ranges for number in range(ranges)]
    return [[low, high] for low, high in zip(bounds, [*bounds[1:], None], strict=True)]
