"""shotgrid_orm's layouts: its own tables, as its own releases make them of a real site."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa
from scripts import render, script_of
from sites import REAL, site
from sqlalchemy.orm import Session

from sg_migrate.models import build_models
from sg_migrate.models.layouts import TYPES, Layout

RELEASES: dict[Layout, str] = {"shotgrid_orm-0.2": "0.2.0", "shotgrid_orm-0.3": "0.3.4"}

THEIRS = """
import json, sys
from shotgrid_orm import SGORM, SchemaType

found = {}
for name, table in SGORM(SchemaType.JSON_FILE, sys.argv[1], echo=False).Base.metadata.tables.items():
    columns = {column.name: [str(column.type), column.primary_key, column.autoincrement] for column in table.columns}
    keys = sorted([column.name, key.target_fullname] for column in table.columns for key in column.foreign_keys)
    found[name] = [columns, keys]
print(json.dumps(found))
"""


@pytest.fixture(scope="module", params=RELEASES)
def released(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> tuple[Layout, Path]:
    """A layout, and a folder with the release that it is called after."""
    folder = tmp_path_factory.mktemp("shotgrid_orm")
    layout: Layout = request.param
    package = f"shotgrid_orm=={RELEASES[layout]}"
    command = [sys.executable, "-m", "pip", "install", "--quiet", "--no-deps", "--target", str(folder), package]
    subprocess.run(command, check=True, capture_output=True)
    return layout, folder


@pytest.mark.long
@pytest.mark.skipif(not REAL, reason="this machine has no real schemas")
@pytest.mark.parametrize("path", REAL, ids=lambda path: path.stem)
def test_the_tables_are_those_of_the_real_package(released: tuple[Layout, Path], path: Path) -> None:
    layout, folder = released
    command = [sys.executable, "-W", "ignore", "-c", THEIRS, str(path)]
    done = subprocess.run(command, env={"PYTHONPATH": str(folder)}, capture_output=True, text=True, check=True)
    theirs = json.loads(done.stdout.splitlines()[-1])
    models = build_models(path, layout=layout)
    assert described(models.metadata) == theirs
    with script_of(render(path, layout=layout)) as script:
        assert described(script.Base.metadata) == theirs


def described(metadata: sa.MetaData) -> Any:
    found = {}
    for name, table in metadata.tables.items():
        columns = {
            one.name: [str(one.type), one.primary_key, False if one.primary_key else "auto"] for one in table.columns
        }
        keys = sorted([one.name, key.target_fullname] for one in table.columns for key in one.foreign_keys)
        found[name] = [columns, keys]
    return found


@pytest.mark.parametrize("layout", RELEASES)
def test_links_are_objects_there_too(layout: Layout) -> None:
    schema = site(
        Shot={
            "code": "text",
            "sg_sequence": "entity:Sequence",
            "created_at": "date_time",
            "assets": "multi_entity:Asset",
        },
        Sequence={"code": "text"},
        Asset={},
        Task={"entity": "entity:Asset,Shot", "metadata": "text", "sg_calc": "summary"},
    )
    models = build_models(schema, layout=layout)
    shot_of, task_of = models["Shot"], models["Task"]
    assert {"_metadata", "entity_id", "entity_type"} <= set(task_of.__table__.columns.keys())
    assert ("sg_sequence_type" in shot_of.__table__.columns) == (layout == "shotgrid_orm-0.2")
    engine = sa.create_engine("sqlite://")
    models.metadata.create_all(engine)
    with Session(engine) as session:
        sequence = models["Sequence"](id=1, code="s")
        shot = shot_of(id=2, sg_sequence=sequence, assets_ids="[]")
        session.add_all([sequence, shot, task_of(id=3, entity=shot, metadata_="m")])
        session.commit()
        session.expunge_all()
        assert session.get_one(task_of, 3).entity.sg_sequence.code == "s"
        assert session.scalars(sa.select(shot_of.id).where(shot_of.sg_sequence == sequence)).all() == [2]
        if layout == "shotgrid_orm-0.3":
            with pytest.raises(TypeError, match="leads to Sequence"):
                session.get_one(shot_of, 2).sg_sequence = models["Asset"](id=1)
    engine.dispose()


def test_the_page_lists_what_it_drops() -> None:
    from sg_migrate.warehouse.mapping import MAPPING

    page = (Path(__file__).parents[2] / "docs" / "shotgrid_orm.md").read_text(encoding="utf-8")
    line = next(line for line in page.splitlines() if line.startswith("No column there:"))
    named = {name.strip("`") for name in line.removeprefix("No column there:").strip(" .").split(", ")}
    assert named == {*MAPPING, "calculated"} - {*TYPES, "entity", "multi_entity"}
