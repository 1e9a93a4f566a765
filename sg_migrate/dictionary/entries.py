"""A dictionary as values, whatever it is shown as."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property

from sg_migrate.database.usage import Use

ANY_RECORD = 20
"""A link that may lead to more entity types than that says nothing of how the site's things hang together."""


@dataclass(frozen=True, slots=True)
class FieldEntry:
    """A field of the site, or a column of sg_migrate's own.

    Attributes:
        code: its code; of a column of ours its name.
        name: its display name.
        description: what the site says of it.
        data_type: its data type on the site; empty for a column of ours.
        columns: what holds it in the entity type's table.
        link_table: the table of a list of links; empty for other fields.
        targets: the entity types that a link may lead to.
        values: of a list, its values with the labels that are shown for them.
        default: what the site enters where nobody does, as text; empty for nothing.
        editable: whether people may edit it.
        mandatory: whether the site wants a value.
        state: ``active``, or ``retired``: the site no longer has it.
        since: the day on which it was first read as retired; of an active field the day of the revision that built it.
        kept: columns and tables that keep its values from before its type changed.
        changed: what the site's log says of it, the newest first: ``by Jane Doe, 2026-11-19: made``.
        use: how it is used, where a warehouse was asked.
    """

    code: str
    name: str
    description: str
    data_type: str
    columns: tuple[str, ...] = ()
    link_table: str = ""
    targets: tuple[str, ...] = ()
    values: tuple[tuple[str, str], ...] = ()
    default: str = ""
    editable: bool = True
    mandatory: bool = False
    state: str = "active"
    since: str = ""
    kept: tuple[str, ...] = ()
    changed: tuple[str, ...] = ()
    use: Use | None = None

    @property
    def leads_anywhere(self) -> bool:
        """Whether it may lead to so many entity types that it is no sign of anything."""
        return len(self.targets) > ANY_RECORD


@dataclass(frozen=True)
class EntityEntry:
    """An entity type: its table, its fields in the order of their codes, and the links that lead here.

    ``linked_from`` has the code of a field -> the entity types that have such a field and its display name; fields that
    lead anywhere are not among them.
    """

    code: str
    name: str
    table: str
    state: str
    since: str
    fields: tuple[FieldEntry, ...]
    linked_from: Mapping[str, tuple[str, ...]]
    use: Use | None = None

    @property
    def is_connection(self) -> bool:
        """Whether it only holds the rows of a list of links, which the fields at both ends tell of."""
        return self.code.endswith("Connection")

    @cached_property
    def neighbours(self) -> tuple[Mapping[str, tuple[str, ...]], Mapping[str, tuple[str, ...]]]:
        """The entity types that lead here and those that this leads to, with the fields that do.

        Connection types are not among them: the lists that they hold are fields at either end.
        """
        before: dict[str, list[str]] = {}
        for code, owners in self.linked_from.items():
            for owner in (owner for owner in owners if not owner.endswith("Connection")):
                before.setdefault(owner, []).append(code)
        after: dict[str, list[str]] = {}
        for field in self.fields:
            if field.state == "active" and not field.leads_anywhere:
                for target in field.targets:
                    after.setdefault(target, []).append(field.code)
        return ({code: tuple(found) for code, found in before.items()},
                {code: tuple(found) for code, found in after.items()})  # fmt: skip

    @property
    def others(self) -> int:
        """How many other entity types it is linked with."""
        before, after = self.neighbours
        return len({*before, *after} - {self.code})


@dataclass(frozen=True, slots=True)
class TimelineEntry:
    """A revision, as it tells what happened on the site."""

    revision: str
    date: str
    message: str
    lines: tuple[str, ...]
    by: tuple[str, ...] = ()
    """Who made its changes on the site, as far as the log tells."""


@dataclass(frozen=True, slots=True)
class Dictionary:
    """What a warehouse means.

    Attributes:
        host: the site's host name; empty where it is not known.
        entities: the entity types, by code.
        timeline: what changed when, the newest first.
    """

    host: str
    entities: Mapping[str, EntityEntry]
    timeline: tuple[TimelineEntry, ...] = ()

    @property
    def hubs(self) -> list[EntityEntry]:
        """The entity types by how many others are linked with them, the most first."""

        active = [entry for entry in self.entities.values() if entry.state == "active" and not entry.is_connection]
        return sorted(active, key=lambda entry: (-entry.others, entry.code))
