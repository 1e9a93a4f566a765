"""``sg-migrate revision``: snapshot, revision and review in one go, with and without site and database."""

from __future__ import annotations

import json
import re
import sys
from pathlib import Path

import pytest
from click.testing import Result
from markdowncheck import tables
from reviewed import Reviewed, message_of, small_site
from sites import SAMPLES, changed
from studio import Studio, normalised
from testsite import LocalSite

pytest_plugins = ["reviewfixtures"]

BIN = Path(sys.executable).parent


def run(made: Reviewed, *arguments: str, **environment: str) -> Result:
    return made.inside("revision", *arguments, env=environment)


def files(made: Reviewed) -> dict[str, bytes]:
    """Everything in the project but compiled modules."""
    return {str(path): path.read_bytes() for path in sorted(made.folder.rglob("*"))
            if path.is_file() and "__pycache__" not in path.parts}  # fmt: skip


def test_the_file_is_the_one_that_alembic_writes(tmp_path: Path) -> None:
    """Both over a history: Alembic on its database, ours without any."""
    alembic = Studio(tmp_path / "alembic", f"sqlite:///{tmp_path / 'alembic.db'}")
    ours = Reviewed(tmp_path / "ours")
    for number, state in enumerate(SAMPLES[:4], start=1):
        name = f"r{number}"
        alembic.take(state)
        alembic.revise(name, rev_id=name)
        alembic.upgrade()
        result = run(ours, "--from", str(state), "--accept-retirements", "-m", name, "--rev-id", name)
        assert result.exit_code in (3, 4)
        assert normalised(ours.revision(name)) == normalised(alembic.versions / f"{name}_{name}.py")
    assert not ours.database.exists()
    shown = [re.sub(r'"since": "[^"]*"', "", made.snapshot.read_text()) for made in (alembic, ours)]
    assert shown[0] == shown[1]


def test_the_live_site_becomes_a_snapshot_a_revision_and_a_review(small: Reviewed) -> None:
    with LocalSite(small_site(sg_new="date")) as site:
        result = run(small, **site.environment)
        assert result.exit_code == 3
        assert site.requests["schema_read"] == 1
    assert "Shot.sg_new added" in result.stdout
    assert "sg_new" in small.snapshot.read_text()
    assert len(list(small.versions.glob("*.py"))) == 2
    assert site.api_key not in result.output


def test_nothing_to_do_writes_nothing_and_exits_with_0(small: Reviewed) -> None:
    before = files(small)
    result = run(small)
    assert result.exit_code == 0
    assert result.stdout == ""
    assert "Nothing to do" in result.stderr
    assert files(small) == before


def test_a_change_without_columns_refreshes_the_snapshot_alone(small: Reviewed) -> None:
    other = changed(small_site(), "Shot.sg_status", valid_values=("apr", "rev"))
    result = run(small, "--from", small.written(other))
    assert result.exit_code == 0
    assert len(list(small.versions.glob("*.py"))) == 1
    assert '"apr"' in small.snapshot.read_text()


def test_a_dry_run_shows_the_review_and_writes_nothing(small: Reviewed) -> None:
    source = small.written(small_site(sg_cut_in="number"))
    before = files(small)
    result = run(small, "--from", source, "--dry-run")
    assert result.exit_code == 3
    assert "SGM201" in result.stdout
    assert "SGM302" not in result.stdout
    assert files(small) == before


def test_the_exit_code_says_whether_somebody_must_look(small: Reviewed) -> None:
    assert run(small, "--from", small.written(small_site(sg_new="date"))).exit_code == 3
    assert run(small, "--from", small.written(small_site(sg_new="date", sg_cut_in="number"))).exit_code == 3
    small.configure(retire="drop")
    assert run(small, "--from", small.written(small_site(sg_new="date", sg_cut_in=""))).exit_code == 4


@pytest.mark.parametrize(
    ("types", "message"),
    [
        ({"sg_new": "date"}, "Shot.sg_new added"),
        ({"sg_cut_in": "number"}, "Shot.sg_cut_in text -> number"),
        ({"sg_cut_in": ""}, "Shot.sg_cut_in retired"),
        ({"sg_cut_in": "", "sg_new": "date", "sg_frames": "text"}, "Shot: 1 added, 1 retyped, 1 retired"),
    ],
)
def test_the_message_is_made_from_the_changes(small: Reviewed, types: dict[str, str], message: str) -> None:
    result = run(small, "--from", small.written(small_site(**types)), "--rev-id", "r2")
    assert result.stdout.splitlines()[0] == f"Revision r2: {message}"


def test_drift_stops_before_anything_is_written(small: Reviewed) -> None:
    small.upgrade()
    small.execute("ALTER TABLE shot DROP COLUMN sg_frames")
    source = small.written(small_site(sg_new="date"))
    before = files(small)
    done = run(small, "--from", source)
    assert done.exit_code == 1
    assert "shot.sg_frames" in message_of(done)
    assert files(small) == before
    assert run(small, "--from", source, "-x", "sg_drift=ignore").exit_code == 3


def test_a_clash_stops_before_anything_is_written(small: Reviewed) -> None:
    small.upgrade()
    small.execute("ALTER TABLE shot ADD COLUMN sg_new TEXT")
    source = small.written(small_site(sg_new="date"))
    before = files(small)
    result = run(small, "--from", source)
    assert result.exit_code == 1
    assert files(small) == before


def test_a_database_that_can_be_reached_is_counted_in(small: Reviewed) -> None:
    small.upgrade()
    small.execute("INSERT INTO shot (id, sg_cut_in) VALUES (1, '12'), (2, 'twelve')")
    result = run(small, "--from", small.written(small_site(sg_cut_in="number")))
    assert "2 rows, 2 values, 1 of them does not convert" in result.stdout


def test_several_heads_are_one_message(small: Reviewed) -> None:
    small.write("r2", "pass", on="r1")
    small.write("r3", "pass", on="r1")
    result = run(small, "--from", small.written(small_site(sg_new="date")))
    assert result.exit_code == 1
    assert len(list(small.versions.glob("*.py"))) == 3


def test_a_snapshot_that_cannot_be_written_leaves_no_revision(small: Reviewed) -> None:
    source = small.written(small_site(sg_new="date"))
    folder = small.snapshot.parent / "elsewhere"
    folder.mkdir()
    small.snapshot.rename(folder / "site_schema.json")
    small.configure(snapshot="elsewhere/site_schema.json")
    (folder / "site_schema.json").rename(folder / "kept.json")
    (folder / "site_schema.json").symlink_to(folder / "missing" / "site_schema.json")
    result = run(small, "--from", source)
    assert result.exit_code == 1
    assert len(list(small.versions.glob("*.py"))) == 1


def test_every_format_is_printed_and_stdout_holds_nothing_else(small: Reviewed) -> None:
    command = ("--from", small.written(small_site(sg_cut_in="number")), "--dry-run", "--format")
    done = small.run("sg-migrate", "revision", *command, "json", fails=True)
    assert done.returncode == 3
    assert json.loads(done.stdout)["level"] == "visible"
    result = run(small, *command, "markdown")
    assert result.exit_code == 3
    assert tables(result.stdout)


def test_no_driver_and_no_database_are_needed(small: Reviewed) -> None:
    source = small.written(small_site(sg_new="date"))
    result = run(small, "--from", source, DATABASE_URL="mysql+nodriver://me:s3cret@nowhere/none")
    assert result.exit_code == 3
    assert "judged for mysql" in result.stdout
    assert "s3cret" not in result.output
