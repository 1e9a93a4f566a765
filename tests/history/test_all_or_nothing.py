"""An upgrade that fails half way leaves no trace where the engine's transactions hold DDL, SQLite among them."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from engines import Databases
from kept import kept_project
from oracle import Oracle
from structure import diff_structure, raw_connection, snapshot_structure
from studio import Studio

PLANTED = """    if op.get_context().connection is not None:
        raise RuntimeError("planted")"""


def catalog(url: str) -> list[Any]:
    """What the warehouse says of itself."""
    with raw_connection(url) as connection:
        return [
            connection.exec_driver_sql(f"SELECT * FROM {table} ORDER BY 1, 2").all()
            for table in ("sg_catalog_entity", "sg_catalog_field")
        ]


def half_way(studio: Studio, revision: Path) -> None:
    """Let the revision fail before its last group of operations, and its downgrade before its own."""
    text = revision.read_text(encoding="utf-8")
    body, back = text.split("def downgrade", 1)
    for number, part in enumerate((body, back)):
        lines = part.splitlines()
        groups = [at for at, line in enumerate(lines) if line.startswith("    # ") and "###" not in line]
        lines.insert(groups[-1], PLANTED)
        if number:
            back = "\n".join(lines)
        else:
            body = "\n".join(lines)
    revision.write_text(f"{body}\n\n\ndef downgrade{back}\n", encoding="utf-8")


@pytest.mark.parametrize("engine", ["sqlite", "postgresql"])
def test_a_failure_half_way_leaves_no_trace(engine: str, databases: Databases, tmp_path: Path) -> None:
    studio = kept_project(tmp_path / "project", databases.new(engine), 3)
    studio.upgrade("0002")
    oracle = Oracle(studio.url, ignore=["sg_catalog_*"])
    oracle.fill()
    known = catalog(studio.url)
    assert known[1]
    before = snapshot_structure(studio.url)
    (revision,) = studio.versions.glob("0003_*.py")
    good = revision.read_text(encoding="utf-8")
    half_way(studio, revision)
    with pytest.raises(RuntimeError, match="planted"):
        studio.upgrade()
    assert diff_structure(before, snapshot_structure(studio.url)) == []
    oracle.verify()
    assert catalog(studio.url) == known
    revision.write_text(good, encoding="utf-8")
    studio.upgrade()
    studio.check()
    after = snapshot_structure(studio.url)
    half_way(studio, revision)
    with pytest.raises(RuntimeError, match="planted"):
        studio.downgrade()
    assert diff_structure(after, snapshot_structure(studio.url)) == []
    revision.write_text(good, encoding="utf-8")
    studio.downgrade()
    assert diff_structure(before, snapshot_structure(studio.url)) == []
    oracle.verify()


@pytest.mark.parametrize("engine", ["sqlite", "postgresql"])
def test_several_revisions_are_one_upgrade(engine: str, databases: Databases, tmp_path: Path) -> None:
    """The second of two fails: neither is there."""
    studio = kept_project(tmp_path / "project", databases.new(engine), 2)
    (revision,) = studio.versions.glob("0002_*.py")
    before = snapshot_structure(studio.url)
    half_way(studio, revision)
    with pytest.raises(RuntimeError, match="planted"):
        studio.upgrade()
    assert diff_structure(before, snapshot_structure(studio.url)) == []


def test_the_real_command(databases: Databases, tmp_path: Path) -> None:
    """As above with ``alembic`` itself: a failing revision, and a database that cannot be read."""
    studio = kept_project(tmp_path / "project", databases.new("sqlite"), 3)
    studio.upgrade("0002")
    before = snapshot_structure(studio.url)
    (revision,) = studio.versions.glob("0003_*.py")
    text = revision.read_text(encoding="utf-8")
    planted = "    op.drop_column('shot', 'no_such_column')\n    # Comments\n"
    revision.write_text(text.replace("    # Comments\n", planted, 1), encoding="utf-8")
    finished = studio.run("alembic", "upgrade", "head", fails=True)
    assert "no_such_column" in finished.stdout + finished.stderr
    assert diff_structure(before, snapshot_structure(studio.url)) == []
