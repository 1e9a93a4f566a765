"""No false difference, ever: one history, generated once, on every engine, with every setting that shapes it."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import pytest
import sqlalchemy as sa
from engines import ENGINES, Databases
from histories import REAL, SAMPLES, Warehouse, history, replay
from structure import snapshot_structure

SETTINGS: dict[str, dict[str, str]] = {
    "as they come": {},
    "foreign keys": {"foreign_keys": "true"},
    "json": {"multi_entity": "json"},
    "shotgrid naming": {"naming": "shotgrid"},
    "schema": {"schema": "Studio_1"},
}
QUICK = {
    "as they come": ("postgresql-new", "mysql"),
    "foreign keys": ("sqlite", "mariadb"),
    "json": ("mysql",),
    "shotgrid naming": ("mariadb",),
    "schema": ("postgresql",),
}
"""Each setting on the engines where it has the most to get wrong; the long tests have them all."""

FOREIGN = ("CREATE TABLE shot (id INT PRIMARY KEY, code INT)", "CREATE TABLE asset (note TEXT)")
"""In PostgreSQL's schema public, where nothing may come of it."""


def walk(folder: Path, databases: Databases, states: Sequence[Path], name: str, engines: Sequence[str]) -> None:
    """Take a history through databases; `alembic check` must be clean after every step."""
    settings = SETTINGS[name]
    shaping = {key: value for key, value in settings.items() if key != "schema"}
    steps = history(folder / "generated", states, **shaping)
    for engine in engines:
        url = databases.new(engine)
        if "schema" in settings:
            with sa.create_engine(url, poolclass=sa.NullPool).begin() as connection:
                for statement in FOREIGN:
                    connection.exec_driver_sql(statement)
            before = snapshot_structure(url, schema="public")
        warehouse = Warehouse(folder / engine, url, **settings)
        done = 0
        for step in replay(warehouse, steps):
            try:
                warehouse.check()
            except Exception as error:
                raise AssertionError(f"{name}, {engine}, {step.name}: {error}") from error
            done += 1
        assert done == len(states)
        if "schema" in settings:
            assert snapshot_structure(url, schema="public") == before
            assert "shot" in snapshot_structure(url, schema=settings["schema"])["tables"]


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
