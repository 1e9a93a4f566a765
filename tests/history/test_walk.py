"""Every step up, down and up again, with rows in every table and every value compared, on every engine."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa
from engines import Databases
from expected import CASES, NATIVE, TABLES
from harness import KEPT, REAL, SAMPLES, History
from oracle import Oracle
from story import REAL_RENAMED, SAMPLE_RENAMED, SAMPLE_WHOLE_NUMBERS, STAYED, expect_whole_numbers, type_in
from structure import diff_structure


def step_up(history: History, databases: Databases, source: Path) -> None:
    """Snapshot, revision, upgrade; then nothing is left to do, and that is true."""
    history.take(source)
    assert history.revise(source.stem) is not None
    history.upgrade()
    history.check()
    assert history.against_the_model(databases) == []


def there_and_back(history: History, oracle: Oracle, renamed: dict[Any, Any]) -> None:
    """The step just made is undone and made again: structure and values are as before each time."""
    after = history.structure()
    oracle.verify(renamed=renamed)
    history.downgrade()
    oracle.expected, expected = {}, oracle.expected
    oracle.verify()
    history.upgrade()
    oracle.expected = expected
    oracle.verify(renamed=renamed)
    assert diff_structure(after, history.structure()) == []
    oracle.settle(renamed=renamed)


def to_base_and_up(history: History) -> None:
    """From the head to nothing and up again; what was written since conversions is let go."""
    after = history.structure()
    history.downgrade("base", "sg_discard=true")
    assert history.structure()["tables"] == {}
    history.upgrade()
    history.check()
    assert diff_structure(after, history.structure()) == []


def as_expected(history: History) -> None:
    """The database is as the case of this step says, written by hand."""
    structure, names = history.structure(), set[str]()
    engine = ["sqlite", "postgresql", "mariadb"].index(sa.make_url(history.url).get_backend_name())
    for change in TABLES[: history.number]:
        for name in change.split():
            (names.discard if name[0] == "-" else names.add)(name.lstrip("+-"))
    assert structure["tables"].keys() == names
    for table, (comment, lines) in CASES[history.number - 1].items():
        found = structure["tables"][table]
        wanted = {}
        for line in filter(str.strip, lines.splitlines()):
            name, word, *text = line.split(maxsplit=2)
            wanted[name] = (NATIVE[word][engine], "".join(text) or None if engine else None)
        assert {name: (about["type"], about["comment"]) for name, about in found["columns"].items()} == wanted, table
        assert found["comment"] == (comment if engine else None)
        key = [name for name, about in found["columns"].items() if not about["nullable"]]
        assert sorted(found["primary_key"]) == sorted(key)


LONG = [pytest.param(engine, marks=pytest.mark.long) for engine in ("postgresql-new", "mariadb")]


@pytest.mark.parametrize("engine", ["sqlite", "postgresql", *LONG])
def test_the_samples(engine: str, databases: Databases, tmp_path: Path) -> None:
    history = History(tmp_path / "project", databases.new(engine))
    oracle = Oracle(history.url, ignore=["sg_catalog_*"])
    for source, renamed, whole in zip(SAMPLES, SAMPLE_RENAMED, SAMPLE_WHOLE_NUMBERS, strict=True):
        step_up(history, databases, source)
        as_expected(history)
        assert history.against_a_fresh_model(databases, source) <= STAYED
        for table, column in whole:
            expect_whole_numbers(oracle, table, column)
        if history.number > 1:
            there_and_back(history, oracle, renamed)
        oracle.fill()
        if history.number < len(SAMPLES):
            type_in(oracle, history.number)
    assert history.revise("nothing") is None
    assert oracle.verify() > 10_000
    to_base_and_up(history)
    kept = {path.name: path.read_text(encoding="utf-8") for path in sorted(KEPT.glob("*.py"))}
    assert history.text_of() == kept, "Has the plan changed for good? Then: python tests/history/keep_revisions.py"


@pytest.mark.skipif(not REAL, reason="the real schemas are not here")
@pytest.mark.long
@pytest.mark.parametrize("engine", ["sqlite", "postgresql", "mariadb"])
def test_a_real_site(engine: str, databases: Databases, tmp_path: Path) -> None:
    history = History(tmp_path / "project", databases.new(engine))
    oracle = Oracle(history.url, ignore=["sg_catalog_*"])
    for source, renamed in zip(REAL, REAL_RENAMED, strict=True):
        step_up(history, databases, source)
        assert history.against_a_fresh_model(databases, source) == set()
        for table, column in renamed:
            if column == "open_notes_count":
                expect_whole_numbers(oracle, table, column)
        if history.number > 1:
            oracle.verify(renamed=renamed)
            oracle.settle(renamed=renamed)
        oracle.fill(2)
    assert oracle.verify() > 10_000
    to_base_and_up(history)
