"""shotgrid_orm's layouts: its own tables, as its own releases make them of a real site."""

from __future__ import annotations

import json
import subprocess
import sys
from datetime import datetime, timedelta, timezone
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa
from engines import Databases
from in_process import run_here
from scripts import render, script_of
from sites import REAL, site
from sqlalchemy.exc import StatementError
from sqlalchemy.orm import Session
from studio import execute

from sg_migrate import Snapshot, write_snapshot
from sg_migrate.models import build_models
from sg_migrate.models.layouts import TYPES, Layout
from sg_migrate.revisions.project import Project

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


@pytest.mark.parametrize("engine_name", ["sqlite", "postgresql"])
def test_moments_without_a_zone_are_utc(databases: Databases, engine_name: str, tmp_path: Path) -> None:
    """Whatever the session's own zone is; in its layouts, and in a warehouse of its making that was taken over."""
    schema = site(Shot={"code": "text", "created_at": "date_time"})
    url = databases.new(engine_name)
    elsewhere = {"connect_args": {"options": "-c timezone=Asia/Tokyo"}} if engine_name == "postgresql" else {}
    engine = sa.create_engine(url, **elsewhere)
    layout: Layout = "shotgrid_orm-0.3"
    models = build_models(schema, layout=layout)
    models.metadata.create_all(engine)
    execute(url, """INSERT INTO "Shot" (id, created_at) VALUES (1, '2026-03-01 12:00:00.123456')""")
    write_snapshot(tmp_path / "site.json", Snapshot(schema))
    run_here(tmp_path, "sg-migrate", "init", "project", "--adopt", "--from", "site.json", "--url", url)
    project = Project.find(tmp_path / "project" / "alembic.ini")
    with script_of(render(schema, layout=layout)) as script, script_of(render(project)) as adopted:
        for number, found in enumerate((models, script.CLASSES, build_models(project), adopted.CLASSES), start=2):
            utc_in_python(engine, found["Shot"], number)
    engine.dispose()


def utc_in_python(engine: sa.Engine, cls: Any, number: int) -> None:
    moment = datetime(2026, 3, 1, 21, 30, tzinfo=timezone(timedelta(hours=9)))
    with Session(engine) as session:
        read = session.get_one(cls, 1).created_at
        assert (read.isoformat(), read.tzinfo) == ("2026-03-01T12:00:00.123456+00:00", timezone.utc)
        session.add(cls(id=number, created_at=moment))
        session.commit()
        stored = session.scalar(sa.text(f'SELECT CAST(created_at AS VARCHAR) FROM "Shot" WHERE id = {number}'))
        assert stored is not None
        assert stored.startswith("2026-03-01 12:30:00")
        assert session.scalars(sa.select(cls.id).where(cls.created_at == moment)).first() is not None
        session.get_one(cls, 1).created_at = datetime(2026, 3, 1)
        with pytest.raises(StatementError, match="no time zone"):
            session.flush()


def test_the_page_lists_what_it_drops() -> None:
    from sg_migrate.warehouse.mapping import MAPPING

    page = (Path(__file__).parents[2] / "docs" / "shotgrid_orm.md").read_text(encoding="utf-8")
    line = next(line for line in page.splitlines() if line.startswith("No column there:"))
    named = {name.strip("`") for name in line.removeprefix("No column there:").strip(" .").split(", ")}
    assert named == {*MAPPING, "calculated"} - {*TYPES, "entity", "multi_entity"}
