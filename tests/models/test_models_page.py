"""docs/models.md and docs/shotgrid_orm.md are true: their examples run, in their order."""

from __future__ import annotations

import re
import warnings
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa
from engines import Databases
from scripts import render, script_of
from shotgun_api3.shotgun import Shotgun
from studio import Studio
from testsite import LocalSite
from tracker import tracker, write_tracker

from sg_migrate.models import Models, build_models

DOCS = Path(__file__).parents[2] / "docs"


def run(page: Path, names: dict[str, Any]) -> None:
    """The examples of a page, one behind the other; a failure tells the page's line."""
    text = page.read_text(encoding="utf-8")
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        for match in re.finditer(r"```python\n(.*?)```", text, re.DOTALL):
            line = text[: match.start(1)].count("\n")
            exec(compile("\n" * line + match[1], str(page), "exec"), names)  # noqa: S102 - our own page


def test_the_examples_run(
    databases: Databases, engine_name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    write_tracker(tmp_path / "site.json")
    monkeypatch.chdir(tmp_path)
    run_with(sa.create_engine(databases.new(engine_name)))


def test_they_run_with_the_classes_of_a_script(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    with script_of(render(tracker())) as script:
        monkeypatch.setattr("sg_migrate.models.build_models", lambda source: Models(script.Base), raising=False)
        run_with(sa.create_engine("sqlite://"))


def run_with(engine: sa.Engine) -> None:
    names: dict[str, Any] = {"engine": engine}
    run(DOCS / "models.md", names)
    names["session"].close()
    engine.dispose()


def test_the_examples_for_people_from_shotgrid_orm_run(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    write_tracker(tmp_path / "schema.json")
    Studio(tmp_path / "project").sg_migrate(
        "models", str(tmp_path / "sgmodel.py"), "--from", str(tmp_path / "schema.json")
    )
    monkeypatch.chdir(tmp_path)
    monkeypatch.syspath_prepend(str(tmp_path))
    with LocalSite(tracker()) as site:
        site.records.put("Shot", 7, {"code": "070", "project": {"type": "Project", "id": 1, "name": "Demo"}})
        user = Shotgun(site.url, login=site.login, password=site.password)
        assert set(build_models(user)) == set(tracker().entity_types)
        names: dict[str, Any] = {"sg": Shotgun(site.url, script_name=site.script, api_key=site.api_key)}
        run(DOCS / "shotgrid_orm.md", names)
    names["engine"].dispose()
