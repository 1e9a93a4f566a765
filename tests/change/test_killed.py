"""Killed (SIGKILL) at named points: the snapshot stays whole, the same command run again succeeds, no value is lost.

The long test kills at every point at least ten times, `pytest -m long -rP tests/change/test_killed.py` prints where.
"""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from collections import Counter
from collections.abc import Mapping
from itertools import cycle, islice
from pathlib import Path

import pytest
from engines import Databases
from in_process import run_here
from sites import site, without
from structure import diff_structure
from studio import Studio
from testsite import LocalSite, raw_schema

from sg_migrate import read_snapshot

OLD = site(
    Shot={"code": "text", "sg_cut_in": "text Cut In", "sg_a": "text", "sg_b": "list", "sg_old": "text",
          "sg_plates": "multi_entity:Version", "sg_lead": "entity:HumanUser"},
    HumanUser={"login": "text"}, Version={"code": "text"}, Asset={"sg_x": "text", "sg_y": "text"},
)  # fmt: skip
NEW = site(
    Shot={"code": "text", "sg_cut_in": "number Cut In", "sg_a": "text A!", "sg_b": "text", "sg_c": "date",
          "sg_plates": "multi_entity:Version", "sg_lead": "entity:HumanUser,Group", "sg_d": "entity:Asset"},
    HumanUser={"login": "text", "sg_more": "multi_entity:Asset"}, Version={"code": "text", "entity": "entity:Shot"},
    Group={"code": "text", "users": "multi_entity:HumanUser"}, Asset={"sg_x": "number", "sg_z": "float"},
)  # fmt: skip
FILE_POINTS = ("before fsync", "after fsync", "before rename", "after rename", "before folder fsync",
               "after folder fsync", "exit")  # fmt: skip
UPGRADE_POINTS = tuple(
    f"{when} {what}" for what in ("ddl", "values", "stamp", "commit") for when in ("before", "after")
)
QUERY = "SELECT id, code, sg_a, sg_old, sg_lead_id, {} FROM shot ORDER BY id"
ROWS = [(1, "a", "x", "o", 7, "12"), (2, "b", None, "ö", None, "soon")]


def kill(studio: Studio, point: str, number: int, *command: str, env: Mapping[str, str] | None = None) -> str:
    """Run a command that ends at a point; what it said until then."""
    clean = {key: value for key, value in os.environ.items() if key != "DATABASE_URL" and not key.startswith("SG_")}
    script = Path(__file__).with_name("killed.py")
    done = subprocess.run(
        [sys.executable, str(script), point, str(number), *command],
        cwd=studio.folder, env=clean | dict(env or {}), capture_output=True, encoding="utf-8",
    )  # fmt: skip
    assert done.returncode == (0 if point == "count" else -signal.SIGKILL), f"{point} {number}: {done}"
    return done.stderr


def ready(folder: Path, url: str) -> Studio:
    """One revision old with rows, and the next one written: it adds, converts, retires, renames an index, drops."""
    studio = Studio(folder, url)
    studio.step(OLD)
    studio.execute(
        "INSERT INTO shot (id, code, sg_a, sg_old, sg_lead_id, sg_cut_in) VALUES"
        " (1, 'a', 'x', 'o', 7, '12'), (2, 'b', NULL, 'ö', NULL, 'soon')",
        "INSERT INTO shot__sg_plates (owner_id, linked_type, linked_id) VALUES (1, 'Version', 8)",
        "INSERT INTO asset (id, sg_x, sg_y) VALUES (1, '5', 'gone')",
    )
    studio.step(without(OLD, "Asset.sg_y"))
    studio.sg_migrate("prune", "Asset.sg_y")
    studio.take(NEW)
    assert studio.revise() is not None
    return studio


def kill_upgrades(studio: Studio, times: int, points: tuple[str, ...] = UPGRADE_POINTS) -> Counter[str]:
    """Kill ``alembic upgrade head`` at each point; look at what is left, run it again, and go back.

    A point that an upgrade passes several times is tried at each passing, and ``times`` at least; where ``times`` is 1,
    at the middle passing only.
    """
    before = studio.structure()
    counted = json.loads(kill(studio, "count", 0, "alembic", "upgrade", "head").splitlines()[-1])
    after = studio.structure()
    studio.downgrade()
    fell: Counter[str] = Counter()
    for point in points:
        passings = counted[point]
        everywhere = islice(cycle(range(1, passings + 1)), max(times, passings))
        for number in everywhere if times > 1 else [passings // 2 + 1]:
            kill(studio, point, number, "alembic", "upgrade", "head")
            fell[f"{point} ({passings} places)"] += 1
            done = point == "after commit"
            assert diff_structure(after if done else before, studio.structure()) == [], (point, number)
            values = QUERY.format("sg_cut_in__was_text" if done else "sg_cut_in")
            assert studio.rows(values) == ROWS, (point, number)
            studio.upgrade()
            assert diff_structure(after, studio.structure()) == [], (point, number)
            assert studio.rows(QUERY.format("sg_cut_in__was_text")) == ROWS
            assert studio.rows("SELECT sg_cut_in FROM shot ORDER BY id") == [(12,), (None,)]
            assert studio.rows("SELECT owner_id, linked_id FROM shot__sg_plates") == [(1, 8)]
            studio.downgrade()
    studio.upgrade()
    studio.check()
    return fell


def kill_snapshots(studio: Studio, folder: Path, times: int) -> Counter[str]:
    """Kill ``sg-migrate snapshot --from`` at each point: the file is the old one or the new one, and never a third."""
    source = folder / "new.json"
    fields, entities = raw_schema(without(OLD, "Asset.sg_y", "Shot.sg_old"))
    source.write_text(json.dumps({"schema_read": fields, "schema_entity_read": entities}))
    studio.take(OLD)
    old = studio.snapshot.read_bytes()
    studio.sg_migrate("snapshot", "--from", str(source))
    new = studio.snapshot.read_bytes()
    fell: Counter[str] = Counter()
    for point in FILE_POINTS:
        for _ in range(times):
            studio.snapshot.write_bytes(old)
            kill(studio, point, 1, "sg-migrate", "snapshot", "--from", str(source))
            fell[f"snapshot: {point}"] += 1
            renamed = point in ("after rename", "before folder fsync", "after folder fsync", "exit")
            assert studio.snapshot.read_bytes() == (new if renamed else old), point
            read_snapshot(studio.snapshot)
            again = studio.sg_migrate("snapshot", "--from", str(source))
            assert again.exit_code == 0, again.output
            assert studio.snapshot.read_bytes() == new, point
    return fell


def kill_revisions(studio: Studio, times: int) -> Counter[str]:
    """Kill a live ``alembic revision`` between snapshot and revision: run again, it writes the revision after all."""
    fell: Counter[str] = Counter()
    arguments = ("alembic", "revision", "--autogenerate", "-m", "x", "--rev-id", "x")
    versions = set(studio.versions.glob("*.py"))
    old = studio.snapshot.read_bytes()
    with LocalSite(NEW) as live:
        text = old.replace(b'"host": "studio.example.com"', f'"host": "{live.host}"'.encode())
        for point in ("before fsync", "before rename", "after rename", "before revision"):
            for _ in range(times):
                studio.snapshot.write_bytes(text)
                kill(studio, point, 1, *arguments, env=live.environment)
                fell[f"live revision: {point}"] += 1
                read_snapshot(studio.snapshot)
                assert (studio.snapshot.read_bytes() == text) == (point in ("before fsync", "before rename"))
                assert set(studio.versions.glob("*.py")) == versions
                run_here(studio.folder, *arguments[:-2], env=live.environment)
                (written,) = set(studio.versions.glob("*.py")) - versions
                assert "text -> number" in written.read_text()
                written.unlink()
                read_snapshot(studio.snapshot)
    return fell


def show(fell: Counter[str], where: str) -> None:
    print(f"\nKills, {where}:")
    for point, times in fell.items():
        print(f"  {times:4}  {point}")


@pytest.mark.parametrize("engine_name", ["sqlite", pytest.param("postgresql", marks=pytest.mark.long)])
def test_an_upgrade_killed(tmp_path: Path, databases: Databases, engine_name: str) -> None:
    studio = ready(tmp_path / "project", databases.new(engine_name))
    show(kill_upgrades(studio, 1, ("after ddl", "after values", "before commit", "after commit")), engine_name)


@pytest.mark.long
@pytest.mark.parametrize("engine_name", ["sqlite", "postgresql"])
def test_an_upgrade_killed_everywhere(tmp_path: Path, databases: Databases, engine_name: str) -> None:
    studio = ready(tmp_path / "project", databases.new(engine_name))
    fell = kill_upgrades(studio, 12)
    show(fell, engine_name)
    assert len(fell) == len(UPGRADE_POINTS)
    assert min(fell.values()) >= 10


def test_a_snapshot_killed(tmp_path: Path, sqlite_url: str) -> None:
    studio = Studio(tmp_path / "project", sqlite_url)
    show(kill_snapshots(studio, tmp_path, 1), "snapshot")


@pytest.mark.long
def test_a_snapshot_killed_everywhere(tmp_path: Path, sqlite_url: str) -> None:
    studio = Studio(tmp_path / "project", sqlite_url)
    fell = kill_snapshots(studio, tmp_path, 10)
    show(fell, "snapshot")
    assert min(fell.values()) >= 10


@pytest.mark.parametrize("times", [1, pytest.param(10, marks=pytest.mark.long)])
def test_a_live_revision_killed(tmp_path: Path, sqlite_url: str, times: int) -> None:
    studio = Studio(tmp_path / "project", sqlite_url)
    studio.step(OLD)
    studio.configure(source="live")
    fell = kill_revisions(studio, times)
    show(fell, "live revision")
    assert min(fell.values()) >= times
