"""Two branches of one git repository, each with a revision and a changed snapshot, merged by git and by Alembic."""

from __future__ import annotations

import os
import subprocess
from datetime import date
from pathlib import Path

import pytest
from in_process import run_here
from sites import site, without
from studio import Studio

from sg_migrate import SiteSchema, read_snapshot
from sg_migrate.errors import FoldError, SnapshotConflictError

BASE = site(
    Asset={"code": "text", "sg_old": "text"},
    Shot={"code": "text", "sg_cut_in": "text", "sg_m": "text", "sg_z": "text"},
    Version={"code": "text"},
)


def grown(schema: SiteSchema, entity_type: str, **fields: str) -> SiteSchema:
    old = schema.entity_types[entity_type].fields.values()
    known = {f.code: f"{f.data_type} {f.name}" for f in old if f.code != "id"}
    return SiteSchema({**schema.entity_types, **site({entity_type: known | fields}).entity_types}, schema.host)


class Team:
    """A studio in a git repository."""

    def __init__(self, studio: Studio) -> None:
        self.studio = studio
        studio.step(BASE)
        self.git("init", "--quiet", "--initial-branch=main")
        self.commit("first")

    def git(self, *arguments: str, fails: bool = False) -> str:
        names = {f"GIT_{who}_{what}": "x@example.com" for who in ("AUTHOR", "COMMITTER") for what in ("NAME", "EMAIL")}
        done = subprocess.run(
            ["git", "-c", "core.hooksPath=/dev/null", *arguments],
            cwd=self.studio.folder,
            env={**os.environ, **names, "GIT_CONFIG_GLOBAL": os.devnull, "GIT_CONFIG_NOSYSTEM": "1"},
            capture_output=True,
            encoding="utf-8",
        )
        assert (done.returncode != 0) == fails, done.stdout + done.stderr
        return done.stdout

    def commit(self, message: str) -> None:
        (self.studio.folder / ".gitignore").write_text("__pycache__\n*.db\n")
        self.git("add", "-A")
        self.git("commit", "--quiet", "-m", message)

    def branch(self, name: str, schema: SiteSchema, today: date) -> None:
        """A colleague reads the site on a branch that begins at the first commit, and writes a revision."""
        self.git("checkout", "--quiet", "-b", name, "main")
        self.studio.take(schema, today)
        run_here(self.studio.folder, "alembic", "revision", "--autogenerate", "-m", name, "--rev-id", name)
        self.commit(name)


@pytest.fixture
def team(tmp_path: Path, sqlite_url: str) -> Team:
    return Team(Studio(tmp_path / "project", sqlite_url))


def test_changes_that_are_apart_merge_by_themselves(team: Team) -> None:
    studio = team.studio
    team.branch("ours", grown(BASE, "Asset", sg_new="date New"), date(2026, 2, 1))
    team.branch("theirs", without(grown(BASE, "Shot", sg_turnover="number Turnover"), "Shot.sg_m"), date(2026, 2, 2))
    team.git("merge", "--quiet", "-m", "merge", "ours")

    both = studio.run("alembic", "upgrade", "head", fails=True)
    assert "Multiple head revisions are present" in both.stdout + both.stderr
    run_here(studio.folder, "alembic", "upgrade", "heads")
    run_here(studio.folder, "alembic", "check")  # true for two heads as well
    run_here(studio.folder, "alembic", "merge", "heads", "-m", "both", "--rev-id", "both")
    built = studio.built  # a merge revision carries no digest: the built state is what counts
    assert {"sg_new"} <= set(built["asset"].columns)
    assert {"sg_turnover", "sg_m"} <= set(built["shot"].columns)
    assert built["shot"].columns["sg_m"].mark.retired
    run_here(studio.folder, "alembic", "upgrade", "head")
    run_here(studio.folder, "alembic", "check")
    studio.take(grown(without(grown(BASE, "Asset", sg_new="date New"), "Shot.sg_m"), "Shot", sg_turnover="number"))
    pending = run_here(studio.folder, "alembic", "check", fails=True)  # the display name has changed since
    assert "New upgrade operations detected" in pending.stdout + pending.stderr
    studio.apply()


def test_changes_that_touch_are_a_clear_error_and_both_sides_mend_it(team: Team) -> None:
    studio = team.studio
    team.branch("ours", grown(BASE, "Shot", sg_cut_in="text Cut In", sg_n="text N"), date(2026, 2, 1))
    team.branch("theirs", without(grown(BASE, "Shot", sg_cut_in="text Cut In!", sg_o="text O"), "Shot.sg_m"),
                date(2026, 2, 2))  # fmt: skip
    team.git("merge", "--quiet", "-m", "merge", "ours", fails=True)
    text = studio.snapshot.read_text()
    line = text.splitlines().index("<<<<<<< HEAD") + 1
    with pytest.raises(SnapshotConflictError, match=f"line {line}: a merge conflict is left in the file") as caught:
        read_snapshot(studio.snapshot)
    assert caught.value.line == line
    for command in (["alembic", "upgrade", "theirs"], ["sg-migrate", "prune", "Shot.sg_m"]):
        message = run_here(studio.folder, *command, fails=True)
        assert f"site_schema.json: line {line}: a merge conflict is left" in message.stdout + message.stderr
    assert studio.snapshot.read_text() == text

    kept = [row for row in text.splitlines(keepends=True) if not row.startswith(("<<<<<<<", "=======", ">>>>>>>"))]
    studio.snapshot.write_text("".join(kept))
    now = grown(without(BASE, "Shot.sg_m"), "Shot", sg_cut_in="text Cut In", sg_n="text N", sg_o="text O")
    studio.take(now)
    assert studio.snapshot.read_text().count('"Shot.sg_cut_in"') == 1
    run_here(studio.folder, "alembic", "merge", "heads", "-m", "both", "--rev-id", "both")
    run_here(studio.folder, "alembic", "upgrade", "head")
    studio.apply()  # the display name, as the site has it now


def test_the_same_change_on_both_branches_is_made_once(team: Team) -> None:
    studio = team.studio
    team.branch("ours", grown(BASE, "Shot", sg_same="text Same"), date(2026, 2, 1))
    team.branch("theirs", grown(BASE, "Shot", sg_same="text Same"), date(2026, 2, 2))
    team.git("merge", "--quiet", "-m", "merge", "ours")  # the snapshots are equal
    before = studio.structure()
    refused = run_here(studio.folder, "alembic", "upgrade", "heads", fails=True)
    assert "shot.sg_same is added a second time" in refused.stdout + refused.stderr
    assert studio.structure() == before
    with pytest.raises(FoldError, match=r"shot\.sg_same is added a second time.*delete one of the two"):
        _ = studio.built
    (studio.versions / "theirs_theirs.py").unlink()
    run_here(studio.folder, "alembic", "upgrade", "head")
    run_here(studio.folder, "alembic", "check")
