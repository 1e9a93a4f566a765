"""The generated classes read and write a real warehouse."""

from __future__ import annotations

import importlib.util
import sys
from pathlib import Path
from types import ModuleType

import pytest
import sqlalchemy as sa
from sites import SAMPLES, site
from sqlalchemy.orm import Session
from studio import Studio


@pytest.fixture(scope="module")
def studio(tmp_path_factory: pytest.TempPathFactory) -> Studio:
    """The warehouse of an invented studio's whole site."""
    folder = tmp_path_factory.mktemp("models")
    studio = Studio(folder / "project", f"sqlite:///{folder / 'warehouse.db'}")
    studio.take(SAMPLES[4])
    studio.revise()
    studio.upgrade()
    return studio


def generate(studio: Studio, kind: str) -> ModuleType:
    out = studio.folder / f"models_{kind}.py"
    result = studio.sg_migrate("models", str(out), "--kind", kind)
    assert result.exit_code == 0, result.output
    spec = importlib.util.spec_from_file_location(out.stem, out)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    sys.modules[out.stem] = module
    spec.loader.exec_module(module)
    return module


@pytest.mark.parametrize("kind", ["declarative", "dataclasses"])
def test_the_classes_write_and_read_rows(studio: Studio, kind: str) -> None:
    module = generate(studio, kind)
    engine = sa.create_engine(studio.url)
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


def test_the_tables_are_those_of_the_warehouse(studio: Studio) -> None:
    module = generate(studio, "tables")
    tables = {item.name for item in vars(module).values() if isinstance(item, sa.Table)}
    assert tables == set(studio.structure()["tables"])


def test_stdout(tmp_path: Path) -> None:
    small = Studio(tmp_path / "small")
    small.follow(site(Shot={"code": "text"}), "r1")
    result = small.sg_migrate("models", "-")
    assert result.exit_code == 0, result.output
    assert "class Shot(Base):" in result.stdout
