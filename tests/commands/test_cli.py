"""The command line: exit codes, streams, speed, and one message for an expected failure."""

from __future__ import annotations

import subprocess
import sys
import time
from pathlib import Path

import pytest
from testsite import LocalSite

from sg_migrate import Field, SiteSchema, load, read_snapshot
from sg_migrate.site.schema import EntityType

SAMPLES = Path(__file__).parent.parent.parent / "sample_schemas"
FIRST, SECOND = SAMPLES / "01-2024-03-kickoff.json", SAMPLES / "02-2024-07-layout.json"


def run(folder: Path, *arguments: str, **environment: str) -> subprocess.CompletedProcess[str]:
    """The real command, with nothing in its environment but ``environment``."""
    return subprocess.run(
        [sys.executable, "-m", "sg_migrate", *arguments],
        cwd=folder, env=environment, capture_output=True, text=True, check=False,
    )  # fmt: skip


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

    again = run(tmp_path, "snapshot", "--from", str(FIRST), "--to", str(target), "--exit-code")
    assert (again.returncode, again.stdout) == (0, "")
    assert "unchanged" in again.stderr

    dry = run(tmp_path, "snapshot", "--from", str(SECOND), "--to", str(target), "--exit-code", "--dry-run")
    assert dry.returncode == 3
    assert 'Asset.sg_complexity "Complexity": data type text -> list\n' in dry.stdout
    assert "would be written" in dry.stderr
    assert target.read_bytes() == before

    assert run(tmp_path, "snapshot", "--from", str(SECOND), "--to", str(target)).returncode == 0
    assert read_snapshot(target).active().entity_types.keys() == load(SECOND).schema.entity_types.keys()


def test_what_gets_no_column_is_said(tmp_path: Path) -> None:
    source = SAMPLES / "05-2025-10-delivery.json"
    result = run(tmp_path, "snapshot", "--from", str(source), "--to", str(tmp_path / "site.json"))
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
    result = run(tmp_path, *arguments)
    assert result.returncode == code
    assert message in result.stderr
    assert "Traceback" not in result.stderr
    assert result.stdout == ""


def test_init_overwrites_nothing(tmp_path: Path) -> None:
    assert run(tmp_path, "init", ".", "--from", str(FIRST)).returncode == 0
    files = {path: path.read_bytes() for path in tmp_path.rglob("*") if path.is_file()}
    again = run(tmp_path, "init", ".", "--from", str(SECOND))
    assert again.returncode == 1
    assert "is there already; nothing was changed" in again.stderr
    assert {path: path.read_bytes() for path in tmp_path.rglob("*") if path.is_file()} == files


def small_site(*codes: str) -> SiteSchema:
    fields = {code: Field("Shot", code, "text", code.title()) for code in ("id", *sorted(codes))}
    return SiteSchema({"Shot": EntityType("Shot", "Shot", fields=fields)})


def test_a_live_snapshot_over_http(tmp_path: Path) -> None:
    with LocalSite(small_site("code")) as site:
        assert run(tmp_path, "init", ".", "--live", **site.environment).returncode == 0
        assert site.requests["schema_read"] == site.requests["schema_entity_read"] == 1
        site.schema = small_site("code", "sg_new")
        result = run(tmp_path, "snapshot", **site.environment)
    assert result.stdout == 'Shot.sg_new "Sg_New": new field (text)\n'
    assert site.environment["SG_API_KEY"] not in result.stdout + result.stderr


def test_a_wrong_key_is_refused_in_one_line_without_the_key(tmp_path: Path) -> None:
    with LocalSite(small_site("code")) as site:
        environment = {**site.environment, "SG_API_KEY": "wrong-key-4711"}
        result = run(tmp_path, "snapshot", "--to", "site.json", **environment)
    assert result.returncode == 1
    assert "Traceback" not in result.stderr
    assert "wrong-key-4711" not in result.stderr
    assert not (tmp_path / "site.json").exists()


def test_the_demo_runs_and_leaves_a_project(tmp_path: Path) -> None:
    result = run(tmp_path, "demo", "played", DATABASE_URL="sqlite:////nonexistent/never-used.db")
    assert result.returncode == 0, result.stdout + result.stderr
    assert "~ sg_turnover" in result.stdout
    assert "'wk 34'" in result.stdout
    assert "No new upgrade operations detected." in result.stdout
    assert (tmp_path / "played" / "migrations" / "site_schema.json").exists()
    again = run(tmp_path, "demo", "played")
    assert again.returncode == 1
    assert "is there already" in again.stderr
