"""No false difference, ever: one history, generated once, on every engine, with every setting that shapes it."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import pytest
from engines import ENGINES, Databases
from sites import REAL, SAMPLES
from structure import snapshot_structure
from studio import Studio, execute

from sg_migrate import load_schema

SETTINGS: dict[str, dict[str, str]] = {
    "as they come": {},
    "foreign keys": {"foreign_keys": "true"},
    "json": {"multi_entity": "json"},
    "shotgrid naming": {"naming": "shotgrid"},
    "schema": {"schema": "Studio_1"},
}
QUICK = {
    "as they come": ("sqlite", "postgresql-new", "mysql"),
    "foreign keys": ("sqlite", "mariadb"),
    "json": ("sqlite", "mysql"),
    "shotgrid naming": ("sqlite", "mariadb"),
    "schema": ("postgresql",),
}
"""Each setting on the engines where it has the most to get wrong; the long tests have them all."""

FOREIGN = ("CREATE TABLE shot (id INT PRIMARY KEY, code INT)", "CREATE TABLE asset (note TEXT)")
"""In PostgreSQL's schema public, where nothing may come of it."""


def history(folder: Path, states: Sequence[Path], settings: dict[str, str]) -> list[Studio]:
    """The project as it is after each state of the site; its revisions are written without a database."""
    studio = Studio(folder / "generated", **{name: value for name, value in settings.items() if name != "schema"})
    stages = []
    for number, state in enumerate(states, 1):
        studio.follow(load_schema(state).schema, f"r{number}")
        stages.append(studio.copy(folder / state.stem, studio.url))
        stages[-1].configure(**settings)
    return stages


def walk(folder: Path, databases: Databases, states: Sequence[Path], name: str, engines: Sequence[str]) -> None:
    """Take a history through databases; `alembic check` must be clean after every step."""
    schema = SETTINGS[name].get("schema")
    stages = history(folder, states, SETTINGS[name])
    for engine in engines:
        url = databases.new(engine)
        if schema:
            execute(url, *FOREIGN)
            before = snapshot_structure(url, schema="public")
        for stage in stages:
            stage.upgrade(url=url)
            try:
                stage.check(url=url)
            except Exception as error:
                raise AssertionError(f"{name}, {engine}, {stage.folder.name}: {error}") from error
        if schema:
            assert snapshot_structure(url, schema="public") == before
            assert "shot" in snapshot_structure(url, schema=schema)["tables"]


@pytest.mark.parametrize("name", SETTINGS)
def test_a_short_history(tmp_path: Path, databases: Databases, name: str) -> None:
    walk(tmp_path, databases, SAMPLES[::3], name, QUICK[name])


def possible(name: str) -> tuple[str, ...]:
    return tuple(engine for engine in ENGINES if name != "schema" or engine.startswith("postgresql"))


@pytest.mark.long
@pytest.mark.parametrize("name", SETTINGS)
def test_the_whole_story(tmp_path: Path, databases: Databases, name: str) -> None:
    walk(tmp_path, databases, SAMPLES, name, possible(name))


@pytest.mark.long
@pytest.mark.skipif(not REAL, reason="the real schemas are not on this machine")
@pytest.mark.parametrize("name", SETTINGS)
def test_a_real_site(tmp_path: Path, databases: Databases, name: str) -> None:
    walk(tmp_path, databases, REAL, name, possible(name))
