"""Random histories in which the schema changes too: a field is added, retyped, trashed and revived while loads run, and
revisions follow; at the end the warehouse is what the site itself says."""

from __future__ import annotations

import random
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from engines import Databases
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from loads import Loads
from people import STUDIO, differences
from sites import field
from studio import Studio, environment
from testsite import LocalSite

from sg_migrate.load.pool import Pool
from sg_migrate.load.run import load
from sg_migrate.load.session import Options
from sg_migrate.site.schema import SiteSchema

SEEDS = st.integers(0, 2**32)
VALUES: dict[str, list[Any]] = {"text": ["12", "x", None], "number": [12, 0, None], "list": ["12", "y", None]}


class Killed(BaseException):
    """The process is gone."""


def with_note(data_type: str | None) -> SiteSchema:
    """The site with the field Shot.sg_note of a data type, or without it."""
    shot = STUDIO.entity_types["Shot"]
    fields = dict(shot.fields)
    if data_type:
        fields["sg_note"] = field("Shot.sg_note", f"{data_type} Note")
    types = {**STUDIO.entity_types, "Shot": replace(shot, fields=dict(sorted(fields.items())))}
    return SiteSchema(types, STUDIO.host)


class Producers:
    """Who changes the schema: Shot.sg_note comes, goes, and gets other types; the site converts what it can."""

    def __init__(self, studio: Loads) -> None:
        self.studio = studio
        self.data_type: str | None = None
        self.last = "text"

    @property
    def schema(self) -> SiteSchema:
        return with_note(self.data_type)

    def change(self, chance: random.Random) -> None:
        records = self.studio.records.values["Shot"].values()
        wanted = chance.choice([None, self.last, *VALUES])
        for record in records:
            value = record.get("sg_note")
            if wanted == "number":
                record["sg_note"] = int(value) if isinstance(value, str) and value.isdigit() else None
            elif wanted and value is not None:
                record["sg_note"] = str(value)
        self.last, self.data_type = self.data_type or self.last, wanted
        self.studio.site.schema = self.schema

    def edit(self, chance: random.Random) -> None:
        shots = self.studio.records.ids["Shot", False]
        if shots and self.data_type:
            value = chance.choice(VALUES[self.data_type])
            self.studio.people.edit("Shot", chance.choice(shots), {"sg_note": value})

    def deed(self, seed: int) -> None:
        chance = random.Random(seed)
        kind = chance.choice(["change", "edit", "edit", "create", "retire", "revive"])
        shots, trash = (list(self.studio.records.ids["Shot", retired]) for retired in (False, True))
        with self.studio.site.lock:
            if kind == "change":
                self.change(chance)
            elif kind == "edit":
                self.edit(chance)
            elif kind == "create":
                values = {"sg_note": chance.choice(VALUES[self.data_type])} if self.data_type else {}
                self.studio.people.create("Shot", values)
            elif kind == "retire" and shots:
                self.studio.people.retire("Shot", chance.choice(shots))
            elif kind == "revive" and trash:
                self.studio.people.revive("Shot", chance.choice(trash))


@contextmanager
def a_studio(base: Studio, folder: Path, url: str) -> Iterator[Loads]:
    studio = base.copy(folder, url)
    studio.upgrade()
    with LocalSite(STUDIO) as site, environment(**site.environment):
        site.page_size = 3
        yield Loads(site, studio)


def a_load(studio: Loads, producers: Producers, data: st.DataObject) -> None:
    deeds = dict(data.draw(st.lists(st.tuples(st.integers(1, 12), SEEDS), max_size=3)))
    killed_after = data.draw(st.sampled_from([None, None, 1, 4]))
    pages = [0, 0]

    def before_read(_: object) -> None:
        pages[0] += 1
        if pages[0] in deeds:
            producers.deed(deeds.pop(pages[0]))

    def watch(*_: object) -> None:
        pages[1] += 1
        if killed_after is not None and pages[1] > killed_after:
            raise Killed

    studio.site.before_read = before_read
    with Pool(jobs=1, wait=0.01) as pool, suppress(Killed):
        load(studio.studio.project(), pool, ("Shot",), Options(), watch=watch)
    studio.site.before_read = lambda _: None


def history(base: Studio, folder: Path, url: str, data: st.DataObject) -> None:
    with a_studio(base, folder, url) as studio:
        producers = Producers(studio)
        for _ in range(4):
            studio.people.create("Shot", {"code": "a"})
        for _ in range(data.draw(st.integers(1, 3))):
            for seed in data.draw(st.lists(SEEDS, max_size=4)):
                producers.deed(seed)
            if data.draw(st.booleans()):
                studio.follow(producers.schema)
            a_load(studio, producers, data)
        studio.follow(producers.schema)
        studio.people.wait(20)
        studio.load("Shot", jobs=1)
        others = tuple(code for code in STUDIO.entity_types if code != "Shot")
        assert differences(studio.site, producers.schema, url, others) == []
        assert studio.changed(studio.load("Shot", sweep=True)) == {}


def search(engine: str, tmp_path: Path, databases: Databases, examples: int) -> None:
    base = Studio(tmp_path / "base", "sqlite:///never.db")
    base.take(STUDIO)
    base.revise(url=databases.new("sqlite"))
    count = 0

    @settings(max_examples=examples, deadline=None, suppress_health_check=list(HealthCheck), print_blob=True)
    @given(st.data())
    def one(data: st.DataObject) -> None:
        nonlocal count
        count += 1
        history(base, tmp_path / f"p{count}", databases.new(engine), data)

    one()


@pytest.mark.hypothesis
def test_a_schema_history(tmp_path: Path, databases: Databases) -> None:
    search("sqlite", tmp_path, databases, 4)


@pytest.mark.long
@pytest.mark.parametrize("engine", ["sqlite", "postgresql", "mariadb"])
def test_many_schema_histories(engine: str, tmp_path: Path, databases: Databases) -> None:
    search(engine, tmp_path, databases, 30)
