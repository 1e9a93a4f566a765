"""People at work on a local site, as ShotGrid lets them: dates, events, links into the trash, slow transactions.

The warehouse is compared with what the site itself says afterwards, by `differences`, which shares nothing with the
load but the names of tables and columns.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta, timezone
from decimal import Decimal
from typing import Any

import sqlalchemy as sa
from sites import site
from testsite import LocalSite

from sg_migrate.site.schema import SiteSchema

LOG = {"event_type": "text", "entity": "entity", "meta": "serializable", "created_at": "date_time"}
DATED = {"updated_at": "date_time", "project": "entity:Project"}
STUDIO = site(
    Project={"name": "text"},
    Sequence={"code": "text", "shots": "multi_entity:Shot", **DATED},
    Shot={
        "code": "text", "sg_cut_in": "number", "sg_due": "date", "sg_cost": "currency", "sg_omit": "checkbox",
        "sg_sequence": "entity:Sequence", "sg_assets": "multi_entity:Asset", "open_notes_count": "summary", **DATED,
    },
    Asset={"code": "text", "sg_parent": "entity:Asset,Shot", **DATED},
    Reply={"content": "text", "entity": "entity:Shot,Asset"},
    EventLogEntry=LOG,
)  # fmt: skip
"""Reply has no date of change; Sequence.shots and Shot.sg_sequence are the two ends of one link."""

CALENDAR = datetime(2026, 11, 2, 9, 0, tzinfo=timezone.utc)


@dataclass
class Slow:
    """A transaction that is not over: its event has its id and its moment already."""

    event: int
    begun: int
    moment: str
    entity_type: str
    record_id: int
    values: dict[str, Any]


@dataclass
class People:
    """Whoever edits the site. Every deed takes twenty seconds."""

    site: LocalSite
    seconds: int = 0
    events: int = 0
    ids: dict[str, int] = field(default_factory=dict)
    slow: list[Slow] = field(default_factory=list)
    pruned: bool = False
    needs_sweep: bool = False
    """Whether something was done of which no event and no date tells."""

    @property
    def now(self) -> str:
        return (CALENDAR + timedelta(seconds=self.seconds)).strftime("%Y-%m-%dT%H:%M:%SZ")

    @property
    def records(self) -> Any:
        return self.site.records

    def _has(self, entity_type: str, code: str) -> bool:
        return code in self.site.schema[0][entity_type]

    def log(self, verb: str, entity_type: str, record_id: int, event: int = 0, moment: str = "", **meta: Any) -> None:
        """Write an event, where the site has a log."""
        if not event:
            self.events += 1
        values = {
            "event_type": f"Shotgun_{entity_type}_{verb}",
            "entity": None if verb == "Retirement" else {"type": entity_type, "id": record_id, "name": "?"},
            "meta": {"entity_type": entity_type, "entity_id": record_id, **meta},
            "created_at": moment or self.now,
        }
        self.records.put("EventLogEntry", event or self.events, values)

    def hole(self) -> None:
        """A transaction that is rolled back takes an id with it."""
        self.events += 1

    def wait(self, minutes: int) -> None:
        """Nobody does anything; no transaction takes longer than four minutes."""
        while self.slow:
            self.commit()
        self.seconds += 60 * minutes

    def _tick(self) -> None:
        self.seconds += 20
        while self.slow and self.seconds - self.slow[0].begun > 200:
            self.commit()

    # --- deeds

    def create(self, entity_type: str, values: Mapping[str, Any]) -> int:
        with self.site.lock:
            self._tick()
            record_id = self.ids[entity_type] = self.ids.get(entity_type, 0) + 1 + self.seconds % 3
            dated = {"updated_at": self.now} if self._has(entity_type, "updated_at") else {}
            self.records.put(entity_type, record_id, {**values, **dated})
            self.log("New", entity_type, record_id)
            self._other_ends(entity_type, record_id, {}, values)
            return record_id

    def edit(self, entity_type: str, record_id: int, values: Mapping[str, Any], *, logged: bool = True) -> None:
        """Change some fields. A script that logs nothing still moves the date."""
        with self.site.lock:
            self._tick()
            self._apply(entity_type, record_id, dict(values), self.now)
            for code in values:
                if logged:
                    self.log("Change", entity_type, record_id, attribute_name=code)
            if not logged and not self._has(entity_type, "updated_at"):
                raise AssertionError("nobody could know of this")

    def _apply(self, entity_type: str, record_id: int, values: dict[str, Any], moment: str) -> None:
        record = self.records.values[entity_type][record_id]
        before = dict(record)
        dated = {"updated_at": moment} if self._has(entity_type, "updated_at") else {}
        record.update({**values, **dated})
        self._other_ends(entity_type, record_id, before, values)

    def _other_ends(
        self, entity_type: str, record_id: int, before: Mapping[str, Any], values: Mapping[str, Any]
    ) -> None:
        """Sequence.shots follows Shot.sg_sequence; its date does not move, and the event names the other side."""
        if entity_type != "Shot" or "sg_sequence" not in values:
            return
        for link, adds in ((before.get("sg_sequence"), False), (values["sg_sequence"], True)):
            if link is None or link["id"] not in self.records.values["Sequence"]:
                continue
            sequence = self.records.values["Sequence"][link["id"]]
            shots = [shot for shot in sequence.get("shots") or [] if shot["id"] != record_id]
            sequence["shots"] = [*shots, {"type": "Shot", "id": record_id, "name": "?"}] if adds else shots
            self.log("Change", "Sequence", link["id"], attribute_name="shots")

    def begin(self, entity_type: str, record_id: int, values: Mapping[str, Any]) -> None:
        """A transaction that takes long: its event's id and its date are of now, and nobody sees it yet."""
        self._tick()
        self.events += 1
        self.slow.append(Slow(self.events, self.seconds, self.now, entity_type, record_id, dict(values)))

    def commit(self) -> None:
        """The oldest of the slow transactions is over."""
        with self.site.lock:
            if not self.slow:
                return
            one = self.slow.pop(0)
            if one.record_id not in self.records.values[one.entity_type]:
                return
            if (one.entity_type, one.record_id) in self.records.retired:
                return
            self._apply(one.entity_type, one.record_id, one.values, one.moment)
            self.log("Change", one.entity_type, one.record_id, one.event, one.moment)

    def retire(self, entity_type: str, record_id: int, *, logged: bool = True) -> None:
        with self.site.lock:
            self._tick()
            self.records.retire(entity_type, record_id)
            if logged:
                self.log("Retirement", entity_type, record_id)
            self.needs_sweep |= not logged

    def revive(self, entity_type: str, record_id: int) -> None:
        with self.site.lock:
            self._tick()
            self.records.revive(entity_type, record_id)
            self.log("Revival", entity_type, record_id)

    def delete(self, entity_type: str, record_id: int) -> None:
        """Out of the trash, for ever; nothing is logged."""
        with self.site.lock:
            self.records.delete(entity_type, record_id)

    def count_notes(self, record_id: int, number: int) -> None:
        """What the site works out by itself: neither a date nor an event."""
        with self.site.lock:
            self.records.values["Shot"][record_id]["open_notes_count"] = number
            self.needs_sweep = True

    def prune_log(self) -> None:
        """The site keeps events for months only; no transaction takes that long."""
        while self.slow:
            self.commit()
        with self.site.lock:
            self.pruned = True
            for event in list(self.records.ids["EventLogEntry", False])[:-1]:
                self.records.delete("EventLogEntry", event)


# --- the two sides


def expected(value: Any, data_type: str) -> Any:
    """A value of the site as its column should have it; plain ones alone."""
    if data_type == "entity":
        return (value["id"], value["type"]) if value else (None, None)
    if value is None:
        return (None,)
    if data_type == "date":
        return (date.fromisoformat(value),)
    if data_type == "date_time":
        return (datetime.strptime(value, "%Y-%m-%dT%H:%M:%SZ"),)
    if data_type == "currency":
        return (Decimal(str(value)),)
    return (value,)


def differences(site: LocalSite, schema: SiteSchema, url: str, skip: tuple[str, ...] = ("EventLogEntry",)) -> list[str]:
    """Where the warehouse is not what the site says, one line each."""
    found: list[str] = []
    engine = sa.create_engine(url, poolclass=sa.NullPool)
    with engine.connect() as connection:
        metadata = sa.MetaData()
        metadata.reflect(connection)
        for entity_type in schema.entity_types.values():
            if entity_type.code not in skip:
                found += _differences(site, entity_type, metadata, connection)
    engine.dispose()
    return found


def _differences(site: LocalSite, entity_type: Any, metadata: sa.MetaData, connection: sa.Connection) -> list[str]:
    name = entity_type.code
    table = metadata.tables[name.lower()]
    types = {code: one.data_type for code, one in entity_type.fields.items() if code != "id"}
    rows = {row["id"]: row for row in connection.execute(sa.select(table)).mappings()}
    found = []
    for record_id in site.records.values[name]:
        seen = site.records.seen(name, record_id, {**types, "id": "number"}, list(types))
        row = rows.pop(record_id, None)
        if row is None:
            found.append(f"{name} {record_id} is missing")
            continue
        if (row["retired_at"] is not None) != ((name, record_id) in site.records.retired):
            found.append(f"{name} {record_id}: retired_at is {row['retired_at']}")
        for code, data_type in types.items():
            if data_type == "multi_entity":
                links = metadata.tables[f"{name.lower()}__{code}"]
                query = sa.select(links.c.linked_type, links.c.linked_id).where(links.c.owner_id == record_id)
                ours: Any = set(map(tuple, connection.execute(query)))
                theirs: Any = {(link["type"], link["id"]) for link in seen[code]}
            elif data_type == "summary" and code != "open_notes_count":
                continue
            else:
                columns = [f"{code}_id", f"{code}_type"] if data_type == "entity" else [code]
                ours, theirs = tuple(_plain(row[column]) for column in columns), expected(seen[code], data_type)
            if ours != theirs:
                found.append(f"{name} {record_id}.{code}: {ours} here, {theirs} on the site")
    found += [f"{name} {record_id} is active here alone" for record_id, row in rows.items() if not row["retired_at"]]
    return found


def _plain(value: Any) -> Any:
    if isinstance(value, datetime):
        return value.astimezone(timezone.utc).replace(tzinfo=None) if value.tzinfo else value
    return value
