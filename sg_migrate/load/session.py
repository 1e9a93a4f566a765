"""One run of a load: the site on one side, the warehouse on the other, and what is noted on the way."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from functools import partial
from typing import Any

import sqlalchemy as sa

from sg_migrate.database import load_record
from sg_migrate.database.load_record import Progress
from sg_migrate.load.plan import TypePlan, on_site
from sg_migrate.load.pool import Pool, Record
from sg_migrate.load.writer import Writer

COMMIT_SECONDS = 0.5
"""How long written rows wait for their commit at most: each has its price, and what waits is done again when killed."""


@dataclass(frozen=True, slots=True)
class Options:
    """What a load was asked for; see `sg_migrate.load.run.load`."""

    full: bool = False
    sweep: bool = False
    forget: bool = False
    accept_retirements: bool = False
    projects: tuple[int, ...] = ()

    @property
    def scope(self) -> str:
        """The projects, as ``sg_load`` has them."""
        return ",".join(map(str, sorted(self.projects)))


@dataclass(slots=True)
class Outcome:
    """What a load did with one entity type."""

    entity_type: str
    read: int = 0
    changed: int = 0
    retired: int = 0
    """How many records it found in the trash or gone that were active before."""


@dataclass
class Session:
    """What everything that reads or writes in one load needs."""

    connection: sa.Connection
    pool: Pool
    options: Options
    now: datetime
    """What records get as ``retired_at`` that are found in the trash now."""
    watch: Callable[[Outcome, float], object] = lambda outcome, done: None
    """Called after each page: with the outcome so far, and which part of the entity type is done."""
    notes: list[str] = field(default_factory=list)
    outcomes: dict[str, Outcome] = field(default_factory=dict)
    with_rejects: set[str] = field(default_factory=set)

    def __post_init__(self) -> None:
        self.slots = asyncio.Semaphore(2 * self.pool.jobs)
        """Pages in memory are bounded: so many readers each hold two at most."""
        self._waiting: dict[str, Progress] = {}
        self._committed = time.monotonic()

    async def find(self, entity_type: str, filters: Sequence[Any], fields: Sequence[str], **more: Any) -> list[Record]:
        """A page, read by one of the pool's threads; raises as `Pool.find`."""
        read = partial(self.pool.find, **more)
        return await asyncio.wrap_future(self.pool.submit(read, entity_type, filters, fields))

    def scoped(self, plan: TypePlan) -> list[Any]:
        """The filters that every reading of a type has: the projects, where there are any."""
        return on_site(plan, self.options.projects)

    def writer(self, plan: TypePlan, *, partial: bool) -> Writer:
        """A writer of a plan's fields; a ``partial`` one as in `Writer`."""
        has_rejects = plan.entity_type in self.with_rejects
        return Writer(self.connection, plan, self.now, partial=partial, has_rejects=has_rejects)

    def outcome(self, plan: TypePlan) -> Outcome:
        """What was done with an entity type so far."""
        return self.outcomes.setdefault(plan.entity_type, Outcome(plan.entity_type))

    def note(self, text: str) -> None:
        """Say something once."""
        if text not in self.notes:
            self.notes.append(text)

    def written(self, plan: TypePlan, progress: Progress, read: int, changed: int, done: float = 0.0) -> None:
        """Count a page that is written, note how far its entity type is, and commit when it is time."""
        outcome = self.outcome(plan)
        outcome.read += read
        outcome.changed += changed
        self._waiting[progress.entity_type] = progress
        self.watch(outcome, done)
        if time.monotonic() - self._committed >= COMMIT_SECONDS:
            self.commit()

    def undone(self) -> None:
        """What was written since the last commit is gone: the engine has given the transaction back."""
        self.connection.rollback()
        self._waiting.clear()
        self.slots = asyncio.Semaphore(2 * self.pool.jobs)  # those who held a place are gone too

    def commit(self, *finished: Progress) -> None:
        """Commit the rows that were written, together with how far their entity types are."""
        self._waiting |= {progress.entity_type: progress for progress in finished}
        for progress in self._waiting.values():
            load_record.save(self.connection, progress)
        self._waiting.clear()
        self.connection.commit()
        self._committed = time.monotonic()
