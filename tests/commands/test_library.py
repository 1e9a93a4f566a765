"""What a command does, a function does: a year with a site without one command but Alembic's own."""

from __future__ import annotations

import sqlite3
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import alembic.command
import pytest
from sites import REPOSITORY, site
from studio import execute

from sg_migrate.comparison.checks import exit_code, run_checks
from sg_migrate.comparison.sides import Sides
from sg_migrate.errors import DriftError, SnapshotError
from sg_migrate.review.findings import Level
from sg_migrate.review.next_revision import merged_snapshot, next_revision
from sg_migrate.review.reviews import review_revisions
from sg_migrate.revisions.finish import finish_conversions
from sg_migrate.revisions.project import Project
from sg_migrate.revisions.prune import prune
from sg_migrate.revisions.template import create_project
from sg_migrate.site.loaded import Loaded
from sg_migrate.site.taking import take_snapshot
from sg_migrate.warehouse.mark import Mark

COMMANDS = REPOSITORY / "sg_migrate" / "commands"


def shots(**fields: str) -> Loaded:
    """A site of shots, as if it had been read from somewhere."""
    return Loaded(site(Shot=fields), "made up")


def versions(project: Project) -> list[str]:
    return sorted(path.name for path in Path(project.scripts.dir, "versions").glob("*.py"))


@pytest.fixture
def ini(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A project with a revision, a database and a row."""
    monkeypatch.delenv("DATABASE_URL", raising=False)
    made = create_project(tmp_path / "p", url=f"sqlite:///{tmp_path}/p/warehouse.db")
    monkeypatch.chdir(made.parent)
    project = Project.find(made)
    taken = take_snapshot(project.snapshot_path, shots(code="text", sg_cut="text"))
    assert (taken.stored, taken.changed, taken.written) == (None, True, True)
    first = next_revision(project, taken.snapshot, message="first", rev_id="r1")
    assert first.review is not None
    assert first.review.level == Level.SAFE
    alembic.command.upgrade(Project.find(made).config, "head")
    rows = "INSERT INTO shot (id, sg_cut) VALUES (1, '12'), (2, 'wk 3'), (3, '14')"
    execute(f"sqlite:///{made.parent}/warehouse.db", rows)
    return made


def test_a_site_is_followed(ini: Path) -> None:
    project = Project.find(ini)
    snapshot = merged_snapshot(project, shots(code="text", sg_cut="number"))
    before = project.snapshot_path.read_bytes()
    dry = next_revision(project, snapshot, dry_run=True)
    assert dry.review is not None
    assert (dry.review.level, dry.snapshot_written) == (Level.VISIBLE, False)
    assert (versions(project), project.snapshot_path.read_bytes()) == (["r1_first.py"], before)

    written = next_revision(Project.find(ini), snapshot, rev_id="r2")
    assert written.snapshot_written
    found = review_revisions(Project.find(ini))
    assert [one.revision for one in found.reviews] == ["r2"]
    assert (found.unasked, found.uncounted) == ("", False)
    assert {check.name: check.status for check in run_checks(Project.find(ini))}["head and database"] == "differs"
    assert next_revision(Project.find(ini), snapshot).review is None, "nothing is left to do"

    alembic.command.upgrade(Project.find(ini).config, "head")
    assert exit_code(run_checks(Project.find(ini))) == 0
    assert review_revisions(Project.find(ini), ["r2"]).uncounted
    assert Sides(lambda: Project.find(ini)).difference("db", "built").changes == ()


def test_a_conversion_is_finished_in_batches(ini: Path) -> None:
    snapshot = merged_snapshot(Project.find(ini), shots(code="text", sg_cut="number"))
    next_revision(Project.find(ini), snapshot, rev_id="r2")
    alembic.command.upgrade(Project.find(ini, {"carry_inline_rows": "0"}).config, "head")
    ini.write_text(ini.read_text().replace("[sg_migrate]\n", "[sg_migrate]\ncarry_inline_rows = 0\n", 1))
    alembic.command.downgrade(Project.find(ini).config, "-1")
    alembic.command.upgrade(Project.find(ini).config, "head")
    seen: list[tuple[str, int]] = []

    def watch(mark: Mark, rows: int) -> Callable[[int], object]:
        seen.append((mark.field, rows))
        return lambda done: seen.append(("batch", done))

    (finished,) = finish_conversions(Project.find(ini), 2, watch)
    assert seen == [("sg_cut", 3), ("batch", 2), ("batch", 1)]
    assert finished.mark.field == "sg_cut"
    with sqlite3.connect(ini.parent / "warehouse.db") as connection:
        assert connection.execute("SELECT sg_cut FROM shot ORDER BY id").fetchall() == [(12,), (None,), (14,)]
    connection.close()
    assert list(finish_conversions(Project.find(ini))) == []


def test_what_is_retired_is_pruned(ini: Path) -> None:
    project = Project.find(ini)
    taken = take_snapshot(project.snapshot_path, shots(code="text"), accept_retirements=True)
    assert [str(change) for change in taken.changes] == [
        'Shot.sg_cut "sg_cut": retired: no longer on the site, kept in the warehouse'
    ]
    before = project.snapshot_path.read_bytes()
    (item,) = prune(Project.find(ini), ["Shot.sg_cut"], dry_run=True)
    assert (item.objects, project.snapshot_path.read_bytes()) == (("column shot.sg_cut",), before)
    assert prune(Project.find(ini), ["Shot.sg_cut"]) == [item]
    found = next_revision(Project.find(ini), Project.find(ini).required_snapshot())
    assert found.review is not None
    assert found.review.level == Level.DESTRUCTIVE


def test_a_reading_that_is_not_kept_writes_nothing(ini: Path) -> None:
    project = Project.find(ini)
    before = project.snapshot_path.read_bytes()
    taken = take_snapshot(project.snapshot_path, shots(code="text", sg_new="hologram"), dry_run=True)
    assert (taken.changed, taken.written, project.snapshot_path.read_bytes()) == (True, False, before)
    assert [field.code for field in taken.new_fields] == ["sg_new"]


def test_the_snapshot_and_the_revision_are_both_written_or_neither(ini: Path) -> None:
    project = Project.find(ini)
    snapshot = merged_snapshot(project, shots(code="text", sg_cut="text", sg_new="text"))
    blocked = Project.find(ini, {"snapshot": "nowhere/site_schema.json"})
    with pytest.raises(SnapshotError):
        next_revision(blocked, snapshot)
    assert versions(project) == ["r1_first.py"]


def test_a_database_that_somebody_changed_stops_it(ini: Path) -> None:
    execute(f"sqlite:///{ini.parent}/warehouse.db", "ALTER TABLE shot DROP COLUMN sg_cut")
    project = Project.find(ini)
    before = project.snapshot_path.read_bytes()
    with pytest.raises(DriftError):
        next_revision(project, merged_snapshot(project, shots(code="text", sg_cut="text", sg_new="text")))
    assert (versions(project), project.snapshot_path.read_bytes()) == (["r1_first.py"], before)


def test_the_library_prints_nothing_and_needs_no_command_line() -> None:
    modules = ["comparison.checks", "comparison.sides", "review.next_revision", "review.reviews", "revisions.adopt",
               "revisions.finish", "revisions.prune", "revisions.resume", "site.taking"]  # fmt: skip
    code = f"import sys; [__import__('sg_migrate.' + name) for name in {modules}]; print('click' in sys.modules)"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout == "False\n"


def test_a_command_is_a_thin_shell() -> None:
    """Nothing that a library user would need: a command reads its options, calls a function, and shows what it gave."""
    for path in sorted(COMMANDS.glob("*.py")):
        text = path.read_text(encoding="utf-8")
        assert path.stem == "demo" or len(text.splitlines()) <= 90, path.name
        assert "class " not in text, f"{path.name}: a value that only a command knows"
        for other in COMMANDS.glob("*.py"):
            shared = other.stem in ("options", "output", "progress", "source")
            assert shared or f"sg_migrate.commands.{other.stem} import" not in text, f"{path.name} uses {other.name}"
