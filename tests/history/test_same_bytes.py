"""Same chain, same snapshot, same bytes: whatever hash seed, order of the source, or engine."""

from __future__ import annotations

import json
import random
from collections.abc import Iterable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from engines import Databases
from kept import kept_project
from oracle import Oracle
from sites import SAMPLES
from small_site import small_site
from story import pairs
from structure import Structure, diff_structure
from studio import Studio, normalised


def shuffled(value: Any, random: random.Random) -> Any:
    """The same document with the keys of every object in another order."""
    if isinstance(value, dict):
        items = list(value.items())
        random.shuffle(items)
        return {key: shuffled(item, random) for key, item in items}
    return [shuffled(item, random) for item in value] if isinstance(value, list) else value


@pytest.mark.parametrize("seeds", [range(3), pytest.param(range(20), marks=pytest.mark.long)], ids=["few", "many"])
def test_hash_seeds_and_the_order_of_the_source(tmp_path: Path, seeds: Iterable[int]) -> None:
    """The fourth revision of the sample schemas has every kind of change; the real commands write it each time."""
    url = "sqlite:///warehouse.db"  # in the project's folder, and copied with it
    studio = kept_project(tmp_path / "project", url, 3)
    studio.upgrade(url=f"sqlite:///{studio.folder}/warehouse.db")
    document = json.loads(SAMPLES[3].read_text(encoding="utf-8"))
    written = set()
    for seed in seeds:
        copy = studio.copy(tmp_path / f"seed{seed}", url)
        source = copy.folder / "site.json"
        source.write_text(json.dumps(shuffled(document, random.Random(seed))), encoding="utf-8")
        env = {"PYTHONHASHSEED": str(seed)}
        copy.run("sg-migrate", "snapshot", "--from", "site.json", env=env)
        copy.run("alembic", "revision", "--autogenerate", "-m", "x", "--rev-id", "0004", env=env)
        written.add((normalised(copy.versions / "0004_x.py"), copy.snapshot.read_bytes()))
    assert len(written) == 1


ENGINES = ["sqlite", "postgresql", "mariadb", "postgresql-new"]

EVERY = {
    **{f"sg_{kind}": f"{kind} {kind.title()}" for kind in ("text", "list", "status_list", "number", "float")},
    **{f"sg_{kind}": f"{kind} {kind.title()}" for kind in ("currency", "checkbox", "date", "date_time")},
    "sg_url": "url Url",
    "sg_uuid": "uuid Uuid",
    "sg_image": "image Image",
    "sg_old": "text Old",
    "sg_cut": "text Cut",
}
STATES = [
    small_site(**EVERY),
    small_site(**{code: f"{kind.split()[0]} Alt 🦋 100 %" for code, kind in EVERY.items() if code != "sg_old"}),
    replace(site := small_site(**EVERY | {"sg_cut": "number Cut"}), entity_types={"Shot": site.entity_types["Shot"]}),
]
"""Everything comes; names change and a field retires; it returns, a type changes, and an entity type retires."""
PRUNED = ["Sequence", "Shot.sg_cut:text"]
GONE: list[str | tuple[str, str]] = ["sequence", ("shot", "sg_cut__was_text")]


def generate(folder: Path, url: str) -> Studio:
    """Four revisions, the last of which prunes."""
    studio = Studio(folder, url)
    for number, state in enumerate(STATES):
        studio.take(state)
        assert studio.revise(f"step {number}") is not None
        studio.upgrade()
        studio.check()
    assert studio.sg_migrate("prune", *PRUNED).exit_code == 0
    assert studio.revise("prune") is not None
    studio.upgrade()
    studio.check()
    return studio


@pytest.fixture(scope="module")
def on_sqlite(tmp_path_factory: pytest.TempPathFactory) -> Studio:
    folder = tmp_path_factory.mktemp("on_sqlite")
    return generate(folder / "project", f"sqlite:///{folder}/warehouse.db")


@pytest.mark.parametrize("engine", ENGINES[1:])
def test_every_engine_writes_the_same_files(
    engine: str, on_sqlite: Studio, databases: Databases, tmp_path: Path
) -> None:
    written = generate(tmp_path / "project", databases.new(engine)).text_of()
    assert written.keys() == {"0001_step_0.py", "0002_step_1.py", "0003_step_2.py", "0004_prune.py"}
    assert written == on_sqlite.text_of()


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


@pytest.mark.parametrize("engine", ENGINES)
def test_the_files_of_one_engine_run_on_every_other(
    engine: str, on_sqlite: Studio, databases: Databases, tmp_path: Path
) -> None:
    """Step by step with rows, a comment change, retirements, a conversion, a prune, and down and up again.

    Every engine writes these files (see above), so that this stands for all pairs of author and runner.
    """
    studio = on_sqlite.copy(tmp_path / "project", databases.new(engine))
    studio.upgrade("0001")
    oracle = Oracle(studio.url, ignore=["sg_catalog_*"])
    oracle.fill()
    renamed = pairs(shot={"sg_cut": "sg_cut__was_text"})
    studio.upgrade("0002")
    oracle.verify()
    studio.upgrade("0003")
    oracle.verify(renamed=renamed)
    third = studio.structure()
    studio.downgrade()
    oracle.verify()
    studio.upgrade("0003")
    oracle.verify(renamed=renamed)
    oracle.settle(renamed=renamed)
    studio.upgrade("0004")
    oracle.verify(dropped=GONE)
    studio.check()
    assert studio.revise("nothing") is None
    top = studio.structure()
    assert studio.against_the_model(databases) == []
    assert native_types(top) == " ".join(NATIVE[engine.removesuffix("-new")].split())
    studio.downgrade()
    assert diff_structure(third, studio.structure()) == []
    studio.downgrade("base", "sg_discard=true")
    studio.upgrade()
    assert diff_structure(top, studio.structure()) == []
