"""The generated classes read and write a real warehouse."""

from __future__ import annotations

import importlib.util
import sys
from pathlib import Path
from types import ModuleType

import alembic.command
import pytest
import sqlalchemy as sa
from alembic.config import Config
from click.testing import CliRunner
from sqlalchemy.orm import Session

from sg_migrate.cli import cli

SAMPLE = Path(__file__).parent.parent / "sample_schemas" / "05-2025-10-delivery.json"


@pytest.fixture(scope="module")
def project(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("models")
    url = f"sqlite:///{folder / 'warehouse.db'}"
    runner = CliRunner()
    made = runner.invoke(cli, ["init", str(folder / "project"), "--from", str(SAMPLE), "--url", url])
    assert made.exit_code == 0, made.output
    config = Config(str(folder / "project" / "alembic.ini"))
    alembic.command.revision(config, message="first", autogenerate=True)
    alembic.command.upgrade(config, "head")
    return folder


def generate(project: Path, kind: str) -> ModuleType:
    out = project / f"models_{kind}.py"
    config = str(project / "project" / "alembic.ini")
    result = CliRunner().invoke(cli, ["models", str(out), "--kind", kind, "--config", config])
    assert result.exit_code == 0, result.output
    spec = importlib.util.spec_from_file_location(out.stem, out)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    sys.modules[out.stem] = module
    spec.loader.exec_module(module)
    return module


@pytest.mark.parametrize("kind", ["declarative", "dataclasses"])
def test_the_classes_write_and_read_rows(project: Path, kind: str) -> None:
    module = generate(project, kind)
    engine = sa.create_engine(f"sqlite:///{project / 'warehouse.db'}")
    number = {"declarative": 1, "dataclasses": 2}[kind]
    with Session(engine) as session:
        shot = module.Shot(id=number, code="it's 🦋") if kind == "declarative" else module.Shot(number, code="it's 🦋")
        session.add(shot)
        session.commit()
        assert session.get_one(module.Shot, number).code == "it's 🦋"
        # `metadata` is reserved on declarative classes, and a column's name on the site
        session.add(module.PublishedFile(id=number, metadata_={"frames": [1, 2]}))
        session.commit()
        assert session.execute(sa.text("SELECT metadata FROM published_file")).scalars().first()
    engine.dispose()


def test_the_tables_are_those_of_the_warehouse(project: Path) -> None:
    module = generate(project, "tables")
    tables = {item.name for item in vars(module).values() if isinstance(item, sa.Table)}
    engine = sa.create_engine(f"sqlite:///{project / 'warehouse.db'}")
    assert tables == set(sa.inspect(engine).get_table_names()) - {"alembic_version"}
    engine.dispose()


def test_stdout(project: Path) -> None:
    result = CliRunner().invoke(cli, ["models", "-", "--config", str(project / "project" / "alembic.ini")])
    assert "class Shot(Base):" in result.output
