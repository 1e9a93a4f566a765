"""The site's events about its fields: a line each in a file beside the snapshot, which outlives the site's own log.

Hosted sites keep events for six months. The file is appended to and never rewritten, so that git can merge it by taking
both sides: lines may be twice and in any order.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

import msgspec

from sg_migrate.errors import EventsFileError
from sg_migrate.site.atomic import replace_file
from sg_migrate.site.documents import decode
from sg_migrate.site.raw import canonical_text
from sg_migrate.site.validation import Unreadable

EVENTS_FILE = "site_events.jsonl"


class SchemaEvent(msgspec.Struct, frozen=True, omit_defaults=True, tag_field="line", tag="event"):
    """What somebody did to a field: evidence, not truth.

    Attributes:
        id: of the EventLogEntry.
        at: when, in UTC: ``2026-11-19T10:12:03Z``.
        kind: what was done.
        column: the id of the DisplayColumn: a field that is made anew under the same code has another one.
        entity_type: the entity type that has the field; empty where the event does not say.
        name: the field's display name when the event was read.
        attribute: of a change, what changed: ``human_name``, ``data_type``, ``properties``.
        old: its value before.
        new: its value after.
        by: the display name of who did it; empty where that is not recorded.
        script: whether that is a script.
    """

    id: int
    at: str
    kind: Literal["new", "change", "retirement"]
    column: int
    entity_type: str = ""
    name: str = ""
    attribute: str = ""
    old: str = ""
    new: str = ""
    by: str = ""
    script: bool = False


class Reading(msgspec.Struct, frozen=True, omit_defaults=True, tag_field="line", tag="reading"):
    """That the log was read, or could not be.

    Attributes:
        at: when, in UTC; of an archive the moment of its newest event.
        oldest: how far the log reached back; empty for one without events.
        refused: whether the credentials may not read it.
        archive: whether that was an archive of the log.
    """

    at: str
    oldest: str = ""
    refused: bool = False
    archive: bool = False


@dataclass(frozen=True, slots=True)
class SiteEvents:
    """The events that are known, in the order in which they happened, and when the log was read, in order."""

    events: tuple[SchemaEvent, ...] = ()
    readings: tuple[Reading, ...] = ()

    def __bool__(self) -> bool:
        return bool(self.events or self.readings)

    def __or__(self, other: SiteEvents) -> SiteEvents:
        """Both together, nothing twice; where an event was read twice, as it was read first."""
        events = {event.id: event for event in reversed((*self.events, *other.events))}
        readings = {*self.readings, *other.readings}
        return SiteEvents(
            tuple(sorted(events.values(), key=lambda event: (event.at, event.id))),
            tuple(sorted(readings, key=lambda reading: (reading.at, reading.oldest))),
        )

    @property
    def refused(self) -> bool:
        """Whether the credentials of the last reading might not read the log."""
        return bool(self.readings) and self.readings[-1].refused

    def without_people(self) -> SiteEvents:
        """The same without the names of people; scripts keep theirs."""
        events = (event if event.script else msgspec.structs.replace(event, by="") for event in self.events)
        return SiteEvents(tuple(events), self.readings)


NO_EVENTS = SiteEvents()


def events_path(snapshot: Path) -> Path:
    """The file of the events beside a snapshot file."""
    return snapshot.with_name(EVENTS_FILE)


def read_events(path: Path) -> SiteEvents:
    """The events of a file; none where there is no file.

    Raises:
        EventsFileError: it cannot be read, or a line is none of ours.
    """
    try:
        text = decode(path.read_bytes())
    except FileNotFoundError:
        return NO_EVENTS
    except OSError as error:
        raise EventsFileError(str(path), 0, f"cannot be read ({error.strerror}).") from None
    except Unreadable as error:
        raise EventsFileError(str(path), 0, error.problem) from None
    lines = list(_parsed(text, str(path)))
    events = tuple(line for line in lines if isinstance(line, SchemaEvent))
    return NO_EVENTS | SiteEvents(events, tuple(line for line in lines if isinstance(line, Reading)))


def _parsed(text: str, source: str) -> Iterator[SchemaEvent | Reading]:
    decoder = msgspec.json.Decoder(SchemaEvent | Reading)
    for number, line in enumerate(text.split("\n"), 1):
        if not line.strip():
            continue
        try:
            yield decoder.decode(line)
        except (msgspec.DecodeError, RecursionError):
            raise EventsFileError(source, number, "not a line of the site's events.") from None


def append_events(path: Path, new: SiteEvents, *, changed: bool = True) -> bool:
    """Put what is new at the end of a file; nobody ever sees half a line of it.

    Args:
        path: the file; created where there is something to put into it.
        new: what may be in it already.
        changed: whether the schema changed; where nothing at all did, that the log was read is not worth a line.

    Returns:
        Whether anything was written.

    Raises:
        EventsFileError: the file cannot be read or written; it is as it was.
    """
    known = read_events(path)
    seen = {event.id for event in known.events}
    lines: list[SchemaEvent | Reading] = [event for event in new.events if event.id not in seen]
    if lines or changed or (known.readings and new.refused != known.refused):
        lines += [reading for reading in new.readings if reading not in known.readings]
    if not lines:
        return False
    try:
        before = path.read_bytes() if path.exists() else b""
        end = b"" if not before or before.endswith(b"\n") else b"\n"
        replace_file(path.resolve(), before + end + _text(lines).encode())
    except OSError as error:
        raise EventsFileError(str(path), 0, f"cannot be written ({error.strerror}); it is as it was.") from None
    return True


def _text(lines: Iterable[SchemaEvent | Reading]) -> str:
    return "".join(f"{canonical_text(msgspec.to_builtins(line))}\n" for line in lines)
