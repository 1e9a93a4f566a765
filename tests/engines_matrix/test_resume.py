"""`sg-migrate resume`: a revision that stopped half way on MariaDB is finished, wherever it stopped."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections import Counter
from pathlib import Path

import pytest
from sites import site
from structure import snapshot_structure
from studio import Studio

from sg_migrate.errors import ResumeError
from sg_migrate.revisions.resume import resume

FIRST = site(
    Shot={"code": "list", "cut": "text", "asset": "entity:Asset", "old": "text", "tags": "multi_entity:Asset"},
    Asset={"code": "text"},
)
SECOND = site(
    Shot={
        "code": "text",
        "cut": "number",
        "asset": "multi_entity:Asset",
        "tags": "multi_entity:Asset",
        "new": "date",
    },
    Asset={"code": "text"},
    Task={"shot": "entity:Shot"},
)
RENAMED = [
    [["shot", "cut"], ["shot", "cut__was_text"]],
    [["shot", "asset_id"], ["shot", "asset_id__was_entity"]],
    [["shot", "asset_type"], ["shot", "asset_type__was_entity"]],
]


def two_revisions(folder: Path, url: str, **settings: str) -> Studio:
    """A project with r1 and r2, and an empty database."""
    studio = Studio(folder, url, **settings)
    for rev_id, schema in (("r1", FIRST), ("r2", SECOND)):
        studio.follow(schema, rev_id)
    return studio


def kill_everywhere(tmp_path: Path, url: str, *, repeats: int, stride: int = 1) -> Counter[str]:
    """Kills at every statement; how many of them were finished by resume, and how many had nothing to finish."""
    studio = two_revisions(tmp_path / "project", url)
    script = Path(__file__).with_name("kills.py")
    finished = subprocess.run(
        [sys.executable, str(script), str(studio.folder), url, str(repeats), str(stride)],
        env=os.environ | {"PYTHONPATH": str(script.parents[1]), "RENAMED": json.dumps(RENAMED)},
        capture_output=True, text=True,
    )  # fmt: skip
    assert finished.returncode == 0, finished.stderr[-3000:]
    outcomes = [json.loads(line) for line in finished.stdout.splitlines() if line.startswith("{")]
    wrong = [outcome for outcome in outcomes if outcome["wrong"]]
    assert not wrong, json.dumps(wrong[:3], indent=1)
    return Counter("resumed" if outcome["resumed"] else "nothing to resume" for outcome in outcomes)


def test_killed_at_every_ninth_statement(tmp_path: Path, mariadb_url: str) -> None:
    outcomes = kill_everywhere(tmp_path, mariadb_url, repeats=1, stride=9)
    assert outcomes["resumed"] > 5


def test_the_command(tmp_path: Path, mysql_url: str) -> None:
    studio = two_revisions(tmp_path / "project", mysql_url, foreign_keys="true")
    studio.upgrade("r1")
    studio.execute("CREATE TABLE task (id INT)")  # in the way of r2
    stopped = studio.run("alembic", "upgrade", "head", fails=True)
    assert "Table 'task' already exists" in stopped.stderr + stopped.stdout
    assert "sg-migrate resume" in stopped.stderr + stopped.stdout
    refused = studio.sg_migrate("resume")
    assert isinstance(refused.exception, ResumeError)
    assert "Revision r2 cannot be finished" in str(refused.exception)
    studio.execute("DROP TABLE task")
    assert studio.run("sg-migrate", "resume").stdout.startswith("upgrade r2: ")
    studio.check()
    again = studio.sg_migrate("resume")
    assert again.exception is None
    assert again.stdout == "Nothing to resume: no revision stopped half way.\n"


@pytest.mark.parametrize("engine_name", ["sqlite", "postgresql"], indirect=True)
def test_nothing_to_resume_where_ddl_is_taken_back(tmp_path: Path, engine_url: str) -> None:
    studio = two_revisions(tmp_path / "project", engine_url)
    studio.upgrade("r1")
    before = snapshot_structure(engine_url)
    assert resume(studio.config()) is None
    assert snapshot_structure(engine_url) == before


def test_a_database_changed_by_hand(tmp_path: Path, mariadb_url: str) -> None:
    studio = two_revisions(tmp_path / "project", mariadb_url)
    studio.upgrade("r1")
    studio.execute("ALTER TABLE shot ADD COLUMN `new` INT")
    before = snapshot_structure(mariadb_url)
    with pytest.raises(ResumeError, match="Revision r2 cannot be finished"):
        resume(studio.config())
    assert snapshot_structure(mariadb_url) == before


@pytest.mark.long
def test_killed_ten_times_at_every_statement(tmp_path: Path, mysql_url: str) -> None:
    outcomes = kill_everywhere(tmp_path, mysql_url, repeats=10)
    assert outcomes["resumed"] > 400
