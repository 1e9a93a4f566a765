"""The scripts: read whole, run, checked by others' tools, and equal to the classes in memory and to the warehouse."""

from __future__ import annotations

import ast
import pickle
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa
from engines import Databases
from golden import assert_golden
from scripts import created, created_on, render, script_of
from sites import REAL, SAMPLES, field, site
from sqlalchemy.orm import Session, configure_mappers
from structure import snapshot_structure
from studio import OURS_ASIDE, Studio
from tracker import tracker, write_tracker

from sg_migrate.models import Models, build_models, prefetch, refuse_invalid
from sg_migrate.models.script import Style
from sg_migrate.revisions.project import Project

GOLDEN = Path(__file__).parent / "golden"
STYLES: list[Style] = ["declarative", "dataclasses", "tables"]


def later(values: Sequence[Any]) -> list[Any]:
    """Parameters whose tests wait for `make test-long`."""
    return [pytest.param(value, marks=pytest.mark.long) for value in values]


HOSTILE = 'a"""b\\" \n\u202e${x} %(y)s {z} \U0001f98b \'""" + __import__("os").abort() #'


@pytest.mark.parametrize("path", SAMPLES, ids=lambda path: path.stem)
def test_the_script_of_a_sample(path: Path) -> None:
    assert_golden(GOLDEN / f"{path.stem}.txt", render(path))


@pytest.mark.parametrize("style", STYLES)
def test_the_script_of_a_tracker(style: Style) -> None:
    text = render(tracker(), style)
    assert text == render(tracker(), style), "the same input, the same bytes"
    assert_golden(GOLDEN / f"tracker_{style}.txt", text)


@pytest.mark.parametrize("path", [*SAMPLES, *later(REAL[-1:])], ids=lambda path: path.stem)
def test_a_script_is_the_classes_in_memory(path: Path, tmp_path: Path) -> None:
    models = build_models(path)
    with script_of(render(path)) as script:
        configure_mappers()
        assert described(script.CLASSES) == described(models)
        expected = created(models.metadata, tmp_path)
        assert created(script.Base.metadata, tmp_path) == expected
    with script_of(render(path, "tables")) as script:
        assert created(script.metadata, tmp_path) == expected
        assert set(script.TABLES) == set(expected["tables"])


def described(classes: Any) -> dict[str, Any]:
    """What of classes there is to compare."""
    found = {}
    for code, cls in classes.items():
        columns = {
            one.key: (repr(one.columns[0].type), one.columns[0].comment, one.columns[0].info)
            for one in sa.inspect(cls).column_attrs
        }
        links = {
            name: (
                type(link).__name__,
                link.types,
                link.pairs,
                getattr(link, "columns", getattr(link, "table_name", "")),
            )
            for name, link in {**cls.__links__, **cls.__lists__}.items()
        }
        found[code] = (cls.__name__, cls.__table__.name, columns, links)
    return found


@pytest.mark.parametrize("style", ["declarative", "dataclasses"])
@pytest.mark.parametrize("path", [*later(REAL), SAMPLES[4]], ids=lambda path: path.stem)
def test_a_script_writes_and_reads(path: Path, style: Style) -> None:
    with script_of(render(path, style)) as script:
        engine = sa.create_engine("sqlite://")
        script.Base.metadata.create_all(engine)
        with Session(engine) as session:
            for number, cls in enumerate(script.CLASSES.values(), start=1):
                session.add(cls(id=number))
            session.commit()
            shot, asset = session.scalars(sa.select(script.Shot)).one(), session.scalars(sa.select(script.Asset)).one()
            task = session.scalars(sa.select(script.Task)).one()
            task.entity = shot
            shot.assets = [asset]
            session.commit()
            session.expunge_all()
            task = session.scalars(sa.select(script.Task).where(script.Task.entity == shot)).one()
            prefetch(session, [task], script.Task.entity)
            assert task.entity.assets[0].as_dict()["type"] == "Asset"
            assert len(session.scalars(sa.select(script.CLASSES["Sequence"])).all()) == 1
        engine.dispose()


@pytest.mark.parametrize("style", ["declarative", *later(["dataclasses", "tables"])])
def test_others_find_nothing_wrong(style: Style, tmp_path: Path) -> None:
    """ruff as it comes, and mypy in its strict mode; pyright is `test_pyright_finds_nothing_wrong`."""
    script = tmp_path / "warehouse.py"
    script.write_text(render(SAMPLES[4], style), encoding="utf-8")
    check("ruff", "check", "--isolated", "--target-version", "py310", str(script))
    if style != "tables":
        (tmp_path / "use.py").write_text(USE, encoding="utf-8")
        check("mypy", "--strict", "--cache-dir", str(tmp_path / "cache"), str(tmp_path / "use.py"), cwd=tmp_path)


USE = """
from sqlalchemy import select
from sqlalchemy.orm import Session

from warehouse import Asset, Sequence, Shot, Task


def sequence_of(session: Session, shot: Shot) -> Sequence | None:
    for task in session.scalars(select(Task).where(Task.entity == shot)):
        task.entity = shot
    assets: list[Asset] = [*shot.assets]
    shot.assets = assets
    return shot.sg_sequence
"""


@pytest.mark.long
@pytest.mark.parametrize("style", STYLES)
def test_pyright_finds_nothing_wrong(style: Style, tmp_path: Path) -> None:
    (tmp_path / "warehouse.py").write_text(render(SAMPLES[4], style), encoding="utf-8")
    if style != "tables":
        (tmp_path / "use.py").write_text(USE, encoding="utf-8")
    (tmp_path / "pyrightconfig.json").write_text('{"typeCheckingMode": "standard"}', encoding="utf-8")
    check("basedpyright", "--pythonpath", sys.executable, "-p", str(tmp_path))


def check(tool: str, *arguments: str, cwd: Path | None = None) -> None:
    done = subprocess.run(
        [sys.executable, "-m", tool, *arguments], cwd=cwd, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stdout + done.stderr


def test_a_script_needs_sqlalchemy_alone(tmp_path: Path) -> None:
    (tmp_path / "warehouse.py").write_text(render(tracker()), encoding="utf-8")
    code = (
        "import sys, sqlalchemy.orm\n"
        "before = set(sys.modules)\n"
        "import warehouse; sqlalchemy.orm.configure_mappers()\n"
        "packages = {name.partition('.')[0] for name in sys.modules.keys() - before}\n"
        "print(packages - sys.stdlib_module_names - {'warehouse', 'sqlalchemy'})"
    )
    done = subprocess.run(
        [sys.executable, "-W", "error", "-c", code], cwd=tmp_path, capture_output=True, text=True, check=True
    )
    assert done.stdout == "set()\n"


def test_records_can_be_pickled_with_what_their_links_led_to() -> None:
    with script_of(render(tracker())) as script:
        refuse_invalid(script.Base)
        shot = script.Shot(id=1, code="a", project=script.Project(id=2, name="p"))
        shot.assets = [script.Asset(id=3)]
        again = pickle.loads(pickle.dumps(shot))
        assert (again.code, again.project.name, again.assets[0].id) == ("a", "p", 3)


# --- what sqlacodegen-v2 does badly


def test_generating_does_not_import_inflect(tmp_path: Path) -> None:
    site_file = write_tracker(tmp_path / "site.json")
    code = (
        "import sys\n"
        "from sg_migrate.models.script import render_models\n"
        "from sg_migrate.models.sources import plan_for\n"
        f"render_models(plan_for({str(site_file)!r}))\nprint('inflect' in sys.modules)\n"
        "import inflect\nprint(inflect.engine().plural('shot'))"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout == "False\nshots\n"


@pytest.mark.parametrize("style", STYLES)
def test_types_keep_their_variants_and_ids_are_never_generated(style: Style) -> None:
    with script_of(render(tracker(), style)) as script:
        tables = script.TABLES if style == "tables" else script.Base.metadata.tables
        from_site = build_models(tracker()).metadata.tables
        for name, table in tables.items():
            assert table.autoincrement_column is None
            for column in table.columns:
                other = from_site[name].columns[column.name]
                assert column.info == other.info
                for dialect in ("sqlite", "postgresql", "mysql"):
                    assert ddl_type(column, dialect) == ddl_type(other, dialect)


def ddl_type(column: sa.Column[Any], dialect: str) -> str:
    return str(column.type.compile(sa.create_mock_engine(f"{dialect}://", print).dialect))


def test_attributes_are_typed() -> None:
    classes = {node.name: node for node in ast.parse(render(tracker())).body if isinstance(node, ast.ClassDef)}
    annotated = {ast.unparse(node) for node in classes["Version"].body if isinstance(node, ast.AnnAssign)}
    found = {line.partition(" = ")[0] for line in annotated}
    assert found == {
        f"{name}: Mapped[{python_type}]"
        for names, python_type in (
            ("id", "int"),
            ("code entity_type sg_task_type", "str | None"),
            ("created_at retired_at", "Moment | None"),
            ("entity_id sg_task_id", "int | None"),
            ("sg_bid", "Decimal | None"),
            ("sg_uploaded_movie tag_list", "Any | None"),
        )
        for name in names.split()
    }


@pytest.mark.parametrize("style", STYLES)
def test_a_hostile_text_ends_nothing(style: Style, tmp_path: Path) -> None:
    hostile = site(
        Shot={
            "code": field("Shot.code", name=HOSTILE, description=HOSTILE),
            "sg_list": field("Shot.sg_list", "list", name=HOSTILE, valid_values=(HOSTILE, "'", '"', "\\")),
            "assets": field("Shot.assets", "multi_entity", name=HOSTILE),
            "sg_link": field("Shot.sg_link", "entity", name=HOSTILE),
        }
    )
    text = render(hostile, style)
    assert "\u202e" not in text
    with script_of(text) as script:
        metadata = script.metadata if style == "tables" else script.Base.metadata
        assert metadata.tables["shot"].columns["code"].comment == build_models(hostile)["Shot"].code.comment
        assert created(metadata, tmp_path) == created(build_models(hostile).metadata, tmp_path)
        if style != "tables":
            assert script.Shot.sg_list.info["valid_values"] == (HOSTILE, "'", '"', "\\")


@pytest.mark.parametrize("style", STYLES)
def test_foreign_keys(style: Style, tmp_path: Path) -> None:
    """Circles are no trouble, and no relationship is made of them: links are links."""
    studio = Studio(tmp_path / "project", f"sqlite:///{tmp_path / 'warehouse.db'}", foreign_keys="true")
    studio.follow(site(Shot={"sg_main": "entity:Asset"}, Asset={"sg_shot": "entity:Shot"}), "r1")
    studio.upgrade()
    result = studio.sg_migrate("models", "-", "--style", style)
    assert result.exit_code == 0, result.output
    with script_of(result.stdout) as script:
        metadata = script.metadata if style == "tables" else script.Base.metadata
        assert created(metadata, tmp_path)["tables"] == warehouse(studio)["tables"]


def warehouse(studio: Studio) -> Any:
    return snapshot_structure(studio.url, ignore=OURS_ASIDE)


# --- the warehouse


def test_the_tables_are_those_of_the_warehouse(databases: Databases, engine_name: str, tmp_path: Path) -> None:
    studio = Studio(tmp_path / "project", databases.new(engine_name))
    studio.take(SAMPLES[4])
    studio.revise()
    studio.upgrade()
    result = studio.sg_migrate("models", "-")
    assert result.exit_code == 0, result.output
    with script_of(result.stdout) as script:
        expected = warehouse(studio)
        assert created_on(script.Base.metadata, databases.new(engine_name)) == expected
    assert created_on(build_models(Project.find(studio.ini)).metadata, databases.new(engine_name)) == expected


def test_what_is_only_kept_is_left_out_unless_it_is_asked_for(tmp_path: Path) -> None:
    studio = Studio(tmp_path / "project", f"sqlite:///{tmp_path / 'warehouse.db'}")
    first = {
        "code": "text",
        "sg_old": "number",
        "sg_turn": "text",
        "sg_to": "entity:Shot",
        "sg_all": "multi_entity:Shot",
    }
    studio.follow(site(Shot=first, Slate={"code": "text"}), "r1")
    studio.follow(site(Shot={"code": "text", "sg_turn": "entity:Shot"}), "r2")
    studio.upgrade()
    project = Project.find(studio.ini)
    plain, whole = build_models(project), build_models(project, retired=True)
    assert set(plain) == {"Shot"}
    assert set(whole) == {"Shot", "Slate"}
    assert {*plain["Shot"].__links__, *plain["Shot"].__lists__} == {"sg_turn"}
    assert {*whole["Shot"].__links__, *whole["Shot"].__lists__} == {"sg_turn", "sg_to", "sg_all"}
    attributes = {one.key for one in sa.inspect(whole["Shot"]).column_attrs}
    assert {"sg_old", "sg_turn__was_text"} <= attributes
    assert "sg_old" not in render(project)
    assert "sg_old" in render(project, retired=True)
    assert created(whole.metadata, tmp_path) == warehouse(studio)


def test_every_source_gives_the_same(tmp_path: Path) -> None:
    file = write_tracker(tmp_path / "site.json")
    expected = described(build_models(tracker()))
    for source in (file, str(file), file.read_text(encoding="utf-8")):
        assert described(build_models(source)) == expected


def test_the_command_writes_a_file(tmp_path: Path) -> None:
    studio = Studio(tmp_path / "project")
    file = write_tracker(tmp_path / "site.json")
    out = tmp_path / "warehouse.py"
    result = studio.sg_migrate("models", str(out), "--from", str(file))
    assert result.exit_code == 0, result.output
    assert out.read_text(encoding="utf-8") == render(file)
    assert isinstance(build_models(file), Models)


def test_a_file_has_nothing_that_is_only_kept(tmp_path: Path) -> None:
    studio = Studio(tmp_path / "project")
    file, out = write_tracker(tmp_path / "site.json"), tmp_path / "warehouse.py"
    result = studio.sg_migrate("models", str(out), "--from", str(file), "--retired")
    assert result.exit_code == 2
    assert "--retired is of a project" in result.stderr
    assert not out.exists()
