"""Random histories: people edit, retire, revive and delete while loads run, are killed and go on; at the end the
warehouse is what the site itself says."""

from __future__ import annotations

import random
from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa
from engines import Databases
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from people import STUDIO, People, differences
from studio import Studio, environment, execute
from testsite import LocalSite

from sg_migrate.load.pool import Pool
from sg_migrate.load.run import Summary, load
from sg_migrate.load.session import Options

PAGE = 3
"""Records of a page: histories are short, and have many pages all the same."""
TYPES = ("Shot", "Asset", "Sequence", "Reply", "Project")


class Killed(BaseException):
    """The process is gone: nothing of ours runs any more."""


def a_value(chance: random.Random, people: People, kind: str) -> Any:
    plain: dict[str, list[Any]] = {
        "text": ["a", "b", "A", "a ", None], "number": [0, 1, -5, None], "date": ["2026-01-02", None],
        "currency": [1.5, 0.1, None], "checkbox": [True, False, None],
    }  # fmt: skip
    if kind in plain:
        return chance.choice(plain[kind])
    return chance.choice([None, *links_to(people, kind.split(","))])


def links_to(people: People, types: Sequence[str]) -> list[dict[str, Any]]:
    return [{"type": name, "id": one, "name": "?"} for name in types for one in people.records.values[name]]


FIELDS = {
    "Shot": {"code": "text", "sg_cut_in": "number", "sg_due": "date", "sg_cost": "currency", "sg_omit": "checkbox",
             "sg_sequence": "Sequence", "sg_assets": "[Asset]", "project": "Project"},
    "Asset": {"code": "text", "sg_parent": "Asset,Shot", "project": "Project"},
    "Sequence": {"code": "text", "project": "Project"},
    "Reply": {"content": "text", "entity": "Shot,Asset"},
    "Project": {"name": "text"},
}  # fmt: skip


def some_values(chance: random.Random, people: People, entity_type: str, least: int = 0) -> dict[str, Any]:
    found = {}
    codes = sorted(FIELDS[entity_type])
    for code in chance.sample(codes, min(chance.randint(least, 1 + least), len(codes))):
        kind = FIELDS[entity_type][code]
        if kind.startswith("["):
            links = links_to(people, ["Asset"])
            found[code] = chance.sample(links, chance.randint(0, min(3, len(links))))
        else:
            found[code] = a_value(chance, people, kind)
    return found


def a_record(chance: random.Random, people: People, *, retired: bool) -> tuple[str, int] | None:
    places = [
        (name, one) for name in TYPES for one in people.records.values[name]
        if ((name, one) in people.records.retired) == retired
    ]  # fmt: skip
    return chance.choice(places) if places else None


KINDS = ["create", "create", "edit", "edit", "script", "retire", "revive", "delete", "begin", "commit", "hole", "wait",
         "notes", "in secret", "prune log"]  # fmt: skip


def deed(seed: int, people: People) -> None:
    """One thing that people do."""
    chance = random.Random(seed)
    kind = chance.choice(KINDS)
    active, trash = (a_record(chance, people, retired=retired) for retired in (False, True))
    if kind == "create":
        entity_type = chance.choice(TYPES)
        people.create(entity_type, some_values(chance, people, entity_type))
    elif kind in ("edit", "script", "begin") and active:
        values = some_values(chance, people, active[0], 1)
        if kind == "begin":
            people.begin(*active, values)
        else:
            dated = active[0] not in ("Reply", "Project") and "sg_sequence" not in values
            people.edit(*active, values, logged=kind == "edit" or not dated)
    elif kind == "retire" and active:
        people.retire(*active)
    elif kind == "in secret" and active:
        people.retire(*active, logged=False)
    elif kind == "revive" and trash:
        people.revive(*trash)
    elif kind == "delete" and trash:
        people.delete(*trash)
    elif kind == "notes" and active and active[0] == "Shot":
        people.count_notes(active[1], chance.randint(0, 3))
    elif kind == "commit":
        people.commit()
    elif kind == "hole":
        people.hole()
    elif kind == "wait":
        people.wait(chance.choice([1, 20]))
    elif kind == "prune log":
        people.prune_log()


SEEDS = st.integers(0, 2**32)


def run_load(studio: Studio, options: Options | None = None, killed_after: int | None = None) -> Summary | None:
    """A load; killed after so many pages where that is asked for."""
    pages = 0

    def watch(*_: object) -> None:
        nonlocal pages
        pages += 1
        if killed_after is not None and pages > killed_after:
            raise Killed

    with Pool(jobs=1, wait=0.01) as pool, suppress(Killed):
        return load(studio.project(), pool, (), options, watch=watch)
    return None


class Histories:
    """One project and one database for many histories: each begins with nothing in either."""

    def __init__(self, folder: Path, url: str) -> None:
        self.studio = Studio(folder, url)
        self.studio.take(STUDIO)
        self.studio.revise()
        self.studio.upgrade()
        engine = sa.create_engine(url, poolclass=sa.NullPool)
        self.tables = [
            name for name in sa.inspect(engine).get_table_names()
            if not name.startswith(("alembic", "sg_catalog"))
        ]  # fmt: skip
        engine.dispose()

    def begin(self) -> None:
        quote = "`" if self.studio.url.startswith("m") else '"'
        engine = sa.create_engine(self.studio.url, poolclass=sa.NullPool)
        names = {*self.tables, *(n for n in sa.inspect(engine).get_table_names() if n.startswith("sg_load"))}
        engine.dispose()
        execute(self.studio.url, *(f"DELETE FROM {quote}{name}{quote}" for name in sorted(names)))

    def run(self, data: st.DataObject) -> None:
        self.begin()
        with LocalSite(STUDIO) as site, environment(**site.environment):
            site.page_size = PAGE
            people = People(site)
            for seed in data.draw(st.lists(SEEDS, max_size=12)):
                deed(seed, people)
            for _ in range(data.draw(st.integers(1, 4))):
                self.one_load(data, people)
                for seed in data.draw(st.lists(SEEDS, max_size=5)):
                    deed(seed, people)
            while people.slow:
                people.commit()
            run_load(self.studio, Options(sweep=people.needs_sweep))
            assert differences(site, STUDIO, self.studio.url) == []
            again = run_load(self.studio, Options(sweep=True))
            assert again is not None
            changed = {outcome.entity_type for outcome in again.outcomes if outcome.changed}
            assert changed <= ({"EventLogEntry"} if people.pruned else set())

    def one_load(self, data: st.DataObject, people: People) -> None:
        """A load, with people at work between its pages, killed or not."""
        deeds = dict(data.draw(st.lists(st.tuples(st.integers(1, 15), SEEDS), max_size=4)))
        count = 0

        def before_read(_: object) -> None:
            nonlocal count
            with people.site.lock:
                count += 1
                if count in deeds:
                    deed(deeds.pop(count), people)

        people.site.before_read = before_read
        killed_after = data.draw(st.sampled_from([None, None, 0, 2, 5]))
        options = Options(sweep=data.draw(st.booleans()), full=data.draw(st.sampled_from([False, False, True])))
        try:
            run_load(self.studio, options, killed_after)
        finally:
            people.site.before_read = lambda _: None


COMMON = {"deadline": None, "suppress_health_check": list(HealthCheck)}


def search(histories: Histories, examples: int) -> None:
    @settings(max_examples=examples, **COMMON)  # type: ignore[arg-type]
    @given(st.data())
    def history(data: st.DataObject) -> None:
        histories.run(data)

    history()


@pytest.mark.hypothesis
def test_a_history_on_sqlite(tmp_path: Path, databases: Databases) -> None:
    search(Histories(tmp_path / "p", databases.new("sqlite")), 12)


@pytest.mark.long
@pytest.mark.parametrize("engine", ["sqlite", "postgresql", "mariadb"])
def test_many_histories(engine: str, tmp_path: Path, databases: Databases) -> None:
    search(Histories(tmp_path / "p", databases.new(engine)), 150)
