"""What the site's event log names: records to read again. What an event says of their values is never applied.

ShotGrid's log has holes, and a transaction that takes long commits a lower id later: a hole is waited for until events
are five minutes younger than it. How an event reads: ShotGrid's documentation of EventLogEntry,
and events of live sites.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from operator import itemgetter
from typing import Any, TypeAlias

from sg_migrate.errors import RefusedError
from sg_migrate.load.pages import beyond, highest
from sg_migrate.load.pool import Record
from sg_migrate.load.session import Session
from sg_migrate.load.values import is_id, moment_of

LOG = "EventLogEntry"
FIELDS = ("event_type", "entity", "meta", "created_at")
GRACE = timedelta(minutes=5)
"""How much younger other events must be before a hole in the ids is taken for one that stays."""


Latest: TypeAlias = "dict[str, dict[int, int]]"
"""By entity type and id of a record: the highest event that names it."""


@dataclass(slots=True)
class Affected:
    """Records by entity type: to be read again; among them those that went into the trash, or came out of it."""

    records: dict[str, set[int]]
    retired: dict[str, set[int]]
    revived: dict[str, set[int]]


@dataclass(slots=True)
class Events:
    """The part of the log that a load follows.

    Attributes:
        readable: whether there is a log to be read.
        first: the id from which on it is complete; events below may have been pruned.
        safe: the id up to which no event can come any more.
        newest: the moment of the newest event, as the site sends it; empty where there is none.
    """

    readable: bool = False
    first: int = 0
    safe: int = 0
    newest: str = ""
    _named: Latest = field(default_factory=lambda: defaultdict(dict))
    _retired: Latest = field(default_factory=lambda: defaultdict(dict))
    _revived: Latest = field(default_factory=lambda: defaultdict(dict))
    _since: dict[int, Affected] = field(default_factory=dict)
    _holes: list[tuple[int, datetime | None]] = field(default_factory=list)
    """The event before each hole that may still be filled, and the moment of the one behind it."""

    def reaches(self, event: int | None) -> bool:
        """Whether everything since an event is known."""
        return self.readable and event is not None and event >= self.first

    def since(self, event: int) -> Affected:
        """What the events after one of them name."""
        if event not in self._since:  # most entity types are at the same one
            self._since[event] = self._after(event)
        return self._since[event]

    def _after(self, event: int) -> Affected:
        parts = [
            {kind: {record_id for record_id, at in ids.items() if at > event} for kind, ids in latest.items()}
            for latest in (self._named, self._retired, self._revived)
        ]
        return Affected(*parts)

    def add(self, event: Record) -> None:
        """Take the next event, in the order of their ids."""
        event_id = event["id"]
        meta = event.get("meta") if isinstance(event.get("meta"), dict) else {}
        assert isinstance(meta, dict)
        for entity_type, record_id in _named(event, meta):
            self._named[entity_type][record_id] = event_id
        about = _place(meta.get("entity_type"), meta.get("entity_id")) or _link(event.get("entity"))
        verb = str(event.get("event_type") or "").rpartition("_")[2]
        kind = {"Retirement": self._retired, "Revival": self._revived}.get(verb)
        if kind is not None and about is not None:
            kind[about[0]][about[1]] = event_id
        created_at = moment_of(event.get("created_at"))
        if event_id > self.safe + 1 and self.safe:
            self._holes.append((self.safe, created_at))
        self.safe = max(self.safe, event_id)
        self.newest = event["created_at"] if created_at else self.newest
        if created_at is not None:
            self._holes = [hole for hole in self._holes if hole[1] is None or created_at - hole[1] < GRACE]

    def end(self) -> None:
        """Once all are taken: events before the first hole that may be filled are safe."""
        self.safe = self._holes[0][0] if self._holes else self.safe


async def read_events(session: Session, since: int | None) -> Events:
    """The log after an event that was seen; without one, only where it ends now.

    The event itself is read again: where it is gone, the log was pruned meanwhile.
    """
    try:
        if since is None:
            return await _read_end(session)
        return await _read_on(session, since)
    except RefusedError as error:
        session.note(f"The event log cannot be read ({error}): records are compared one by one instead.")
        return Events()


async def _read_end(session: Session) -> Events:
    """Where the log ends now, with the last minutes of it: what is written there may not be all that belongs there."""
    newest: list[Record] = []
    while True:
        before = [["id", "less_than", newest[-1]["id"]]] if newest else []
        page = await session.find(LOG, before, FIELDS, newest_first="id")
        if newest and page:
            beyond(page[-1].get("id"), newest[-1]["id"], LOG)
        newest += [event for event in page if is_id(event.get("id"))]
        moments = [at for event in newest if (at := moment_of(event.get("created_at")))]
        if len(page) < session.pool.page_size or not moments or max(moments) - min(moments) >= GRACE:
            break
    found = Events(readable=True)
    if newest:
        found.first, found.safe = newest[-1]["id"], newest[-1]["id"] - 1
    for event in reversed(newest):
        found.add(event)
    found.end()
    return found


async def _read_on(session: Session, since: int) -> Events:
    found = Events(readable=True, first=since, safe=since)
    last: int = since - 1
    begun = False
    while True:
        page = await session.find(LOG, [["id", "greater_than", last]], FIELDS)
        events = sorted((one for one in page if is_id(one.get("id"))), key=itemgetter("id"))
        if events and not begun:
            begun = True
            found.first = 0 if events[0]["id"] == 1 else events[0]["id"]
            found.safe = events[0]["id"] - 1  # what is pruned is no hole
        for event in events:
            found.add(event)
        if len(page) < session.pool.page_size:
            break
        last = beyond(highest(page, last), last, LOG)
    found.end()
    if found.first > since or (since and not begun):
        found.first = max(found.first, since + 1)
        session.note("The event log does not reach back to the last load: records are compared one by one instead.")
    return found


def _named(record: Record, meta: dict[str, Any]) -> Iterator[tuple[str, int]]:
    """The records that an event names: the one it is about, and those that a link of it leads or led to."""
    lists = [meta.get(key) for key in ("added", "removed", "new_value", "old_value")]
    links = [link for one in lists for link in (one if isinstance(one, list) else [one])]
    places = [_link(one) for one in (record.get("entity"), *links)]
    places.append(_place(meta.get("entity_type"), meta.get("entity_id")))
    yield from (place for place in places if place is not None)


def _link(value: Any) -> tuple[str, int] | None:
    return _place(value.get("type"), value.get("id")) if isinstance(value, dict) else None


def _place(entity_type: Any, record_id: Any) -> tuple[str, int] | None:
    if isinstance(entity_type, str) and isinstance(record_id, int) and not isinstance(record_id, bool):
        return entity_type, record_id
    return None
