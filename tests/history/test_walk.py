"""Every step up, down and up again, with rows in every table and every value compared, on every engine."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa
from engines import Databases
from expected import CASES, NATIVE, TABLES
from golden import assert_golden
from kept import REVISIONS
from oracle import Oracle
from sites import REAL, SAMPLES
from story import (
    REAL_RENAMED,
    SAMPLE_RENAMED,
    SAMPLE_WHOLE_NUMBERS,
    STAYED,
    expect_whole_numbers,
    type_in,
)
from structure import diff_structure
from studio import Studio


def step_up(studio: Studio, databases: Databases, source: Path) -> None:
    """Snapshot, revision, upgrade; then nothing is left to do, and that is true."""
    studio.take(source)
    assert studio.revise(source.stem) is not None
    studio.upgrade()
    studio.check()
    assert studio.against_the_model(databases) == []


def there_and_back(studio: Studio, oracle: Oracle, renamed: dict[Any, Any]) -> None:
    """The step just made is undone and made again: structure and values are as before each time."""
    after = studio.structure()
    oracle.verify(renamed=renamed)
    studio.downgrade()
    oracle.expected, expected = {}, oracle.expected
    oracle.verify()
    studio.upgrade()
    oracle.expected = expected
    oracle.verify(renamed=renamed)
    assert diff_structure(after, studio.structure()) == []
    oracle.settle(renamed=renamed)


def to_base_and_up(studio: Studio) -> None:
    """From the head to nothing and up again; what was written since conversions is let go."""
    after = studio.structure()
    studio.downgrade("base", "sg_discard=true")
    assert studio.structure()["tables"] == {}
    studio.upgrade()
    studio.check()
    assert diff_structure(after, studio.structure()) == []


def as_expected(studio: Studio) -> None:
    """The database is as the case of this step says, written by hand."""
    structure, names = studio.structure(), set[str]()
    engine = ["sqlite", "postgresql", "mariadb"].index(sa.make_url(studio.url).get_backend_name())
    for change in TABLES[: studio.number]:
        for name in change.split():
            (names.discard if name[0] == "-" else names.add)(name.lstrip("+-"))
    assert structure["tables"].keys() == names
    for table, (comment, lines) in CASES[studio.number - 1].items():
        found = structure["tables"][table]
        wanted = {}
        for line in filter(str.strip, lines.splitlines()):
            name, word, *text = line.split(maxsplit=2)
            wanted[name] = (NATIVE[word][engine], "".join(text) or None if engine else None)
        assert {name: (about["type"], about["comment"]) for name, about in found["columns"].items()} == wanted, table
        assert found["comment"] == (comment if engine else None)
        key = [name for name, about in found["columns"].items() if not about["nullable"]]
        assert sorted(found["primary_key"]) == sorted(key)


LONG = [pytest.param(engine, marks=pytest.mark.long) for engine in ("postgresql", "postgresql-new", "mariadb")]


@pytest.mark.parametrize("engine", ["sqlite", *LONG])
def test_the_samples(engine: str, databases: Databases, tmp_path: Path) -> None:
    studio = Studio(tmp_path / "project", databases.new(engine))
    oracle = Oracle(studio.url, ignore=["sg_catalog_*"])
    for source, renamed, whole in zip(SAMPLES, SAMPLE_RENAMED, SAMPLE_WHOLE_NUMBERS, strict=True):
        step_up(studio, databases, source)
        as_expected(studio)
        if engine != "sqlite":  # its catalogs say the least: no comments
            assert studio.against_a_fresh_model(databases, source) <= STAYED
        for table, column in whole:
            expect_whole_numbers(oracle, table, column)
        if studio.number > 1:
            there_and_back(studio, oracle, renamed)
        oracle.fill()
        if studio.number < len(SAMPLES):
            type_in(oracle, studio.number)
    assert studio.revise("nothing") is None
    assert oracle.verify() > 10_000
    to_base_and_up(studio)
    for name, text in studio.text_of().items():
        assert_golden(REVISIONS / name, text)
    assert sorted(path.name for path in REVISIONS.glob("*.py")) == sorted(studio.text_of())


@pytest.mark.skipif(not REAL, reason="the real schemas are not here")
@pytest.mark.long
@pytest.mark.parametrize("engine", ["sqlite", "postgresql", "mariadb"])
def test_a_real_site(engine: str, databases: Databases, tmp_path: Path) -> None:
    studio = Studio(tmp_path / "project", databases.new(engine))
    oracle = Oracle(studio.url, ignore=["sg_catalog_*"])
    for source, renamed in zip(REAL, REAL_RENAMED, strict=True):
        step_up(studio, databases, source)
        assert studio.against_a_fresh_model(databases, source) == set()
        for table, column in renamed:
            if column == "open_notes_count":
                expect_whole_numbers(oracle, table, column)
        if studio.number > 1:
            oracle.verify(renamed=renamed)
            oracle.settle(renamed=renamed)
        oracle.fill(2)
    assert oracle.verify() > 10_000
    to_base_and_up(studio)
