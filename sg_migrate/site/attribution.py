"""Who changed what: an event of the site's log beside a change between two schemas, where one fits.

An event names a field by a number, the DisplayColumn's id, by its entity type and by its display name, never by its
code; a field that has retired is not named at all any more. So an event is matched by what it says, the newest first,
and where two fields fit, that is said.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from typing import Final

from sg_migrate.site.changes import SiteChange, SiteChangeKind
from sg_migrate.site.events import SchemaEvent, SiteEvents
from sg_migrate.text import clean

_ATTRIBUTES: Final[dict[SiteChangeKind, tuple[str, ...]]] = {
    "name": ("human_name",),
    "data_type": ("data_type",),
    "description": ("description",),
}
"""What an event of a change calls what changed; all else are properties, or have their own name."""
_GONE: Final = ("retired", "vanished")
_DECISIONS: Final = ("dropped", "pruned", "set_aside", "renamed", "comment")
"""What nobody did on the site."""


@dataclass(frozen=True, slots=True)
class Attribution:
    """Who made a change, as far as the log tells.

    Attributes:
        events: the events that fit, the newest first; several where the log does not tell fields apart.
        doubt: what makes it no more than likely; empty where nothing does.
        unknown: why there is no event; empty where there is one.
    """

    events: tuple[SchemaEvent, ...] = ()
    doubt: str = ""
    unknown: str = ""

    @property
    def words(self) -> str:
        """``by Jane Doe, 2026-11-19``; empty where nobody knows."""
        if not self.events:
            return ""
        said = " or ".join(dict.fromkeys(map(by, self.events)))
        return f"{said} ({self.doubt})" if self.doubt else said


def by(event: SchemaEvent) -> str:
    """``by Jane Doe, 2026-11-19``; the day alone where nobody is named."""
    who = f"script {event.by}" if event.script and event.by else event.by or ("a script" if event.script else "")
    return f"by {who}, {event.at[:10]}" if who else event.at[:10]


@dataclass
class _Column:
    """A field as the log knows it: what happened to it, and what it was called."""

    entity_type: str = ""
    names: set[str] = field(default_factory=set)
    events: list[SchemaEvent] = field(default_factory=list)

    def add(self, event: SchemaEvent) -> None:
        self.events.append(event)
        self.entity_type = event.entity_type or self.entity_type
        self.names.update(filter(None, (event.name,)))
        if event.attribute == "human_name":
            self.names.update(filter(None, (event.old, event.new)))

    @property
    def retired(self) -> str:
        """When it went; empty while it is there."""
        return next((event.at for event in self.events if event.kind == "retirement"), "")


class Attributions:
    """Finds the events that fit changes.

    Args:
        known: the site's events.
    """

    def __init__(self, known: SiteEvents) -> None:
        self._known = known
        self._columns: dict[int, _Column] = {}
        for event in known.events:
            self._columns.setdefault(event.column, _Column()).add(event)

    def of(self, changes: Iterable[SiteChange], after: str = "", before: str = "") -> list[Attribution | None]:
        """An attribution for each change, in their order.

        Args:
            changes: what changed.
            after: only what happened later than that, ``2026-11-16`` or a moment; empty for no such bound.
            before: only what happened before that.

        Returns:
            ``None`` for what nobody did on the site, and for all where nothing is known of its log.
        """
        if not self._known:
            return [None for _ in changes]
        changes = list(changes)
        found = [self._of(change, after, before or "9999") for change in changes]
        return list(self._nameless(changes, found, after, before or "9999"))

    def of_field(self, entity_type: str, name: str) -> list[SchemaEvent]:
        """What is known to have happened to a field of this display name, the newest first."""
        columns = [column for column in self._fitting(entity_type, {clean(name)}) if column.entity_type]
        return sorted((event for column in columns for event in column.events), key=lambda e: e.at, reverse=True)

    def _of(self, change: SiteChange, after: str, before: str) -> Attribution | None:
        if change.kind in _DECISIONS:
            return None
        if change.field is None:
            return Attribution(unknown="the log tells of fields, not of entity types")
        if change.kind == "revived":
            return Attribution(unknown="the log does not tell of fields that come back")
        names = {clean(str(name)) for name in (change.display_name, *_names(change)) if name}
        if not names:
            return Attribution(unknown="fields without a display name cannot be found in the log")
        found = []
        columns = self._fitting(change.entity_type, names)
        for column in columns:
            events = [event for event in column.events if after < event.at < before]
            fitting = [event for event in events if self._fits(event, change, columns, after)]
            found += fitting[-1:]
        if not found:
            return Attribution(unknown=self._why(before))
        found.sort(key=lambda event: event.at, reverse=True)
        newest = found[0]
        others = [event for event in found[1:] if self._both_there(event, newest)]
        if others:
            return Attribution((newest, *others), "several fields have that name")
        return Attribution((newest,))

    def _fitting(self, entity_type: str, names: set[str]) -> list[_Column]:
        return [
            column for column in self._columns.values()
            if column.entity_type in (entity_type, "") and column.names & names
        ]  # fmt: skip

    def _fits(self, event: SchemaEvent, change: SiteChange, columns: Sequence[_Column], after: str) -> bool:
        if change.kind == "added":
            return event.kind == "new"
        if change.kind in _GONE:
            return event.kind == "retirement"
        if event.kind == "new" and change.kind == "data_type":  # deleted and made anew under the same code
            return bool(after) or any(column.retired and column.retired <= event.at for column in columns)
        if event.kind != "change" or event.attribute not in _ATTRIBUTES.get(change.kind, ("properties", change.kind)):
            return False
        says_value = change.kind in _ATTRIBUTES and bool(event.new)
        return not says_value or event.new == clean(str(change.new))

    def _both_there(self, older: SchemaEvent, newer: SchemaEvent) -> bool:
        """Whether the fields of two events were there at one time: none was made after the other had gone."""
        one, other = self._columns[older.column], self._columns[newer.column]
        made = next((event.at for event in other.events if event.kind == "new"), "")
        return not (one.retired and made and one.retired <= made)

    def _nameless(
        self, changes: Sequence[SiteChange], found: list[Attribution | None], after: str, before: str
    ) -> Iterator[Attribution | None]:
        """Fields that went, beside the events of those that the log does not name any more."""
        lost = [
            event for column in self._columns.values() for event in column.events
            if event.kind == "retirement" and not column.names and after < event.at < before
        ]  # fmt: skip
        gone = [at for at, change in enumerate(changes) if found[at] and change.field and change.kind in _GONE]
        open_ = [at for at in gone if (one := found[at]) and not one.events]
        lost = sorted(lost, key=lambda event: event.at, reverse=True)
        for at, attribution in enumerate(found):
            fits = [event for event in lost if event.entity_type in (changes[at].entity_type, "")]
            if at in open_ and fits:
                doubt = "the log does not name the field"
                yield Attribution(tuple(fits), doubt if len(fits) == len(open_) == 1 else f"{doubt}, and several went")
            else:
                yield attribution

    def _why(self, before: str) -> str:
        readable = [reading for reading in self._known.readings if not reading.refused]
        if not readable:
            return "the event log could not be read"
        oldest = min((reading.oldest for reading in readable if reading.oldest), default="")
        if oldest and before <= oldest:
            return f"older than the event log, which begins on {oldest[:10]}"
        return "no event fits; scripts may write none" + (f", and the log begins on {oldest[:10]}" if oldest else "")


def _names(change: SiteChange) -> tuple[object, ...]:
    return (change.old, change.new) if change.kind == "name" else ()
