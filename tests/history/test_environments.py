"""The real commands in the environments that people have: made by init, made by alembic, and not ours at all."""

from __future__ import annotations

import subprocess
import sys
import zipfile
from pathlib import Path

import pytest
import sqlalchemy as sa
from engines import Databases
from in_process import run_here
from sites import REPOSITORY, SAMPLES
from structure import diff_structure, snapshot_structure
from studio import Studio, run

from sg_migrate import load_schema

TEMPLATE = REPOSITORY / "alembic_template"
BUILT = ("alembic_template/env.py", "alembic_template/script.py.mako", "alembic_template/alembic.ini.mako")


def every_command(folder: Path, url: str) -> None:
    """Two states of a site through every command of alembic that matters here, each at least once a real process."""
    env = {"DATABASE_URL": url}

    def alembic(*command: str) -> str:
        return run(folder, "alembic", *command, env=env).stdout

    def again(*command: str) -> None:
        run_here(folder, "alembic", *command, env=env)

    alembic("revision", "--autogenerate", "-m", "first", "--rev-id", "aaaa")
    alembic("upgrade", "head")
    alembic("check")
    run(folder, "sg-migrate", "snapshot", "--from", str(SAMPLES[1]))
    pending = run(folder, "alembic", "check", env=env, fails=True)
    assert "New upgrade operations detected" in pending.stdout + pending.stderr
    assert len(list((folder / "migrations" / "versions").glob("*.py"))) == 1
    again("revision", "--autogenerate", "-m", "second", "--rev-id", "bbbb")
    again("upgrade", "+1")
    again("check")
    assert alembic("current").split() == ["bbbb", "(head)"]
    assert [line.split(" (head)")[0] for line in alembic("history").splitlines()] == [
        "aaaa -> bbbb, second",
        "<base> -> aaaa, first",
    ] or "aaaa -> bbbb (head), second" in alembic("history")
    assert alembic("heads").split() == ["bbbb", "(head)"]
    top = snapshot_structure(url)
    alembic("downgrade", "-1")
    assert alembic("current").split() == ["aaaa"]
    again("downgrade", "base")
    assert snapshot_structure(url)["tables"].keys() == {"alembic_version"}
    again("upgrade", "head")
    assert diff_structure(top, snapshot_structure(url)) == []


def as_script(folder: Path, url: str, other: str) -> None:
    """``upgrade --sql`` builds on an empty database what the online upgrade builds."""
    script = run(folder, "alembic", "upgrade", "head", "--sql", env={"DATABASE_URL": url}).stdout
    with sa.create_engine(other, poolclass=sa.NullPool).connect() as connection:
        driver = connection.connection.dbapi_connection
        assert driver is not None
        driver.autocommit = True
        driver.execute(script)  # psycopg runs several statements where there are no parameters
    assert diff_structure(snapshot_structure(url), snapshot_structure(other)) == []


def test_from_init(databases: Databases, tmp_path: Path) -> None:
    run(tmp_path, "sg-migrate", "init", "warehouse", "--from", str(SAMPLES[0]))
    folder = tmp_path / "warehouse"
    every_command(folder, f"sqlite:///{folder}/warehouse.db")
    script = run(folder, "alembic", "upgrade", "head", "--sql")
    assert "CREATE TABLE shot" in script.stdout
    run_here(folder, "alembic", "check")


@pytest.mark.long
def test_from_init_on_postgresql(databases: Databases, tmp_path: Path) -> None:
    run(tmp_path, "sg-migrate", "init", "warehouse", "--from", str(SAMPLES[0]))
    url = databases.new("postgresql")
    every_command(tmp_path / "warehouse", url)
    as_script(tmp_path / "warehouse", url, databases.new("postgresql"))


@pytest.mark.long
def test_from_the_template(tmp_path: Path) -> None:
    """``alembic init -t``, then a snapshot, then all as ever."""
    run(tmp_path, "alembic", "init", "-t", str(TEMPLATE), "migrations")
    run(tmp_path, "sg-migrate", "snapshot", "--from", str(SAMPLES[0]))
    every_command(tmp_path, f"sqlite:///{tmp_path}/warehouse.db")


def test_the_template_is_in_the_wheel(tmp_path: Path) -> None:
    """What is installed is the wheel, and the project is made from the template inside it."""
    built = subprocess.run(
        [sys.executable, "-m", "build", "--wheel", "--no-isolation", "--outdir", str(tmp_path), str(REPOSITORY)],
        capture_output=True,
        text=True,
    )
    assert built.returncode == 0, built.stderr
    wheel = next(tmp_path.glob("*.whl"))
    site = tmp_path / "site"
    with zipfile.ZipFile(wheel) as archive:
        names = archive.namelist()
        assert {f"sg_migrate/{name}" for name in BUILT} <= set(names)
        assert {f"sg_migrate/sample_schemas/{path.name}" for path in SAMPLES} <= set(names)
        assert not [name for name in names if name.startswith(("tests/", "alembic_template/"))]
        archive.extractall(site)
    program = (
        "import sys, sg_migrate, sg_migrate.revisions.template as t; sys.argv[0] = 'sg-migrate';"
        "assert sg_migrate.__file__.startswith(sys.argv[1]) and str(t.template_directory()).startswith(sys.argv[1]);"
        "del sys.argv[1]; from sg_migrate.cli import main; main()"
    )
    env = {"PYTHONPATH": str(site)}
    run(tmp_path, "python", "-c", program, str(site), "init", "warehouse", "--from", str(SAMPLES[0]), env=env)
    run(tmp_path / "warehouse", "alembic", "revision", "--autogenerate", "-m", "first", env=env)
    run(tmp_path / "warehouse", "alembic", "upgrade", "head", env=env)
    run(tmp_path / "warehouse", "alembic", "check", env=env)


# --- projects that do not use us


MODELS = """
import sqlalchemy as sa
metadata = sa.MetaData()
sa.Table("shot", metadata, sa.Column("id", sa.Integer, primary_key=True), sa.Column("code", sa.String(20), index=True))
"""


def _stock_project(folder: Path) -> None:
    folder.mkdir()
    run_here(folder, "alembic", "init", "migrations")
    (folder / "models.py").write_text(MODELS, encoding="utf-8")
    env = folder / "migrations" / "env.py"
    text = env.read_text(encoding="utf-8")
    env.write_text(text.replace("target_metadata = None", "from models import metadata as target_metadata"))
    ini = folder / "alembic.ini"
    ini.write_text(ini.read_text(encoding="utf-8").replace("driver://user:pass@localhost/dbname", "sqlite:///own.db"))


def _without_us(folder: Path) -> dict[str, str]:
    """An environment in which our plugin's entry point does not exist: the packages but for ours."""
    blocker = folder / "sitecustomize.py"
    blocker.write_text(
        "import importlib.metadata as m\n"
        "found = m.entry_points\n"
        "m.entry_points = lambda **k: m.EntryPoints(e for e in found(**k) if 'sg_migrate' not in e.value)\n",
        encoding="utf-8",
    )
    return {"PYTHONPATH": str(folder)}


def test_alembic_without_us_is_as_before(tmp_path: Path) -> None:
    """The same commands with our plugin installed and without it: the same files, the same answers."""
    (tmp_path / "blocked").mkdir()
    each = "for line in sys.argv[1:]: print('#', line); main(line.split())"
    program = f"import sys; from alembic.config import main\n{each}"
    commands = (
        "revision --autogenerate -m own --rev-id aaaa",
        *("upgrade head", "check", "current", "history --verbose", "downgrade base", "upgrade head --sql"),
    )
    answers = []
    for name, env in (("with", {}), ("without", _without_us(tmp_path / "blocked"))):
        folder = tmp_path / name
        _stock_project(folder)
        finished = run(folder, "python", "-c", program, *commands, env=env)
        assert all(f"# {command}\n" in finished.stdout for command in commands)
        written = []
        for stream in (finished.stdout, finished.stderr):
            lines = stream.replace(str(folder), "").splitlines()
            written.append([line for line in lines if "Create Date" not in line and "sg_migrate" not in line])
        text = next((folder / "migrations" / "versions").glob("*.py")).read_text(encoding="utf-8")
        assert "op.create_table('shot'" in text
        assert "sg_" not in text
        written.append([line for line in text.splitlines() if "Create Date" not in line])
        answers.append(written)
    assert answers[0] == answers[1]


def test_the_plugin_costs_little(tmp_path: Path) -> None:
    """An Alembic project that does not use us gets one small module more, in its packages; and nothing with it."""
    program = "import sys, alembic.autogenerate, alembic.context; print(*sys.modules)"
    (tmp_path / "blocked").mkdir()
    blocked = _without_us(tmp_path / "blocked")
    plain, ours = (set(run(tmp_path, "python", "-c", program, env=env).stdout.split()) for env in (blocked, {}))
    assert ours - plain == {"sg_migrate", "sg_migrate.revisions", "sg_migrate.revisions.plugin"}
    assert not plain & {"sg_migrate", "shotgun_api3", "deepdiff", "rich", "click"}


# --- pytest-alembic

CONFTEST = """
import pytest, sqlalchemy as sa
from pytest_alembic.config import Config

@pytest.fixture
def alembic_config():
    return Config(config_options={"file": "alembic.ini", "script_location": "migrations"})

@pytest.fixture
def alembic_engine(tmp_path, monkeypatch):
    url = f"sqlite:///{tmp_path}/warehouse.db"
    monkeypatch.setenv("DATABASE_URL", url)
    engine = sa.create_engine(url)
    yield engine
    engine.dispose()
"""
BUILT_IN = {
    "test_single_head_revision",
    "test_upgrade",
    "test_model_definitions_match_ddl",
    "test_up_down_consistency",
}


@pytest.mark.long
def test_pytest_alembic(tmp_path: Path) -> None:
    studio = Studio(tmp_path / "warehouse")
    for number, source in enumerate(SAMPLES[:2]):
        studio.follow(load_schema(source).schema, f"step{number}")
    folder = studio.folder
    (folder / "tests").mkdir()
    (folder / "tests" / "conftest.py").write_text(CONFTEST, encoding="utf-8")
    (folder / "tests" / "test_migrations.py").write_text(
        f"from pytest_alembic.tests import {', '.join(sorted(BUILT_IN))}\n", encoding="utf-8"
    )
    finished = run(folder, "pytest", "-v", "-p", "no:cacheprovider", "tests")
    passed = {line.split("::")[1].split()[0] for line in finished.stdout.splitlines() if "PASSED" in line}
    assert passed == BUILT_IN
    studio.take(SAMPLES[2])
    finished = run(folder, "pytest", "-v", "-p", "no:cacheprovider", "tests", fails=True)
    failed = {
        line.split("::")[1].split()[0] for line in finished.stdout.splitlines() if "FAILED" in line and "%" in line
    }
    assert failed == {"test_model_definitions_match_ddl"}
