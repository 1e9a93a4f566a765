"""Producers at work on a local site's fields, in a browser: the schema changes, and the log tells of it as ShotGrid's.

producers = Producers(site)
producers.add("Jane Doe", "Shot", "sg_cut_in", "text Cut In")
producers.rename("Bob", "Shot", "sg_cut_in", "First Frame")
"""

from __future__ import annotations

from copy import deepcopy
from dataclasses import dataclass, field
from datetime import datetime, timedelta, timezone
from typing import Any

from sites import field as field_of
from sites import site as site_schema
from testsite import LocalSite, raw_schema

LOG = {
    "event_type": "text", "created_at": "date_time", "user": "entity:HumanUser,ApiUser", "entity": "entity",
    "meta": "serializable", "description": "text",
}  # fmt: skip
BEGINNING = datetime(2026, 11, 1, 9, 0, tzinfo=timezone.utc)


@dataclass
class Producers:
    """Whoever edits the site's fields. An hour passes with each deed; ``days`` pass at will."""

    site: LocalSite
    now: datetime = BEGINNING
    events: int = 100
    columns: dict[tuple[str, str], int] = field(default_factory=dict)
    """By entity type and code: the number under which the site knows a field."""
    made: int = 4000

    def wait(self, days: int) -> None:
        self.now += timedelta(days=days)

    def log(self, by: str, verb: str, column: int, *, event: int = 0, **meta: Any) -> int:
        """Write an event; one who writes ``script:x`` is a script."""
        self.now += timedelta(hours=1)
        if not event:
            self.events += 1
        event_id = event or self.events
        kind = {"New": "new_entity", "Change": "attribute_change", "Retirement": "entity_retirement"}[verb]
        user = ("ApiUser", by.removeprefix("script:")) if by.startswith("script:") else ("HumanUser", by)
        about = self.site.records.values["DisplayColumn"].get(column, {})
        values = {
            "event_type": f"Shotgun_DisplayColumn_{verb}",
            "created_at": self.now.strftime("%Y-%m-%dT%H:%M:%SZ"),
            "user": {"type": user[0], "id": len(by), "name": user[1]},
            "entity": {"type": "DisplayColumn", "id": column, "name": about.get("name")},
            "meta": {"type": kind, "entity_type": "DisplayColumn", "entity_id": column, **meta},
        }
        self.site.records.put("EventLogEntry", event_id, values)
        return event_id

    def hold(self) -> int:
        """A transaction that takes long: its event has its id already, and comes later."""
        self.events += 1
        return self.events

    def add(self, by: str, entity_type: str, code: str, text: str, *, event: int = 0, **attributes: Any) -> int:
        """A new field, as `sites.field` reads it. Returns its column's number."""
        made = field_of(f"{entity_type}.{code}", text, **attributes)
        self.made += 1
        self.columns[entity_type, code] = self.made
        self.site.records.put("DisplayColumn", self.made, {"entity_type": entity_type, "name": made.name})
        self._change(entity_type, code, raw_schema(site_schema({entity_type: {code: made}}))[0][entity_type][code])
        self.log(by, "New", self.made, event=event)
        return self.made

    def rename(self, by: str, entity_type: str, code: str, name: str) -> None:
        column = self.columns[entity_type, code]
        raw = self._raw(entity_type, code)
        old, raw["name"]["value"] = raw["name"]["value"], name
        self._change(entity_type, code, raw)
        self.site.records.values["DisplayColumn"][column]["name"] = name
        self._entity_names(column, name)
        self.log(by, "Change", column, attribute_name="human_name", old_value=old, new_value=name)

    def retype(self, by: str, entity_type: str, code: str, data_type: str) -> None:
        raw = self._raw(entity_type, code)
        old, raw["data_type"]["value"] = raw["data_type"]["value"], data_type
        self._change(entity_type, code, raw)
        values = {"old_value": old, "new_value": data_type}
        self.log(by, "Change", self.columns[entity_type, code], attribute_name="data_type", **values)

    def choose(self, by: str, entity_type: str, code: str, *values: str) -> None:
        """Other values for a list."""
        raw = self._raw(entity_type, code)
        old = deepcopy(raw["properties"])
        raw["properties"]["valid_values"]["value"] = list(values)
        self._change(entity_type, code, raw)
        told = {"old_value": old, "new_value": raw["properties"]}
        self.log(by, "Change", self.columns[entity_type, code], attribute_name="properties", **told)

    def delete(self, by: str, entity_type: str, code: str, *, logged: bool = True) -> None:
        """Into the trash: from now on the log does not name the field any more, in old events either."""
        self._change(entity_type, code, None)
        column = self.columns.pop((entity_type, code))
        if logged:
            self.log(by, "Retirement", column)
        self.site.records.retire("DisplayColumn", column)

    def forget(self, before: datetime) -> None:
        """The site keeps events for months only."""
        events, first = self.site.records.values["EventLogEntry"], before.strftime("%Y-%m-%dT%H:%M:%SZ")
        for event_id in [one for one, event in events.items() if event["created_at"] < first]:
            self.site.records.delete("EventLogEntry", event_id)

    def _entity_names(self, column: int, name: str) -> None:
        """A link is called what its target is called when it is read."""
        for event in self.site.records.values["EventLogEntry"].values():
            if event["entity"] and event["entity"]["id"] == column:
                event["entity"]["name"] = name

    def _raw(self, entity_type: str, code: str) -> Any:
        return deepcopy(self.site.schema[0][entity_type][code])

    def _change(self, entity_type: str, code: str, raw: Any) -> None:
        fields, entities = deepcopy(self.site.schema)
        if raw is None:
            del fields[entity_type][code]
        else:
            fields[entity_type][code] = raw
        self.site.schema = {"schema_read": fields, "schema_entity_read": entities}
