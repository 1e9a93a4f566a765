"""The command line: exit codes, streams, speed, and one message for an expected failure."""

from __future__ import annotations

import shlex
import subprocess
import sys
import time
from pathlib import Path

import pytest
from in_process import run_here
from sites import SAMPLES, site
from testsite import LocalSite

from sg_migrate import load_schema, read_snapshot

FIRST, SECOND = SAMPLES[:2]


def run(folder: Path, *arguments: str, **environment: str) -> subprocess.CompletedProcess[str]:
    """The real command, with nothing in its environment but ``environment``."""
    return subprocess.run(
        [sys.executable, "-m", "sg_migrate", *arguments],
        cwd=folder, env=environment, capture_output=True, text=True, check=False,
    )  # fmt: skip


def here(folder: Path, *arguments: str, fails: bool = False) -> subprocess.CompletedProcess[str]:
    """The same without a new process."""
    return run_here(folder, "sg-migrate", *arguments, fails=fails)


def test_help_answers_without_importing_anything_heavy(tmp_path: Path) -> None:
    code = (
        "import sys\nsys.argv = ['sg-migrate', '--help']\nfrom sg_migrate.cli import main\n"
        "try:\n    main()\nexcept SystemExit:\n    pass\n"
        "print(sorted({'sqlalchemy', 'alembic', 'shotgun_api3', 'deepdiff', 'rich'} & set(sys.modules)))"
    )
    begun = time.perf_counter()
    result = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert result.stdout.splitlines()[-1] == "[]"
    assert time.perf_counter() - begun < 5, "a bound for a busy machine; about 0.1 s on a quiet one"


def test_a_snapshot_from_a_file_and_its_exit_codes(tmp_path: Path) -> None:
    target = tmp_path / "site.json"
    first = run(tmp_path, "snapshot", "--from", str(FIRST), "--to", str(target), "--exit-code")
    assert (first.returncode, first.stdout) == (3, "First snapshot: 19 entity types, 305 fields\n")
    assert "written (read: schema_read() and schema_entity_read() JSON)" in first.stderr
    before = target.read_bytes()

    again = here(tmp_path, "snapshot", "--from", str(FIRST), "--to", str(target), "--exit-code")
    assert (again.returncode, again.stdout) == (0, "")
    assert "unchanged" in again.stderr

    arguments = ["--from", str(SECOND), "--to", str(target)]
    dry = here(tmp_path, "snapshot", *arguments, "--exit-code", "--dry-run", fails=True)
    assert dry.returncode == 3
    assert 'Asset.sg_complexity "Complexity": data type text -> list\n' in dry.stdout
    assert "would be written" in dry.stderr
    assert target.read_bytes() == before

    here(tmp_path, "snapshot", *arguments)
    assert read_snapshot(target).active().entity_types.keys() == load_schema(SECOND).schema.entity_types.keys()


def test_what_gets_no_column_is_said(tmp_path: Path) -> None:
    result = here(tmp_path, "snapshot", "--from", str(SAMPLES[4]), "--to", str(tmp_path / "site.json"))
    assert "note: Asset.sg_volume_scan: data type 'hologram' is unknown; kept as text" in result.stderr
    assert "note: no columns for new fields of type password, pivot_column, summary" in result.stderr


@pytest.mark.parametrize(
    ("arguments", "code", "message"),
    [
        (["snapshot"], 1, "sg-migrate: alembic.ini: there is no such file. Name another with --config"),
        (["snapshot", "--to", "x.json"], 1, "sg-migrate: SG_URL: not set. Set SG_URL and either SG_SCRIPT"),
        (["snapshot", "--to", "x.json", "--from", "y.json"], 1, "sg-migrate: y.json: "),
        (["snapshot", "--nonsense"], 2, "No such option"),
        (["nonsense"], 2, "No such command"),
        (["init", ".", "--from", "y.json"], 1, "sg-migrate: y.json: "),
    ],
)
def test_an_expected_failure_is_one_message(tmp_path: Path, arguments: list[str], code: int, message: str) -> None:
    result = here(tmp_path, *arguments, fails=True)
    assert result.returncode == code
    assert message in result.stderr
    assert result.stdout == ""


def test_an_expected_failure_is_one_message_of_the_real_command(tmp_path: Path) -> None:
    result = run(tmp_path, "snapshot", "--to", "x.json", "--from", "y.json")
    assert result.returncode == 1
    assert result.stderr.startswith("sg-migrate: y.json: ")
    assert "Traceback" not in result.stderr
    assert result.stdout == ""


def test_init_overwrites_nothing(tmp_path: Path) -> None:
    here(tmp_path, "init", ".", "--from", str(FIRST))
    files = {path: path.read_bytes() for path in tmp_path.rglob("*") if path.is_file()}
    again = here(tmp_path, "init", ".", "--from", str(SECOND), fails=True)
    assert again.returncode == 1
    assert "is there already; nothing was changed" in again.stderr
    assert {path: path.read_bytes() for path in tmp_path.rglob("*") if path.is_file()} == files


BEFORE = site(Shot={"code": "text Code"})
AFTER = site(Shot={"code": "text Code", "sg_new": "text New"})


def test_a_live_snapshot_over_http(tmp_path: Path) -> None:
    with LocalSite(BEFORE) as live:
        assert run(tmp_path, "init", ".", "--live", **live.environment).returncode == 0
        assert live.requests["schema_read"] == live.requests["schema_entity_read"] == 1
        live.schema = AFTER
        result = run(tmp_path, "snapshot", **live.environment)
    assert result.stdout == 'Shot.sg_new "New": new field (text)\n'
    assert live.environment["SG_API_KEY"] not in result.stdout + result.stderr


def test_a_wrong_key_is_refused_in_one_line_without_the_key(tmp_path: Path) -> None:
    with LocalSite(BEFORE) as live:
        environment = {**live.environment, "SG_API_KEY": "wrong-key-4711"}
        result = run(tmp_path, "snapshot", "--to", "site.json", **environment)
    assert result.returncode == 1
    assert "Traceback" not in result.stderr
    assert "wrong-key-4711" not in result.stderr
    assert not (tmp_path / "site.json").exists()


def test_the_demo_runs_and_leaves_a_project(tmp_path: Path) -> None:
    result = run(tmp_path, "demo", "played", DATABASE_URL="sqlite:////nonexistent/never-used.db")
    assert result.returncode == 0, result.stdout + result.stderr
    assert "Values change or do not convert" in result.stdout
    assert len(result.stdout.splitlines()) <= 80
    assert "'wk 34'" in result.stdout
    assert result.stdout.count("entity types: ") == 2  # two loads
    assert "sg_sort_hack" in result.stdout
    assert (tmp_path / "played" / "migrations" / "site_schema.json").exists()
    *_, closing = result.stdout.partition("Then, from here:")
    for line in filter(None, closing.splitlines()):
        done = subprocess.run(shlex.split(line), cwd=tmp_path, capture_output=True, text=True, check=False)
        assert done.returncode in (0, 3), line + done.stdout + done.stderr
    again = here(tmp_path, "demo", "played", fails=True)
    assert again.returncode == 1
    assert "is there already" in again.stderr
