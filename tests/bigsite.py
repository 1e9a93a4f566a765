"""A large site in a process of its own: its records are a function of their ids, and its answers are kept.

with BigSite(big_schema(types=3), records=100_000) as site:
    with environment(**site.environment): ...
    site.change(share=0.01)
"""

from __future__ import annotations

import json
import multiprocessing
import time
from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta, timezone
from functools import partial
from types import TracebackType
from typing import Any

from sites import field as site_field
from sites import site
from testsite import Handler, LocalSite

from sg_migrate.demo.records import Records
from sg_migrate.site.schema import SiteSchema

NOW = "2026-11-20T12:00:00Z"
WORDS = ("plate", "comp", "anim", "layout", "final", "roto", "matte", "FX", "été", "納品")
STOCK = {
    "code": "text", "description": "text", "sg_status_list": "status_list", "project": "entity:Project",
    "created_at": "date_time", "updated_at": "date_time", "created_by": "entity:HumanUser",
}  # fmt: skip
SCALARS = ("text", "list", "number", "float", "date", "checkbox", "percent", "currency", "text", "duration", "image")


def big_schema(types: int = 3, fields: int = 20) -> SiteSchema:
    """So many entity types beside the stock ones, each with the stock fields and so many of its own."""
    own = {f"sg_field_{number}": f"{SCALARS[number % len(SCALARS)]} Field {number}" for number in range(fields)}
    links = {"sg_assets": "multi_entity:CustomEntity01", "sg_lead": "entity:HumanUser"}
    names = [f"CustomEntity{number:02}" for number in range(1, types + 1)]
    return site(
        {name: {**STOCK, **own, **links} for name in names},
        Project={"name": "text", "updated_at": "date_time"},
        HumanUser={"name": "text", "updated_at": "date_time"},
        EventLogEntry={
            "event_type": "text", "entity": site_field("EventLogEntry.entity", "entity"), "meta": "serializable",
            "created_at": "date_time",
        },
    )  # fmt: skip


@dataclass
class Generated:
    """The records of one entity type, made from their ids when they are asked for."""

    entity_type: str
    types: dict[str, str]
    count: int
    filled: int = 100
    """Of how many records in a hundred ``sg_late`` has a value."""
    edited: dict[int, dict[str, Any]] = field(default_factory=dict)

    def __contains__(self, record_id: object) -> bool:
        return isinstance(record_id, int) and 0 < record_id <= self.count

    def __iter__(self) -> Iterator[int]:
        return iter(range(1, self.count + 1))

    def __getitem__(self, record_id: int) -> dict[str, Any]:
        values = {code: self._value(code, kind, record_id) for code, kind in self.types.items()}
        return {**values, "id": record_id, **self.edited.get(record_id, {})}

    def _value(self, code: str, kind: str, n: int) -> Any:
        word = WORDS[(n * 7 + len(code)) % len(WORDS)]
        if code == "sg_late":
            return f"late {n}" if n % 100 < self.filled else None
        if code == "updated_at" or code == "created_at":
            return (datetime(2025, 1, 1, tzinfo=timezone.utc) + timedelta(seconds=n)).strftime("%Y-%m-%dT%H:%M:%SZ")
        if code == "project":
            return {"type": "Project", "id": n % 20 + 1, "name": "A project"}
        if kind == "entity":
            return {"type": "HumanUser", "id": n % 50 + 1, "name": "A person"}
        if kind == "multi_entity":
            return [{"type": "CustomEntity01", "id": (n + step) % 1000 + 1, "name": word} for step in range(n % 4)]
        if n % 3 == 0 and code not in ("code", "name"):
            return None
        return {
            "number": n % 100_000, "float": n / 7, "date": f"2026-{n % 12 + 1:02}-{n % 28 + 1:02}",
            "checkbox": n % 2 == 0, "percent": n % 101, "currency": n % 1000 + 0.5, "duration": n % 4800,
            "image": f"https://cdn.example.com/{n}/thumb.jpg?signature={n}",
        }.get(kind, f"{word} {n} {code}")  # fmt: skip


class _KeptAnswers(Handler):
    """Answers a call that was made before as it did then, at once."""

    def reply(self, method: str, params: list[Any]) -> None:
        site: Any = self.site
        site.requests[method] += 1
        key = json.dumps([method, params])
        body = site.kept.get(key)
        if body is None:
            body = json.dumps(site.answer(method, params)).encode()
            if site.keeps:
                site.kept[key] = body
        if site.latency:
            time.sleep(site.latency)
        self.send(200, body, "application/json")


class _Site(LocalSite):
    keeps_alive = True

    def __init__(self, schema: SiteSchema, records: int, share_retired: float, *, keeps: bool) -> None:
        super().__init__(schema)
        self.own = schema
        self.kept: dict[str, bytes] = {}
        self.keeps = keeps
        self.records = Records()
        own = [code for code in schema.entity_types if code.startswith("Custom")]
        for code, entity_type in schema.entity_types.items():
            count = {"Project": 20, "HumanUser": 50, "EventLogEntry": 0}.get(code, records // max(len(own), 1))
            self.fill(code, {name: one.data_type for name, one in entity_type.fields.items()}, count, share_retired)
        self.event = 1
        self.log("first", None, {})

    def fill(self, code: str, types: dict[str, str], count: int, share_retired: float) -> None:
        every = round(1 / share_retired) if share_retired and code.startswith("Custom") else 0
        retired = set(range(every, count + 1, every)) if every else set()
        generated: Any = Generated(code, {name: kind for name, kind in types.items() if name != "id"}, count)
        self.records.values[code] = generated if code != "EventLogEntry" else {}
        self.records.ids[code, False] = [n for n in range(1, count + 1) if n not in retired]
        self.records.ids[code, True] = sorted(retired)
        self.records.retired |= {(code, n) for n in retired}

    def log(self, verb: str, entity: dict[str, Any] | None, meta: dict[str, Any]) -> None:
        values = {"event_type": f"Shotgun_X_{verb}", "entity": entity, "meta": meta, "created_at": NOW}
        self.records.put("EventLogEntry", self.event, values)
        self.event += 1

    def handler(self) -> type[Handler]:
        return type("Bound", (_KeptAnswers,), {"site": self, "protocol_version": "HTTP/1.1"})

    def change(self, share: float) -> int:
        """Edit so many of the records: another text, a new date, an event."""
        self.kept.clear()
        changed = 0
        for code, generated in self.records.values.items():
            if isinstance(generated, Generated) and code.startswith("Custom"):
                for n in range(1, generated.count + 1, round(1 / share)):
                    if (code, n) in self.records.retired:
                        continue
                    generated.edited[n] = {"description": f"edited {n}", "updated_at": NOW}
                    self.log("Change", {"type": code, "id": n}, {"entity_type": code, "entity_id": n})
                    changed += 1
        return changed

    def set_latency(self, seconds: float) -> None:
        self.latency = seconds

    def with_late_field(self, filled: int) -> SiteSchema:
        """A new field, ``sg_late``, of which so many in a hundred records have a value; gives the schema with it."""
        self.kept.clear()
        types = dict(self.own.entity_types)
        for code, generated in self.records.values.items():
            if isinstance(generated, Generated) and code.startswith("Custom"):
                late = site_field(f"{code}.sg_late", "text Late")
                types[code] = replace(types[code], fields={**types[code].fields, "sg_late": late})
                generated.types["sg_late"] = "text"
                generated.filled = filled
        late_schema = SiteSchema(types, self.own.host)
        self.schema = late_schema
        return late_schema

    def without_late_field(self) -> None:
        self.schema = self.own


def _serve(
    pipe: Any, schema: SiteSchema, records: int, share_retired: float, latency: float, keeps: bool
) -> None:  # in a process of its own
    with _Site(schema, records, share_retired, keeps=keeps) as running:
        running.latency = latency
        pipe.send(running.url)
        while True:
            name, arguments = pipe.recv()
            if name == "stop":
                return
            if name == "requests":
                pipe.send(dict(running.requests))
                running.requests.clear()
            else:
                pipe.send(getattr(running, name)(*arguments))


class BigSite:
    """A context manager; the site's process ends with it."""

    def __init__(
        self, schema: SiteSchema, records: int, *, retired: float = 0.05, latency: float = 0.0, keeps: bool = True
    ) -> None:
        context = multiprocessing.get_context("spawn")
        self._pipe, other = context.Pipe()
        serve = partial(_serve, other, schema, records, retired, latency, keeps)
        self._process = context.Process(target=serve, daemon=True)
        self.url = ""

    key = LocalSite.api_key

    def __enter__(self) -> BigSite:
        self._process.start()
        self.url = self._pipe.recv()
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        self._pipe.send(("stop", ()))
        self._process.join(10)

    @property
    def environment(self) -> dict[str, str]:
        return {"SG_URL": self.url, "SG_SCRIPT": LocalSite.script, "SG_API_KEY": LocalSite.api_key}

    def ask(self, name: str, *arguments: Any) -> Any:
        """Have the site do something: ``change``, ``with_late_field``, ``set_latency``; or give its ``requests``."""
        self._pipe.send((name, arguments))
        return self._pipe.recv()
