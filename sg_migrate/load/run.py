"""A load from beginning to end: what is read, in which order, and what came of it."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import datetime, timezone

import sqlalchemy as sa
from sqlalchemy.exc import DBAPIError, IntegrityError

from sg_migrate.conversion import pending
from sg_migrate.conversion.again import again, is_given_back
from sg_migrate.database import load_record
from sg_migrate.database.connection import connect
from sg_migrate.database.load_lock import one_load
from sg_migrate.database.load_record import REJECTS, Progress
from sg_migrate.errors import BehindError, RefusedError, SettingsError, SgMigrateError, VanishedRecordsError
from sg_migrate.load.entity_type import TypeLoad
from sg_migrate.load.events import Events, read_events
from sg_migrate.load.plan import TypePlan, plans
from sg_migrate.load.pool import Pool
from sg_migrate.load.session import Options, Outcome, Session
from sg_migrate.load.sweep import mend_links, sweep
from sg_migrate.revisions.project import Project
from sg_migrate.site.selection import Selection
from sg_migrate.warehouse.state import State


@dataclass(frozen=True, slots=True)
class Summary:
    """What a load did.

    Attributes:
        outcomes: by entity type.
        notes: what a person should know.
        refusals: what was not done, and why.
        event: everything that the site logged up to this event is loaded; ``None`` where there is no log.
        rejects: how many values of the warehouse have no place in their columns, over all loads.
        requests: how many requests were sent.
        seconds: how long it took.
    """

    outcomes: Sequence[Outcome] = ()
    notes: Sequence[str] = ()
    refusals: Sequence[SgMigrateError] = ()
    event: int | None = None
    rejects: int = 0
    requests: int = 0
    seconds: float = 0.0


@dataclass
class Warehouse:
    """A database that is at its head, with what may be loaded into it."""

    connection: sa.Connection
    plans: list[TypePlan]
    notes: list[str] = field(default_factory=list)


def load(
    project: Project,
    pool: Pool,
    types: Sequence[str] = (),
    options: Options | None = None,
    *,
    url: str | None = None,
    watch: Callable[[Outcome, float], object] = lambda outcome, done: None,
) -> Summary:
    """Fill the warehouse from the site, or bring it up to date; killed anywhere, the same call goes on.

    Args:
        project: the project; its database must be at the head of its revisions, and is written.
        pool: the site.
        types: patterns of entity types; every one that has a table where left out.
        options: what else to do.
        url: another database.
        watch: called after each page that was written, with what was done and which part of the type that is.

    Returns:
        What was done.

    Raises:
        BehindError: the database does not have every revision.
        LoadBusyError: another load is at work on it.
        SettingsError: ``foreign_keys`` are on: records come in no order that would satisfy them.
        LoginRefusedError, UnreachableError: the site, after all attempts. What was read before is loaded.
        DatabaseError, LockedError: the database. What was committed before is loaded.
    """
    started = time.monotonic()
    with opened(project, pool, types, url) as warehouse:
        now = datetime.now(timezone.utc).replace(microsecond=0)
        session = Session(warehouse.connection, pool, options or Options(), now, watch, warehouse.notes)
        rejected = sa.select(REJECTS.c.entity_type).distinct()
        session.with_rejects = set(warehouse.connection.execute(rejected).scalars())
        refusals = _run_again(session, warehouse.plans)
        event, rejects = _state(warehouse, session.options)
    seconds = time.monotonic() - started
    outcomes = sorted(session.outcomes.values(), key=lambda outcome: outcome.entity_type)
    return Summary(outcomes, session.notes, refusals, event, rejects, sum(pool.requests.values()), seconds)


@contextmanager
def opened(project: Project, pool: Pool, types: Sequence[str] = (), url: str | None = None) -> Iterator[Warehouse]:
    """The warehouse of a project, and what of the site goes into it; raises as `load`."""
    settings = project.settings
    if settings.foreign_keys:
        raise SettingsError(
            "foreign_keys = true: the site's records come in no order that would satisfy them, and links may lead to"
            " records that are not there. Build the warehouse without them to load it."
        )
    with connect(project.engine_options, url or project.url, settings, in_batches="load") as connection:

        def begun() -> tuple[State, set[str]]:
            built = _built(connection, project)
            waiting = {item.mark.place for item in pending.read(connection)}
            load_record.create(connection)
            connection.commit()
            return built, waiting

        # In a cluster the tables that another load creates meanwhile end what has read anything.
        built, waiting = again(begun, connection.rollback, _may_pass)
        with one_load(connection):
            found, notes = plans(built, pool.schema().schema, settings, waiting)
            chosen = Selection(tuple(types))
            yield Warehouse(connection, [plan for plan in found if chosen.entity_type(plan.entity_type)], notes)


def _built(connection: sa.Connection, project: Project) -> State:
    """The tables that the revisions have built, all of which the database must have."""
    present = project.heads_in(connection)
    heads = tuple(sorted(project.scripts.get_heads()))
    if present != heads:
        raise BehindError(present, heads)
    return project.history(connection.dialect.name).built(present)


def _run_again(session: Session, found: Sequence[TypePlan]) -> list[SgMigrateError]:
    """The load, which goes on from its last commit where the engine gives a transaction back."""
    return again(lambda: asyncio.run(_run(session, found)), session.undone, _may_pass)


def _may_pass(error: DBAPIError) -> bool:
    """Whether the engine has given the transaction back, or a load on another node of a cluster was faster."""
    return is_given_back(error) or isinstance(error, IntegrityError)


async def _run(session: Session, found: Sequence[TypePlan]) -> list[SgMigrateError]:
    scope = session.options.scope
    known = {one.entity_type: one for one in load_record.read(session.connection) if one.scope == scope}
    progress = {plan.entity_type: known.get(plan.entity_type) or Progress(plan.entity_type, scope) for plan in found}
    positions = [one.event for one in progress.values() if one.event is not None]
    session.connection.commit()
    try:
        events = await read_events(session, min(positions, default=None))
        run = _Run(session, events)
        at_work = asyncio.Semaphore(session.pool.jobs)

        async def one(plan: TypePlan) -> None:
            async with at_work:
                await run.one(TypeLoad(session, plan, progress[plan.entity_type], events))

        await asyncio.gather(*(one(plan) for plan in found))
        compared = [load for load in run.done if await run.sweep(load)]
        for load in compared:
            await mend_links(load, run.done)
            session.commit(load.progress)
        return run.refusals
    except (SgMigrateError, asyncio.CancelledError):
        session.commit()  # what was written before is whole
        raise


class _Run:
    """The entity types of one load, one after the other or side by side."""

    def __init__(self, session: Session, events: Events) -> None:
        self.session = session
        self.events = events
        self.refusals: list[SgMigrateError] = []
        self.done: list[TypeLoad] = []
        self.deep: set[str] = set()
        """Entity types of which no log tells what changed since the last load."""

    async def one(self, load: TypeLoad) -> None:
        """Read one entity type: all of it, or what changed, and then the fields that were never read."""
        progress, outcome = load.progress, self.session.outcome(load.plan)
        interrupted = progress.stage in ("active", "retired")
        is_new = not progress.stage
        if not is_new and not self.events.reaches(progress.event):
            self.deep.add(load.plan.entity_type)
        try:
            again = self.session.options.full and not interrupted
            if again or (self._is_deep(load) and not load.plan.has_updated_at):
                progress.stage = ""  # from the beginning
            if not progress.stage or interrupted:
                await load.read_all()
            if not is_new:
                await load.read_changes()
            await load.backfill()
        except RefusedError as error:
            self.session.note(f"{load.plan.entity_type} is not loaded: {error}")
            return
        progress.records, progress.changed = outcome.read, outcome.changed
        progress.finished = self.session.now.isoformat()
        self.session.commit(progress)
        self.done.append(load)

    def _is_deep(self, load: TypeLoad) -> bool:
        return load.plan.entity_type in self.deep

    async def sweep(self, load: TypeLoad) -> bool:
        """Compare every id, where that was asked for or nothing else tells what was deleted; gives whether it was."""
        if not self.session.options.sweep and not self._is_deep(load):
            return False
        try:
            await sweep(load, self.done, deep=self._is_deep(load))
        except VanishedRecordsError as error:
            self.refusals.append(error)
            return False
        except RefusedError as error:
            self.session.note(f"{load.plan.entity_type} is not compared: {error}")
            return False
        if self.events.readable:
            load.progress.event = self.events.safe
        outcome = self.session.outcome(load.plan)
        load.progress.records, load.progress.changed = outcome.read, outcome.changed
        self.session.commit(load.progress)
        return True


def _state(warehouse: Warehouse, options: Options) -> tuple[int | None, int]:
    """The event up to which all is loaded, and how many rejects there are."""
    types = {plan.entity_type for plan in warehouse.plans}
    found = [one for one in load_record.read(warehouse.connection) if one.scope == options.scope]
    events = [one.event for one in found if one.entity_type in types]
    query = sa.select(sa.func.count()).select_from(REJECTS)
    rejects = int(warehouse.connection.execute(query).scalar_one())
    complete = [event for event in events if event is not None]
    return (min(complete) if complete and len(complete) == len(events) else None), rejects
