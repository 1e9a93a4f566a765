"""`sg-migrate resume`: a revision that stopped half way on MariaDB is finished, wherever it stopped."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections import Counter
from pathlib import Path

import pytest
import sqlalchemy as sa
from histories import Warehouse, write_site
from structure import snapshot_structure

from sg_migrate.errors import ResumeError
from sg_migrate.revisions.resume import resume

FIRST = {
    "Shot": {"code": "list", "cut": "text", "asset": "entity Asset", "old": "text", "tags": "multi_entity Asset"},
    "Asset": {"code": "text"},
}
SECOND = {
    "Shot": {
        "code": "text",
        "cut": "number",
        "asset": "multi_entity Asset",
        "tags": "multi_entity Asset",
        "new": "date",
    },
    "Asset": {"code": "text"},
    "Task": {"shot": "entity Shot"},
}
RENAMED = [
    [["shot", "cut"], ["shot", "cut__was_text"]],
    [["shot", "asset_id"], ["shot", "asset_id__was_entity"]],
    [["shot", "asset_type"], ["shot", "asset_type__was_entity"]],
]


def warehouse_at_r1(folder: Path, url: str, **settings: str) -> Warehouse:
    """A project with r1 and r2; the database is at r1."""
    warehouse = Warehouse(folder, f"sqlite:///{folder}.db", **settings)
    for name, site in (("r1", FIRST), ("r2", SECOND)):
        warehouse.take(write_site(folder / "site.json", site))
        warehouse.revision(name)
        warehouse.upgrade()
    warehouse.url = url
    warehouse.upgrade("r1")
    return warehouse


def kill_everywhere(tmp_path: Path, url: str, *, repeats: int, stride: int = 1) -> Counter[str]:
    """Kills at every statement; how many of them were finished by resume, and how many had nothing to finish."""
    warehouse = warehouse_at_r1(tmp_path / "project", url)
    warehouse.downgrade("base")
    script = Path(__file__).with_name("kills.py")
    path = os.pathsep.join([str(script.parent), str(script.parent.parent)])
    finished = subprocess.run(
        [sys.executable, str(script), str(warehouse.folder), url, str(repeats), str(stride)],
        env=os.environ | {"PYTHONPATH": path, "RENAMED": json.dumps(RENAMED)}, capture_output=True, text=True,
    )  # fmt: skip
    assert finished.returncode == 0, finished.stderr[-3000:]
    outcomes = [json.loads(line) for line in finished.stdout.splitlines() if line.startswith("{")]
    wrong = [outcome for outcome in outcomes if outcome["wrong"]]
    assert not wrong, json.dumps(wrong[:3], indent=1)
    return Counter("resumed" if outcome["resumed"] else "nothing to resume" for outcome in outcomes)


def test_killed_at_every_ninth_statement(tmp_path: Path, mariadb_url: str) -> None:
    outcomes = kill_everywhere(tmp_path, mariadb_url, repeats=1, stride=9)
    assert outcomes["resumed"] > 5


def sg_migrate(warehouse: Warehouse, *arguments: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "sg_migrate", *arguments],
        cwd=warehouse.folder, env=os.environ | {"DATABASE_URL": warehouse.url}, capture_output=True, text=True,
    )  # fmt: skip


def run(url: str, *statements: str) -> None:
    with sa.create_engine(url, poolclass=sa.NullPool).begin() as connection:
        for statement in statements:
            connection.exec_driver_sql(statement)


def test_the_command(tmp_path: Path, mysql_url: str) -> None:
    warehouse = warehouse_at_r1(tmp_path / "project", mysql_url, foreign_keys="true")
    run(mysql_url, "CREATE TABLE task (id INT)")  # in the way of r2
    stopped = subprocess.run(
        [sys.executable, "-m", "alembic", "upgrade", "head"],
        cwd=warehouse.folder, env=os.environ | {"DATABASE_URL": mysql_url}, capture_output=True, text=True,
    )  # fmt: skip
    assert "Table 'task' already exists" in stopped.stderr + stopped.stdout
    assert "sg-migrate resume" in stopped.stderr + stopped.stdout
    refused = sg_migrate(warehouse, "resume")
    assert refused.returncode == 1
    assert "Revision r2 cannot be finished" in refused.stderr
    run(mysql_url, "DROP TABLE task")
    resumed = sg_migrate(warehouse, "resume")
    assert resumed.returncode == 0, resumed.stderr
    assert resumed.stdout.startswith("upgrade r2: ")
    warehouse.check()
    again = sg_migrate(warehouse, "resume")
    assert (again.returncode, again.stdout) == (0, "Nothing to resume: no revision stopped half way.\n")


@pytest.mark.parametrize("engine_name", ["sqlite", "postgresql"], indirect=True)
def test_nothing_to_resume_where_ddl_is_taken_back(tmp_path: Path, engine_url: str) -> None:
    warehouse = warehouse_at_r1(tmp_path / "project", engine_url)
    before = snapshot_structure(engine_url)
    assert resume(warehouse.config()) is None
    assert snapshot_structure(engine_url) == before


def test_a_database_changed_by_hand(tmp_path: Path, mariadb_url: str) -> None:
    warehouse = warehouse_at_r1(tmp_path / "project", mariadb_url)
    run(mariadb_url, "ALTER TABLE shot ADD COLUMN `new` INT")
    before = snapshot_structure(mariadb_url)
    with pytest.raises(ResumeError, match="Revision r2 cannot be finished"):
        resume(warehouse.config())
    assert snapshot_structure(mariadb_url) == before


@pytest.mark.long
def test_killed_ten_times_at_every_statement(tmp_path: Path, mysql_url: str) -> None:
    outcomes = kill_everywhere(tmp_path, mysql_url, repeats=10)
    assert outcomes["resumed"] > 400
