"""Same chain, same snapshot, same bytes: whatever hash seed, order of the source, or engine."""

from __future__ import annotations

import json
import random
import shutil
from dataclasses import replace
from itertools import product
from pathlib import Path
from typing import Any

import pytest
from engines import Databases
from harness import SAMPLES, History, a_site, normalised, pairs, run
from oracle import Oracle
from structure import Structure, diff_structure

from sg_migrate import Field, SiteSchema
from sg_migrate.commands import prune

SEEDS = range(20)


def shuffled(value: Any, random: random.Random) -> Any:
    """The same document with the keys of every object in another order."""
    if isinstance(value, dict):
        items = list(value.items())
        random.shuffle(items)
        return {key: shuffled(item, random) for key, item in items}
    return [shuffled(item, random) for item in value] if isinstance(value, list) else value


def test_hash_seeds_and_the_order_of_the_source(databases: Databases, tmp_path: Path) -> None:
    """Twenty times the fourth state, whose revision has every kind of change: with the real commands."""
    history = History(tmp_path / "project", f"sqlite:///{tmp_path}/warehouse.db")
    for source in SAMPLES[:3]:
        history.take(source)
        history.revise(source.stem)
        history.upgrade()
    document = json.loads(SAMPLES[3].read_text(encoding="utf-8"))
    found = set()
    for seed in SEEDS:
        folder = tmp_path / f"seed{seed}"
        shutil.copytree(history.folder, folder, ignore=shutil.ignore_patterns("__pycache__"))
        source = folder / "site.json"
        source.write_text(json.dumps(shuffled(document, random.Random(seed))), encoding="utf-8")
        env = {"PYTHONHASHSEED": str(seed)}
        run(folder, "sg-migrate", "snapshot", "--from", "site.json", env=env)
        run(folder, "alembic", "revision", "--autogenerate", "-m", "x", "--rev-id", "0004", env=env)
        snapshot = (folder / "migrations" / "site_schema.json").read_bytes()
        found.add((normalised(folder / "migrations" / "versions" / "0004_x.py"), snapshot))
        shutil.rmtree(folder)
    assert len(found) == 1


PAIRS = ["sqlite", "postgresql", "mariadb", "postgresql-new"]


def _states() -> list[SiteSchema]:
    """A comment changes, a field and a type retire, a type changes, and everything comes."""
    every = [
        Field("Shot", f"sg_{data_type}", data_type, data_type.title())
        for data_type in ("text", "list", "status_list", "number", "float", "currency", "checkbox", "date", "date_time")
    ] + [
        Field("Shot", "sg_url", "url", "Url"),
        Field("Shot", "sg_uuid", "uuid", "Uuid"),
        Field("Shot", "sg_image", "image", "Image"),
        Field("Shot", "sg_old", "text", "Old"),
        Field("Shot", "sg_cut", "text", "Cut"),
    ]
    first = a_site(*every)
    second = a_site(*[replace(field, name="Alt 🦋 100 %") for field in every if field.code != "sg_old"])
    retyped = [replace(field, data_type="number") if field.code == "sg_cut" else field for field in every]
    third = a_site(*retyped)
    return [first, second, SiteSchema({"Shot": third.entity_types["Shot"]})]


PRUNED = ["Sequence", "Shot.sg_cut:text"]
GONE: list[str | tuple[str, str]] = ["sequence", ("shot", "sg_cut__was_text")]


def generate(history: History) -> None:
    for number, state in enumerate(_states()):
        history.take(state)
        assert history.revise(f"step {number}") is not None
        history.upgrade()
        history.check()
    prune.command.main([*PRUNED, "--config", str(history.ini)], standalone_mode=False)
    assert history.revise("prune") is not None
    history.upgrade()
    history.check()


NATIVE = {
    "sqlite": "TEXT VARCHAR(255) VARCHAR(64) INTEGER DOUBLE NUMERIC(15, 2) BOOLEAN DATE DATETIME JSON VARCHAR(64) TEXT",
    "postgresql": """text character varying(255) character varying(64) integer double precision numeric(15,2) boolean
                     date timestamp with time zone jsonb character varying(64) text""",
    "mariadb": """longtext varchar(255) varchar(64) int(11) double decimal(15,2) tinyint(1) date datetime(6) longtext
                  varchar(64) longtext""",
}
CODES = "text list status_list number float currency checkbox date date_time url uuid image".split()  # noqa: SIM905


def native_types(structure: Structure) -> str:
    """The native types of one column of each data type."""
    columns = structure["tables"]["shot"]["columns"]
    return " ".join(columns[f"sg_{code}"]["type"] for code in CODES)


@pytest.mark.parametrize(("author", "runner"), list(product(PAIRS, PAIRS)))
def test_generated_on_one_engine_run_on_another(author: str, runner: str, databases: Databases, tmp_path: Path) -> None:
    """Step by step with rows, a comment change, retirements, a conversion, a prune, and down and up again."""
    history = History(tmp_path / "project", databases.new(author))
    generate(history)
    history.url = databases.new(runner)
    history.upgrade("0001")
    oracle = Oracle(history.url, ignore=["sg_catalog_*"])
    oracle.fill()
    renamed = pairs(shot={"sg_cut": "sg_cut__was_text"})
    history.upgrade("0002")
    oracle.verify()
    history.upgrade("0003")
    oracle.verify(renamed=renamed)
    third = history.structure()
    history.downgrade()
    oracle.verify()
    history.upgrade("0003")
    oracle.verify(renamed=renamed)
    oracle.settle(renamed=renamed)
    history.upgrade("0004")
    oracle.verify(dropped=GONE)
    history.check()
    assert history.revise("nothing") is None
    top = history.structure()
    assert history.against_the_model(databases) == []
    assert native_types(top) == " ".join(NATIVE[runner.removesuffix("-new")].split())
    history.downgrade()
    assert diff_structure(third, history.structure()) == []
    history.downgrade("base", "sg_discard=true")
    history.upgrade()
    assert diff_structure(top, history.structure()) == []


def test_every_engine_writes_the_same_files(databases: Databases, tmp_path: Path) -> None:
    written = []
    for engine in PAIRS:
        history = History(tmp_path / engine, databases.new(engine))
        generate(history)
        written.append(history.text_of())
    assert written[0].keys() == {"0001_step_0.py", "0002_step_1.py", "0003_step_2.py", "0004_prune.py"}
    assert all(files == written[0] for files in written)
