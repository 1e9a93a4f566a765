"""Reading the site's event log for what people did to fields.

How such an event reads is from live sites; ShotGrid documents EventLogEntry, and nothing of these. An event's id is
taken before its transaction ends, so a lower id can come later: the last day is read again each time.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from datetime import datetime, timedelta, timezone
from functools import partial
from typing import Any, Final

from sg_migrate.errors import RefusedError, SourceError
from sg_migrate.site.events import Reading, SchemaEvent, SiteEvents
from sg_migrate.site.live import LogConnection, call, connection_host
from sg_migrate.site.loaded import Loaded
from sg_migrate.text import clean, shorten

LOG: Final = "EventLogEntry"
KINDS: Final = {
    "Shotgun_DisplayColumn_New": "new",
    "Shotgun_DisplayColumn_Change": "change",
    "Shotgun_DisplayColumn_Retirement": "retirement",
}
"""What the log calls what happens to a field; no event of a revival is known."""
ENTITY_TYPE: Final = "entity.DisplayColumn.entity_type"
FIELDS: Final = ("event_type", "created_at", "user", "entity", ENTITY_TYPE, "meta")
AGAIN: Final = timedelta(days=1)
"""How much before the newest known event reading begins."""
PAGE_SIZE: Final = 500
VALUE_LENGTH: Final = 300
"""Old and new values are evidence; a list of a thousand values is cut."""


def with_log(loaded: Loaded, connection: LogConnection, known: SiteEvents, *, people: bool = True) -> Loaded:
    """What was read of a site, with what its log says beyond what is known.

    The log is evidence: whatever keeps it from being read is a note, and the schema stands as it was read.
    """
    try:
        events = read_log(connection, known, people=people)
    except SourceError as error:
        return replace(loaded, notes=(*loaded.notes, f"the event log was not read: {error}"))
    if events.refused and not known.refused:
        note = "these credentials may not read the event log: who changes a field is not recorded"
        loaded = replace(loaded, notes=(*loaded.notes, note))
    return replace(loaded, events=events)


def read_log(connection: LogConnection, known: SiteEvents, *, people: bool = True) -> SiteEvents:
    """What the site's log says beyond what is known, and that it was read now.

    Args:
        connection: a ``shotgun_api3.Shotgun``, or anything with its ``find``.
        known: the events so far; only what is newer is asked for, and the day before.
        people: whether the names of those who did something are taken along.

    Returns:
        The new events with a reading; a log that these credentials may not read is a reading too.

    Raises:
        UnreachableError: no connection, or no answer that is ShotGrid's. No message ever holds a secret.
    """
    now = moment(datetime.now(timezone.utc))
    seen = {event.id for event in known.events}
    try:
        oldest = next(_found(connection, [], ["created_at"], limit=1), {})
        try:
            found = list(_events(connection, known, FIELDS, people))
        except RefusedError:  # a site that lets nobody look behind a link tells the rest all the same
            found = list(_events(connection, known, [name for name in FIELDS if name != ENTITY_TYPE], people))
    except RefusedError:
        return SiteEvents((), (Reading(now, refused=True),))
    new = tuple(event for event in found if event.id not in seen)
    return SiteEvents(new, (Reading(now, moment(oldest.get("created_at"))),))


def _events(connection: LogConnection, known: SiteEvents, fields: Sequence[str], people: bool) -> Iterator[SchemaEvent]:
    filters: list[Any] = [["event_type", "in", list(KINDS)]]
    if known.events:
        since = datetime.fromisoformat(known.events[-1].at.replace("Z", "+00:00")) - AGAIN
        filters.append(["created_at", "greater_than", moment(since)])
    last = 0
    while True:
        page = list(_found(connection, [*filters, ["id", "greater_than", last]], fields, limit=PAGE_SIZE))
        for entry in page:
            event = schema_event(entry, people=people)
            if event is not None:
                yield event
        ids = [entry["id"] for entry in page if isinstance(entry.get("id"), int)]
        if len(page) < PAGE_SIZE or not ids or max(ids) <= last:
            return
        last = max(ids)


def _found(connection: LogConnection, filters: list[Any], fields: Any, *, limit: int) -> Iterator[Mapping[str, Any]]:
    order = [{"field_name": "id", "direction": "asc"}]
    find = partial(connection.find, LOG, filters, list(fields), order, limit=limit)
    found = call(connection_host(connection) or "the site", connection, find)
    return (entry for entry in found if isinstance(entry, dict)) if isinstance(found, list) else iter(())


def schema_event(entry: Mapping[str, Any], *, people: bool = True) -> SchemaEvent | None:
    """An entry of the log as what was done to a field; ``None`` for what is no such thing."""
    kind, at, meta = KINDS.get(str(entry.get("event_type"))), moment(entry.get("created_at")), entry.get("meta")
    meta = meta if isinstance(meta, dict) else {}
    entity = _link(entry.get("entity"))
    user = _link(entry.get("user"))
    column = meta.get("entity_id") or entity.get("id")
    if kind is None or not at or not isinstance(entry.get("id"), int) or not isinstance(column, int):
        return None
    script = user.get("type") == "ApiUser"
    return SchemaEvent(
        id=entry["id"],
        at=at,
        kind=kind,  # type: ignore[arg-type]
        column=column,
        entity_type=_text(entry.get(ENTITY_TYPE)),
        name=_text(entity.get("name")),
        attribute=_text(meta.get("attribute_name")),
        old=_text(meta.get("old_value")),
        new=_text(meta.get("new_value")),
        by=_text(user.get("name")) if people or script else "",
        script=script,
    )


def _link(value: Any) -> Mapping[str, Any]:
    return value if isinstance(value, dict) else {}


def _text(value: Any) -> str:
    """A value as it can be shown: on one line, and not endless."""
    if value is None:
        return ""
    text = value if isinstance(value, str) else json.dumps(value, ensure_ascii=False, sort_keys=True, default=str)
    return shorten(clean(text), VALUE_LENGTH)


def moment(value: Any) -> str:
    """A moment in UTC as ``2026-11-19T10:12:03Z``; empty for what is none. One without a zone is in UTC."""
    if isinstance(value, str):
        try:
            value = datetime.fromisoformat(value.strip().replace(" UTC", "+00:00").replace("Z", "+00:00"))
        except ValueError:
            return ""
    if not isinstance(value, datetime):
        return ""
    return (value.astimezone(timezone.utc) if value.tzinfo else value).strftime("%Y-%m-%dT%H:%M:%SZ")
