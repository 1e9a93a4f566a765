"""A site that is busy, broken or not to be had, and a warehouse that is not ready: one message, and the same command
goes on."""

from __future__ import annotations

import json
import os
import re
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from engines import Databases
from loads import Loads, fill, loads, same, shots
from people import STUDIO, differences
from studio import execute

from sg_migrate.errors import (
    BehindError,
    LoginRefusedError,
    RefusedError,
    SettingsError,
    SgMigrateError,
    UnreachableError,
)
from sg_migrate.load.pool import ATTEMPTS, Pool
from sg_migrate.load.run import load, opened

ENGINES = ("sqlite", "postgresql", "mariadb")


@pytest.fixture
def small(tmp_path: Path, sqlite_url: str) -> Iterator[Loads]:
    with loads(tmp_path / "p", sqlite_url, STUDIO) as studio:
        yield fill(studio)


@pytest.mark.parametrize("how", [408, 425, 429, 500, 502, 503, 504, "truncated", "drop", "unavailable"])
def test_what_passes_is_tried_again(small: Loads, how: Any) -> None:
    small.site.page_size = 4
    small.site.fail(how, 3)
    small.load()
    same(small)


def test_retry_after_is_honoured(small: Loads) -> None:
    small.site.fail(429, 1, **{"Retry_After": "1"})
    began = time.monotonic()
    small.load()
    assert 1.0 <= time.monotonic() - began < 5.0
    same(small)


@pytest.mark.parametrize(("how", "error"), [("html", UnreachableError), ("forbidden", UnreachableError)])
def test_what_does_not_pass_is_not_tried_again(small: Loads, how: Any, error: type[SgMigrateError]) -> None:
    small.site.misbehave(how, "read")
    with pytest.raises(error):
        small.load(jobs=1)
    assert small.site.requests["read"] == 1


def test_a_site_that_stays_away_ends_the_load_and_the_next_goes_on(small: Loads) -> None:
    small.site.page_size = 4
    small.site.fail(503, 0)
    count = 0

    def fail_later(params: dict[str, Any]) -> None:
        nonlocal count
        count += params["type"] == "Shot"
        if count == 2:
            small.site.misbehave("unavailable", "read")

    small.site.before_read = fail_later
    with pytest.raises(UnreachableError, match="503"):
        small.load(jobs=1)
    assert small.site.requests["read"] >= ATTEMPTS
    small.site.misbehave(None)
    small.site.before_read = lambda _: None
    assert small.rows("SELECT count(*) FROM asset") == [(1,)]
    summary = small.load(jobs=1)
    same(small)
    assert {one.entity_type: one.read for one in summary.outcomes}["Asset"] <= 1


def test_refused_credentials_are_not_tried_again(small: Loads) -> None:
    small.site.api_key = "another"
    with pytest.raises(LoginRefusedError, match="Check the credentials"):
        small.load()
    assert small.site.requests["schema_read"] == 1


def test_a_fault_of_the_site_is_its_own_error(small: Loads) -> None:
    small.site.hidden = {"Shot"}
    with Pool(jobs=1) as pool, pytest.raises(RefusedError, match="permission denied"):
        pool.find("Shot", [], ["code"])


def test_a_site_that_does_not_page_by_id(small: Loads) -> None:
    small.site.page_size = 4

    def ignore(params: dict[str, Any]) -> None:
        params["filters"]["conditions"].clear()

    small.site.before_read = ignore
    with pytest.raises(UnreachableError, match="page by id"):
        small.load(jobs=1)


def test_a_database_that_is_behind(small: Loads) -> None:
    small.studio.downgrade("base")
    with pytest.raises(BehindError, match="alembic upgrade head"):
        small.load()
    small.studio.upgrade()
    small.load()
    same(small)


def test_foreign_keys_and_a_load_do_not_go_together(tmp_path: Path, sqlite_url: str) -> None:
    with loads(tmp_path / "p", sqlite_url, STUDIO, foreign_keys="true") as studio:
        with pytest.raises(SettingsError, match="foreign_keys"):
            studio.load()
        studio.studio.configure()
        studio.studio.revise()
        studio.studio.upgrade()
        fill(studio)
        studio.load()
        same(studio)


@pytest.mark.parametrize("engine", ENGINES)
def test_two_loads_at_once(engine: str, tmp_path: Path, databases: Databases) -> None:
    with loads(tmp_path / "p", databases.new(engine), STUDIO) as studio:
        fill(studio)
        with Pool(jobs=1) as pool, opened(studio.studio.project(), pool):
            assert "Another load is at work" in studio.command(fails=True).stderr
        studio.load()
        same(studio)


# --- the command


def test_the_command_says_what_it_did(small: Loads) -> None:
    small.records.values["Shot"][shots(small)[0]]["sg_cut_in"] = 2**40
    done = small.command()
    assert "Shot: 12 records read, 25 rows written" in done.stdout
    assert re.search(r"^6 entity types: \d+ records read, \d+ rows written, \d+ requests, .* as of event 27$",
                     done.stdout, re.MULTILINE), done.stdout  # fmt: skip
    assert "1 value has no place in a column" in done.stdout
    status = small.command("--status").stdout
    assert "Shot: loaded; 10 fields; " in status
    assert "1 value rejected" in status
    small.records.values["Shot"][shots(small)[0]]["sg_cut_in"] = 5
    assert "Verified: " in small.command("Shot", "--full", "--verify").stdout
    small.people.wait(20)
    small.people.edit("Project", small.people.ids["Project"], {"name": "Two"})
    small.load()
    small.studio.execute(f"UPDATE shot SET code = 'other' WHERE id = {shots(small)[1]}", "DELETE FROM asset")
    done = small.command("--verify", fails=True)
    assert done.returncode == 3
    assert "Asset: 1 active records on the site, 0 here" in done.stdout
    assert f"Shot {shots(small)[1]}, code: the values differ" in done.stdout
    assert "a-key-that-must-stay-secret" not in done.stdout + done.stderr


def test_usage(small: Loads) -> None:
    done = small.command("--forget", fails=True)
    assert done.returncode == 2
    assert "--forget needs --sweep" in done.stderr
    assert "Nothing was loaded yet." in small.command("--status").stdout


def test_a_refusal_is_exit_code_one(small: Loads) -> None:
    fill(small, 30)
    small.load()
    for record_id in shots(small)[:25]:
        small.people.delete("Shot", record_id)
    done = small.command("--sweep", fails=True)
    assert done.returncode == 1
    assert "--accept-retirements" in done.stderr
    small.command("--sweep", "--accept-retirements")
    same(small)


def test_verify_sees_every_kind_of_difference(small: Loads) -> None:
    from sg_migrate.load.verify import verify

    def differing() -> list[str]:
        with Pool(jobs=1, wait=0.01) as pool:
            return [line.partition(":")[0] for line in verify(small.studio.project(), pool).differences]

    small.people.retire("Shot", shots(small)[-1])
    small.load()
    assert differing() == []
    one, two, *_ = shots(small)
    link = f"UPDATE shot SET sg_sequence_id = 77 WHERE id = {one}"
    for statement, line in (
        (f"UPDATE shot SET sg_omit = 1 WHERE id = {one}", f"Shot {one}, sg_omit"),
        (link, f"Shot {one}, sg_sequence"),
        (f"DELETE FROM shot__sg_assets WHERE owner_id = {two}", f"Shot {two}, sg_assets"),
        ("UPDATE shot SET project_id = 9", "Shot, project 1"),
        ("UPDATE shot SET retired_at = NULL WHERE retired_at IS NOT NULL", "Shot"),
        (f"DELETE FROM shot WHERE id = {one}", "Shot"),
    ):
        small.studio.execute(statement)
        assert line in [found.replace("project 3", "project 1") for found in differing()], statement
        small.load(full=True)
        assert differing() == []


# --- killed


@pytest.mark.long
@pytest.mark.parametrize("engine", ENGINES)
def test_killed_again_and_again(engine: str, tmp_path: Path, databases: Databases) -> None:
    """SIGKILL at any moment of a real process: the same command goes on, and in the end everything is there."""
    with loads(tmp_path / "p", databases.new(engine), STUDIO) as studio:
        fill(studio, 200)
        studio.site.page_size = 20
        studio.site.latency = 0.01
        kills = 0
        for number in range(40):
            process = subprocess.Popen(
                [Path(sys.executable).parent / "sg-migrate", "load", "--jobs", "2"], cwd=studio.studio.folder,
                env=os.environ | studio.site.environment, stdout=subprocess.PIPE, stderr=subprocess.PIPE,
            )  # fmt: skip
            studio.site.reads.clear()
            while process.poll() is None and len(studio.site.reads) < 2 + number % 12:
                time.sleep(0.002)
            time.sleep(number % 7 * 0.004)
            if process.poll() is None:
                process.send_signal(signal.SIGKILL)
                kills += 1
            process.communicate()
            one = shots(studio)[number]
            studio.people.edit("Shot", one, {"code": f"edit {number}"})
        assert kills > 20
        studio.site.latency = 0
        studio.command()
        assert differences(studio.site, STUDIO, studio.studio.url) == []


def test_a_database_that_refuses(tmp_path: Path, databases: Databases) -> None:
    """One message, with what to do; what was committed before is there, and the next load goes on."""
    url = databases.new("postgresql")
    with loads(tmp_path / "p", url, STUDIO) as studio:
        fill(studio)
        studio.load("Asset")
        execute(url, "ALTER TABLE shot ADD CONSTRAINT ours CHECK (code <> 'sh3')")
        done = studio.command(fails=True)
        assert "The database refused" in done.stderr
        assert "go on with `sg-migrate load`" in done.stderr
        execute(url, "ALTER TABLE shot DROP CONSTRAINT ours")
        studio.load()
        same(studio)


def test_records_as_a_library(small: Loads) -> None:
    from sg_migrate.load.records import records

    with Pool(jobs=1) as pool:
        found = list(records(pool, "Shot", ["code", "sg_cut_in", "sg_assets", "updated_at"]))
        assert [one["id"] for one in found] == shots(small)
        assert found[0]["sg_cut_in"] == 0
        assert found[0]["updated_at"].tzinfo is not None
        assert found[0]["sg_assets"] == [("Asset", small.people.ids["Asset"])]
        assert json.dumps(next(iter(records(pool, "Asset", ["code"])))) is not None
    with Pool(jobs=1) as pool:
        assert load(small.studio.project(), pool, ["Asset"]).requests > 0


def test_records_that_have_no_id(small: Loads) -> None:
    """They are kept aside, and stop neither a load nor a sweep nor a proof."""
    small.load()
    small.people.wait(20)
    small.site.spoil = lambda entities: [*entities, {"type": "Shot", "code": "nobody"}, {"type": "Shot", "id": "7"}]
    small.load(full=True, sweep=True)
    assert small.rows("SELECT DISTINCT field_code, reason FROM sg_load_rejects") == [("id", "not an id")]
    small.command("--verify", "--jobs", "1")
    small.site.spoil = None
    same(small)
