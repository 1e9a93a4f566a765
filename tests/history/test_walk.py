"""Every step up, down and up again, with rows in every table and every value compared, on every engine."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from engines import Databases
from harness import REAL, SAMPLES, History
from oracle import Oracle
from story import REAL_RENAMED, SAMPLE_RENAMED, SAMPLE_WHOLE_NUMBERS, expect_whole_numbers
from structure import diff_structure


def step_up(history: History, databases: Databases, source: Path) -> None:
    """Snapshot, revision, upgrade; then nothing is left to do, and that is true."""
    history.take(source)
    assert history.revise(source.stem) is not None
    history.upgrade()
    history.check()
    assert history.revise("nothing") is None
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


ENGINES = ["sqlite", "postgresql", "mariadb", pytest.param("postgresql-new", marks=pytest.mark.long)]


@pytest.mark.parametrize("engine", ENGINES)
def test_the_samples(engine: str, databases: Databases, tmp_path: Path) -> None:
    history = History(tmp_path / "project", databases.new(engine))
    oracle = Oracle(history.url, ignore=["sg_catalog_*"])
    for source, renamed, whole in zip(SAMPLES, SAMPLE_RENAMED, SAMPLE_WHOLE_NUMBERS, strict=True):
        step_up(history, databases, source)
        for table, column in whole:
            expect_whole_numbers(oracle, table, column)
        if history.number > 1:
            there_and_back(history, oracle, renamed)
        oracle.fill()
    assert oracle.verify() > 10_000
    to_base_and_up(history)


@pytest.mark.skipif(not REAL, reason="the real schemas are not here")
@pytest.mark.parametrize("engine", ["sqlite", "postgresql", pytest.param("mariadb", marks=pytest.mark.long)])
def test_a_real_site(engine: str, databases: Databases, tmp_path: Path) -> None:
    history = History(tmp_path / "project", databases.new(engine))
    oracle = Oracle(history.url, ignore=["sg_catalog_*"])
    for source, renamed in zip(REAL, REAL_RENAMED, strict=True):
        step_up(history, databases, source)
        for table, column in renamed:
            if column == "open_notes_count":
                expect_whole_numbers(oracle, table, column)
        if history.number > 1:
            oracle.verify(renamed=renamed)
            oracle.settle(renamed=renamed)
        oracle.fill(2)
    assert oracle.verify() > 10_000
    to_base_and_up(history)
