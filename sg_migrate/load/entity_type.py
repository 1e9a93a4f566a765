"""One entity type: read whole, or what changed, and the fields that were never read."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Sequence
from datetime import datetime, timedelta, timezone
from typing import Any

import sqlalchemy as sa

from sg_migrate.database.load_record import Progress
from sg_migrate.errors import RefusedError
from sg_migrate.load.events import LOG, Events
from sg_migrate.load.links import linking_here, linking_on_site
from sg_migrate.load.pages import Range, everything, ids_of, pages
from sg_migrate.load.plan import LoadedField, TypePlan
from sg_migrate.load.pool import Record
from sg_migrate.load.session import Session
from sg_migrate.load.values import moment, moment_of
from sg_migrate.load.writer import in_parts

OVERLAP = timedelta(minutes=10)
"""How far behind the mark changes are read again: a transaction that takes long has an earlier moment."""
_MOMENT = "%Y-%m-%dT%H:%M:%SZ"
_BEGINNING = datetime(1970, 1, 1, tzinfo=timezone.utc)


class TypeLoad:
    """The load of one entity type.

    Args:
        session: the load.
        plan: what is read.
        progress: how far it is.
        events: the event log.
        partial: whether the plan has some of the fields only; then no row is made and none retired or revived.
    """

    def __init__(
        self, session: Session, plan: TypePlan, progress: Progress, events: Events, *, partial: bool = False
    ) -> None:
        self.session = session
        self.plan = plan
        self.progress = progress
        self.events = events
        self.partial = partial
        self.writer = session.writer(plan, partial=partial)
        self._checked: set[str] = set()

    # --- writing

    def write(self, page: list[Record], *, retired: bool) -> int:
        """Write records; a field that the site has no longer, or with another type, is left alone from then on."""
        gone = [code for code in self.plan.codes if page and code not in page[0]]
        if gone:
            self._leave(gone, "the site does not have it any more; its values stay as they are")
        found = self.writer.page(page)
        rejected = {code for _, code in found.rejects} - self._checked - {"id"}
        if rejected:
            self._checked |= rejected
            now = self.session.pool.data_types(self.plan.entity_type)
            for field in self.plan.fields:
                if now.get(field.code) != field.data_type:
                    what = f"it is {now[field.code]} on the site now" if field.code in now else "the site lost it"
                    self._leave([field.code], f"{what}; its values stay until a revision follows")
                    found = self.writer.page(page)
        return self.writer.write(found, retired=retired)

    def _leave(self, codes: Collection[str], why: str) -> None:
        """Leave fields alone from now on."""
        for code in codes:
            self.session.note(f"{self.plan.entity_type}.{code}: {why}")
            self.progress.fields.pop(code, None)
        self.plan = self.plan.only([code for code in self.plan.codes if code not in codes])
        self.writer = self.session.writer(self.plan, partial=self.partial)

    # --- all of it

    async def read_all(self) -> None:
        """Read every record, active and retired; goes on where an earlier load stopped."""
        progress = self.progress
        if progress.stage not in ("active", "retired"):
            progress.stage, progress.ranges, progress.reading = "active", [[0, None]], self.plan.codes
            progress.next_mark = await self._newest_moment()
            progress.event = progress.event if progress.event is not None else self._event
            self.session.commit(progress)
        plan = self.plan
        self._narrow(progress.reading)
        if progress.stage == "active":
            await everything(
                self.session, self.plan, progress, lambda page, _: self.write(page, retired=False), self.plan.codes,
                retired=False,
            )  # fmt: skip
            progress.stage, progress.ranges = "retired", [[0, None]]
            self.session.commit(progress)
        await everything(
            self.session, self.plan, progress, lambda page, _: self.write(page, retired=True), self.plan.codes,
            retired=True,
        )  # fmt: skip
        progress.stage, progress.ranges, progress.mark = "loaded", [], progress.next_mark
        progress.fields = {field.code: field.data_type for field in self.plan.fields}
        self.plan = plan.only([code for code in plan.codes if code in progress.fields or code not in progress.reading])
        self.writer = self.session.writer(self.plan, partial=self.partial)
        self.session.commit(progress)

    def _narrow(self, codes: Collection[str]) -> None:
        self.plan = self.plan.only(codes)
        self.writer = self.session.writer(self.plan, partial=self.partial)

    @property
    def _event(self) -> int | None:
        return self.events.safe if self.events.readable else None

    async def _newest_moment(self) -> str:
        """What the site's clock shows at least, as a mark for what is about to be read."""
        if self.events.newest or not self.plan.has_updated_at:
            return self.events.newest
        scoped = self.session.scoped(self.plan)
        newest = await self.session.find(
            self.plan.entity_type, scoped, ["updated_at"], newest_first="updated_at", limit=1
        )
        return _highest_moment(newest)

    # --- what changed

    async def read_changes(self) -> None:
        """Read the records that changed since the last load: by their date, and by the events that name them."""
        progress = self.progress
        seen, mark = await self._read_recent(retired=False)
        if not self.events.reaches(progress.event):
            await self._read_recent(retired=True)  # revived, edited and retired again
        else:
            assert progress.event is not None
            affected = self.events.since(progress.event)
            here = linking_here(self.session.connection, self.plan, affected.retired)
            there = await linking_on_site(self.session, self.plan, affected.revived)
            named = affected.records.get(self.plan.entity_type, set())
            absent = await self.read_ids((named | here | there) - seen)
            self.mark_gone(absent & affected.retired.get(self.plan.entity_type, set()))
            progress.event = self.events.safe
        progress.mark = max(mark, progress.mark, self.events.newest)

    async def _read_recent(self, *, retired: bool) -> tuple[set[int], str]:
        """New records and those with a new date; gives their ids, and the highest date of the first page."""
        progress = self.progress
        last_id = progress.last_id
        if self.plan.entity_type == LOG and progress.event is not None:
            last_id = min(last_id, progress.event)  # nothing names an event that comes late
        recent: list[Any] = [["id", "greater_than", last_id]]
        fields = {*self.plan.codes}
        if self.plan.has_updated_at:
            since = moment(progress.mark) - OVERLAP if progress.mark else _BEGINNING
            recent.append(["updated_at", "greater_than", since.strftime(_MOMENT)])
            fields.add("updated_at")
        filters = [{"filter_operator": "any", "filters": recent}]
        seen: set[int] = set()
        mark: str | None = None
        async for page, _ in pages(
            self.session, self.plan, sorted(fields), filters, retired=retired, limits=[None, None]
        ):
            mark = _highest_moment(page) if mark is None else mark
            changed = self.write(page, retired=retired)
            seen |= ids_of(page)
            self.session.written(self.plan, progress, len(page), changed)
        progress.last_id = max(progress.last_id, *seen, 0)
        return seen, mark or ""

    async def read_ids(self, ids: Iterable[int]) -> set[int]:
        """Read some records whole, wherever they are; gives those that the site does not have.

        Those that are here are read whatever project they belong to now.
        """
        ids, absent = {*ids}, set[int]()
        scoped = self.session.scoped(self.plan)
        ours = self.writer.known(ids) if scoped else ids
        for some, filters in ((ours, []), (ids - ours, scoped)):
            for part in _parts(sorted(some), self.session.pool.page_size):
                left = await self._read_part(part, filters, retired=False)
                if left:
                    left = await self._read_part(sorted(left), filters, retired=True)
                absent |= left
        return absent

    async def _read_part(self, ids: Sequence[int], scoped: Sequence[Any], *, retired: bool) -> set[int]:
        filters = [*scoped, ["id", "in", list(ids)]]
        page = await self.session.find(self.plan.entity_type, filters, self.plan.codes, retired=retired)
        found = ids_of(page) & {*ids}
        if retired:
            self.session.outcome(self.plan).retired += self._still_active(found)
        changed = self.write(page, retired=retired)
        self.progress.last_id = max(self.progress.last_id, *found, 0)
        self.session.written(self.plan, self.progress, len(page), changed)
        return {*ids} - found

    def _still_active(self, ids: Collection[int]) -> int:
        """How many of some records the warehouse takes for active."""
        table = sa.table(self.plan.table, sa.column("id"), sa.column(self.plan.retired_at))
        query = sa.select(sa.func.count()).select_from(table).where(table.c[self.plan.retired_at].is_(None))
        return sum(
            int(self.session.connection.execute(query.where(sa.text(f"id IN {part}"))).scalar_one())
            for part in in_parts(ids)
        )

    def mark_gone(self, ids: Collection[int]) -> None:
        """Note that the site has some records no longer, neither active nor in the trash; their rows stay."""
        type_ = sa.DateTime(timezone=True)
        table = sa.table(self.plan.table, sa.column("id"), sa.column(self.plan.retired_at, type_))
        still = table.c[self.plan.retired_at].is_(None)
        statement = sa.update(table).where(still).values({self.plan.retired_at: self.session.now})
        for part in in_parts(ids):
            gone = self.session.connection.execute(statement.where(sa.text(f"id IN {part}"))).rowcount
            self.session.outcome(self.plan).retired += gone
            self.session.written(self.plan, self.progress, 0, gone)

    # --- fields that were never read

    async def backfill(self) -> None:
        """Read the fields that a revision has added or converted: them alone, where they are not empty."""
        progress = self.progress
        missing = [field for field in self.plan.fields if progress.fields.get(field.code) != field.data_type]
        codes = [field.code for field in missing]
        if not missing:
            return
        if not progress.stage.startswith("backfill") or progress.reading != codes:
            progress.stage, progress.ranges, progress.reading = "backfill active", [[0, None]], codes
        only = TypeLoad(self.session, self.plan.only(codes), progress, self.events, partial=True)
        filled = all(field.can_be_filtered for field in missing)
        if progress.stage == "backfill active":
            await only.fill(only.not_empty() if filled else [], retired=False)
            progress.stage, progress.ranges = "backfill retired", [[0, None]]
        filled = filled and not only.has_values_of_retired()
        await only.fill(only.not_empty() if filled else [], retired=True)
        progress.stage, progress.ranges = "loaded", []
        progress.fields |= {field.code: field.data_type for field in only.plan.fields}
        self.session.commit(progress)

    def not_empty(self) -> list[Any]:
        """The filter for records that have a value in any field of the plan."""
        return [{"filter_operator": "any", "filters": [[code, "is_not", None] for code in self.plan.codes]}]

    async def fill(self, filters: Sequence[Any], *, retired: bool) -> None:
        """Read the plan's fields of records that are there; where the site filters nothing by them, of all."""

        def write(page: list[Record], limits: Range) -> int:
            changed = 0 if retired else self._empty_between(page, limits)
            return changed + self.write(page, retired=retired)

        try:
            await everything(self.session, self.plan, self.progress, write, self.plan.codes, filters, retired=retired)
        except RefusedError:
            if not filters:
                raise
            self.progress.ranges = [[0, None]]
            await everything(self.session, self.plan, self.progress, write, self.plan.codes, retired=retired)

    def _empty_between(self, page: list[Record], limits: Range) -> int:
        """Empty the fields of active records between two ids that a page leaves out, which has those with a value."""
        low, high = limits
        ids = ids_of(page)
        changed = 0
        for field in self.plan.fields:
            key = "owner_id" if field.link_table else "id"
            bounds = [sa.column(key) > (low or 0), *([sa.column(key) <= high] if high is not None else [])]
            kept = [sa.text(f"{key} NOT IN {next(in_parts(ids, len(ids)))}")] if ids else []
            statement = _emptying(self.plan, field).where(*bounds, *kept)
            changed += self.session.connection.execute(statement).rowcount
        return changed

    def has_values_of_retired(self) -> bool:
        """Whether any retired record has a value in a field of the plan."""
        names = [column.name for field in self.plan.fields for column in field.columns]
        table = sa.table(self.plan.table, *map(sa.column, [*names, self.plan.retired_at]))
        filled = sa.or_(*(table.c[name].is_not(None) for name in names)) if names else sa.true()
        query = sa.select(sa.literal(1)).select_from(table).where(table.c[self.plan.retired_at].is_not(None), filled)
        return self.session.connection.execute(query.limit(1)).first() is not None


def _emptying(plan: TypePlan, field: LoadedField) -> Any:
    """The statement that empties a field of active records; it waits for their ids."""
    columns = field.columns
    table = sa.table(plan.table, sa.column("id"), sa.column(plan.retired_at), *(sa.column(c.name) for c in columns))
    active = table.c[plan.retired_at].is_(None)
    if field.link_table:
        links = sa.table(field.link_table, sa.column("owner_id"))
        return sa.delete(links).where(links.c.owner_id.in_(sa.select(table.c.id).where(active)))
    filled = sa.or_(*(table.c[column.name].is_not(None) for column in columns))
    return sa.update(table).where(active, filled).values({column.name: sa.null() for column in columns})


def _highest_moment(page: Iterable[Record]) -> str:
    moments = [at for record in page if (at := moment_of(record.get("updated_at")))]
    return max(moments).strftime(_MOMENT) if moments else ""


def _parts(ids: Sequence[int], size: int) -> Iterable[Sequence[int]]:
    return (ids[first : first + size] for first in range(0, len(ids), size))
