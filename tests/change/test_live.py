"""The live site, through the real client: one command for revision and snapshot, the guard, and who asks it."""

from __future__ import annotations

import os
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest
from in_process import run_here
from sites import site, without
from studio import Studio
from testsite import LocalSite

from sg_migrate import SiteSchema, read_snapshot
from sg_migrate.errors import ForeignHostError, MassRetirementError


def wide(fields: int = 30) -> SiteSchema:
    """Five entity types with enough fields for the guard to take notice."""
    codes = {f"sg_{number:02}": "text" for number in range(fields)}
    return site(dict.fromkeys(("Asset", "Note", "Shot", "Task", "Version"), codes))


@pytest.fixture
def live() -> Iterator[LocalSite]:
    with LocalSite(wide()) as live:
        yield live


@pytest.fixture
def studio(tmp_path: Path, sqlite_url: str, live: LocalSite, monkeypatch: pytest.MonkeyPatch) -> Studio:
    """A project that asks the site, one revision old."""
    for name, value in live.environment.items():
        monkeypatch.setenv(name, value)
    studio = Studio(tmp_path / "project", sqlite_url, source="live")
    assert studio.revise() is not None
    studio.upgrade()
    return studio


def files(studio: Studio) -> dict[str, bytes]:
    """Everything that a command may have written."""
    paths = [studio.snapshot, *studio.versions.glob("*.py")]
    return {path.name: path.read_bytes() for path in paths}


def test_one_command_leaves_the_revision_and_the_snapshot(tmp_path: Path, live: LocalSite) -> None:
    studio = Studio(tmp_path / "project")
    revision = ["alembic", "-x", "sg_source=live", "revision", "--autogenerate", "-m"]
    run_here(studio.folder, *revision, "first", env=live.environment)
    assert read_snapshot(studio.snapshot).schema.host == live.host
    for arguments in (["upgrade", "head"], ["current"], ["history"], ["downgrade", "base"], ["upgrade", "head"]):
        asked = live.requests.copy()
        run_here(studio.folder, "alembic", "-x", "sg_source=live", *arguments, env=live.environment)
        assert live.requests == asked, arguments
    live.schema = without(wide(), "Shot.sg_01")
    done = studio.run(*revision, "second", env=live.environment)
    assert live.requests["schema_read"] == live.requests["schema_entity_read"] == 2
    assert "0 of" not in done.stderr
    snapshot = studio.snapshot.read_text()
    assert '"Shot.sg_01": {"type": "text", "name": "sg_01", "state": "retired", "since": "' in snapshot
    (text,) = [path.read_text() for path in studio.versions.glob("*second.py")]
    assert "sg_01  retired on the site, kept in the warehouse" in text
    assert all(secret not in done.stderr + done.stdout + text + snapshot for secret in (live.api_key, live.password))


def test_check_asks_the_site_and_writes_nothing(studio: Studio, live: LocalSite) -> None:
    before = files(studio)
    studio.check()
    assert live.requests["schema_read"] == 2
    live.schema = without(wide(), "Shot.sg_01")
    with pytest.raises(Exception, match="New upgrade operations detected"):
        studio.check()
    assert files(studio) == before


def test_a_change_without_consequences_refreshes_the_snapshot_only(studio: Studio, live: LocalSite) -> None:
    before = files(studio)
    shot = {code: "text" for code in wide().entity_types["Shot"].fields if code != "id"} | {"step_1": "pivot_column"}
    live.schema = replace(wide(), entity_types={**wide().entity_types, **site(Shot=shot).entity_types})
    assert studio.revise() is None
    assert '"Shot.step_1"' in studio.snapshot.read_text()
    assert files(studio).keys() == before.keys()


@pytest.mark.parametrize(
    "lost",
    [("Asset", "Note"), tuple(f"{name}.sg_{i:02}" for name in ("Asset", "Shot", "Task") for i in range(15))],
    ids=["entity types", "fields"],
)
def test_a_mass_retirement_is_refused(studio: Studio, live: LocalSite, lost: tuple[str, ...]) -> None:
    before = files(studio)
    live.schema = without(wide(), *lost)
    for command in (studio.revise, studio.check):
        with pytest.raises(MassRetirementError, match="--accept-retirements"):
            command()
    refused = studio.sg_migrate("snapshot")
    assert isinstance(refused.exception, MassRetirementError)
    assert files(studio) == before
    assert studio.revise("step", "sg_accept_retirements=true") is not None
    assert studio.snapshot.read_bytes() != before[studio.snapshot.name]


def test_a_foreign_host_is_refused(studio: Studio, live: LocalSite) -> None:
    text = studio.snapshot.read_text().replace(f'"host": "{live.host}"', '"host": "kittiwake.example.com"')
    studio.snapshot.write_text(text)
    before = files(studio)
    live.schema = without(wide(), "Shot.sg_01")
    for command in (studio.revise, studio.check):
        with pytest.raises(ForeignHostError, match=r"belongs to kittiwake\.example\.com"):
            command()
    assert isinstance(studio.sg_migrate("snapshot").exception, ForeignHostError)
    assert files(studio) == before
    assert studio.sg_migrate("snapshot", "--rebind").exit_code == 0
    assert studio.revise() is not None


def test_the_real_command_says_it_in_one_line(studio: Studio, live: LocalSite) -> None:
    before = files(studio)
    live.schema = without(wide(), "Asset", "Note")
    live_variables = {key: value for key, value in os.environ.items() if key.startswith("SG_")}
    done = studio.run("alembic", "revision", "--autogenerate", "-m", "x", env=live_variables, fails=True)
    assert "FAILED: 2 of 5 entity types and 62 of 155 fields are no longer on the site." in done.stdout + done.stderr
    live.misbehave("html")
    done = studio.run("alembic", "revision", "--autogenerate", "-m", "x", env=live_variables, fails=True)
    assert "check SG_URL" in (done.stdout + done.stderr).replace("Check", "check")
    assert files(studio) == before
