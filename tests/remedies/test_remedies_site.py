"""The site, its snapshot and the credentials: what the messages say to do, done against a real server."""

from __future__ import annotations

import itertools
import json
import os
import re
import ssl
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from carried import commands_in, do, files, refused, says, settings_in, type_in, typed
from sites import site, without
from studio import Studio, environment
from testsite import LocalSite

from sg_migrate import read_snapshot
from sg_migrate.errors import (
    CredentialsError,
    EventsFileError,
    FilesBusyError,
    ForeignHostError,
    LoginRefusedError,
    MassRetirementError,
    PruneError,
    SetAsideError,
    SnapshotConflictError,
    SnapshotError,
    SourceError,
    UnreachableError,
)

TYPES = {name: {"code": "text", "sg_old": "text"} for name in ("Asset", "Note", "Shot", "Task", "Version")}
FULL = site(TYPES)
LESS = without(FULL, "Asset", "Note")
NEW = site(TYPES, Group={"code": "text"})


@pytest.fixture
def live(monkeypatch: pytest.MonkeyPatch) -> Iterator[LocalSite]:
    for name in os.environ:
        if name.startswith("SG_") and name != "SG_MIGRATE_REQUIRE_ENGINES":
            monkeypatch.delenv(name)
    with LocalSite(FULL) as live:
        for name, value in live.environment.items():
            monkeypatch.setenv(name, value)
        yield live


@pytest.fixture
def studio(tmp_path: Path, sqlite_url: str, live: LocalSite) -> Studio:
    """In step with the site."""
    studio = Studio(tmp_path / "project", sqlite_url)
    do(studio, "snapshot")
    do(studio, "revision", "--rev-id", "0001")
    studio.upgrade()
    studio.number = 1
    return studio


def in_step(studio: Studio) -> None:
    """The snapshot says what the site says, and the database has it."""
    if studio.revise() is not None:
        studio.upgrade()
    studio.check()
    studio.check("sg_source=live")
    assert "unchanged" in do(studio, "snapshot")


# --- who may read the site


NAMES = {"SG_URL": "url", "SG_SCRIPT": "script", "SG_API_KEY": "api_key", "SG_LOGIN": "login",
         "SG_PASSWORD": "password", "SG_SESSION_TOKEN": "session_token"}  # fmt: skip


def test_no_credentials(studio: Studio, live: LocalSite, monkeypatch: pytest.MonkeyPatch) -> None:
    """Each of the ways that the message names."""
    for name in NAMES:
        monkeypatch.delenv(name, raising=False)
    said = refused(studio, CredentialsError, says(studio, "snapshot"))
    either = re.search(r"Set (SG_URL) and either (.*)\.$", said)
    assert either is not None
    ways = [re.findall(r"SG_\w+", way) for way in re.split(r",? or ", either[2])]
    assert sorted(itertools.chain(*ways, [either[1]])) == sorted(NAMES)
    for way in ways:
        with environment(**{name: getattr(live, NAMES[name]) for name in [either[1], *way]}):
            assert "unchanged" in do(studio, "snapshot")
        if len(way) > 1:
            with environment(SG_URL=live.url, **{way[0]: getattr(live, NAMES[way[0]])}):
                half = refused(studio, CredentialsError, says(studio, "snapshot"))
            assert half.startswith(f"{way[1]}: not set")
            assert half.endswith(either[0])


def test_credentials_of_two_kinds(studio: Studio, live: LocalSite, monkeypatch: pytest.MonkeyPatch) -> None:
    with environment(SG_SESSION_TOKEN="one too many"):
        said = refused(studio, CredentialsError, says(studio, "snapshot"))
    assert said.endswith("Leave one kind.")
    assert "unchanged" in do(studio, "snapshot")


def test_a_login_that_is_refused(studio: Studio, live: LocalSite, monkeypatch: pytest.MonkeyPatch) -> None:
    with environment(SG_API_KEY="wrong"):
        said = refused(studio, LoginRefusedError, says(studio, "snapshot"))
    assert said.endswith("Check the credentials.")
    assert "unchanged" in do(studio, "snapshot")


@pytest.mark.parametrize("fault", ["two_factor", "single_sign_on"])
def test_a_password_that_does_not_do(
    studio: Studio, live: LocalSite, monkeypatch: pytest.MonkeyPatch, fault: str
) -> None:
    live.password_fault = fault  # type: ignore[assignment]
    monkeypatch.delenv("SG_SCRIPT")
    monkeypatch.delenv("SG_API_KEY")
    with environment(SG_LOGIN=live.login, SG_PASSWORD=live.password):
        said = refused(studio, LoginRefusedError, says(studio, "snapshot"))
    instead = re.search(r"Use (.*)\.$", said)
    assert instead is not None
    for way in instead[1].split(", or "):
        with environment(**{name: getattr(live, NAMES[name]) for name in re.findall(r"SG_\w+", way)}):
            assert "unchanged" in do(studio, "snapshot")


def test_a_site_that_is_busy(studio: Studio, live: LocalSite) -> None:
    live.misbehave("unavailable", method="schema_read")
    said = refused(studio, UnreachableError, says(studio, "snapshot"))
    assert said.endswith("The site is down or busy; try again.")
    live.misbehave(None)
    assert "unchanged" in do(studio, "snapshot")


def test_a_wrong_address(studio: Studio, live: LocalSite) -> None:
    with environment(SG_URL="http://127.0.0.1:1"):
        said = refused(studio, UnreachableError, says(studio, "snapshot"))
    assert said.endswith("Check SG_URL and the network.")
    assert "unchanged" in do(studio, "snapshot")


def test_a_certificate_that_nobody_trusts(studio: Studio, live: LocalSite, tmp_path: Path) -> None:
    """The variable that the message names makes it trusted."""
    key, certificate = tmp_path / "key.pem", tmp_path / "certificate.pem"
    subprocess.run(
        ["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes", "-days", "2",
         "-subj", "/CN=localhost", "-addext", "subjectAltName=DNS:localhost", "-keyout", key, "-out", certificate],
        check=True, capture_output=True,
    )  # fmt: skip
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificate, key)
    with LocalSite(FULL) as secure:
        secure._server.socket = context.wrap_socket(secure._server.socket, server_side=True)
        address = {"SG_URL": f"https://localhost:{secure._server.server_port}", "SHOTGUN_API_RETRY_INTERVAL": "1"}
        with environment(**address):
            said = refused(studio, UnreachableError, says(studio, "snapshot"))
            variable = re.search(r"(\w+) names a file of certificates to trust\.$", said)
            assert variable is not None
            with environment(**{variable[1]: str(certificate)}):
                do(studio, "snapshot", "--rebind", "--dry-run")


# --- what was read must not be merged


def test_a_foreign_host(studio: Studio, live: LocalSite) -> None:
    """The site has moved: its new address is accepted, and the command that was refused works."""
    text = studio.snapshot.read_text("utf-8").replace(live.host, "kittiwake.example.com")
    studio.snapshot.write_text(text, "utf-8")
    live.schema = NEW
    said = refused(studio, ForeignHostError, says(studio, "snapshot"))
    for command in (says(studio, "revision"), lambda: studio.revise("step", "sg_source=live")):
        assert refused(studio, ForeignHostError, command) == said
    ((_, *rebind),) = commands_in(said)
    do(studio, *rebind)
    assert studio.revise("step", "sg_source=live") is not None
    studio.upgrade()
    in_step(studio)


@pytest.mark.parametrize("command", ["snapshot", "revision", "alembic revision", "alembic check"])
def test_a_mass_retirement(studio: Studio, live: LocalSite, command: str) -> None:
    """Both spellings, each with the commands that have it."""
    live.schema = LESS
    program = {
        "snapshot": says(studio, "snapshot"),
        "revision": says(studio, "revision"),
        "alembic revision": lambda: studio.revise("step", "sg_source=live"),
        "alembic check": lambda: studio.check("sg_source=live"),
    }[command]
    said = refused(studio, MassRetirementError, program)
    option = re.search(r"run again with (--\S+) ", said)
    assert option is not None
    (setting,) = settings_in(said)
    if command == "alembic check":
        with pytest.raises(Exception, match="New upgrade operations detected"):
            studio.check("sg_source=live", setting)
    if command.startswith("alembic"):
        assert studio.revise("step", "sg_source=live", setting) is not None
    else:
        do(studio, command, option[1])
    studio.number += 1
    studio.upgrade() if command != "snapshot" else None
    in_step(studio)
    assert {"asset", "note"} <= studio.structure()["tables"].keys()


def test_what_is_still_on_the_site_cannot_be_pruned(studio: Studio, live: LocalSite) -> None:
    """Retired first, then pruned."""
    said = refused(studio, PruneError, says(studio, "prune", "Shot.sg_old"))
    assert "Only what is retired can be pruned; nothing was changed." in said
    live.schema = without(FULL, "Shot.sg_old")
    do(studio, "snapshot")
    do(studio, "prune", "Shot.sg_old")
    assert studio.revise() is not None
    studio.upgrade()
    in_step(studio)
    assert "sg_old" not in studio.structure()["tables"]["shot"]["columns"]


def test_values_that_cannot_be_set_aside(studio: Studio, live: LocalSite) -> None:
    """What the message asks for: something that is on the site and built."""
    assert "there is nothing of that name" in refused(studio, SetAsideError, says(studio, "set-aside", "Shot.sg_none"))
    do(studio, "set-aside", "Shot.sg_old")
    assert studio.revise() is not None
    studio.upgrade()
    in_step(studio)


HOLDS = (
    "import sys, pathlib\nfrom sg_migrate.site.lock import locked\n"
    "with locked(pathlib.Path(sys.argv[1])):\n    print('held', flush=True)\n    sys.stdin.read()"
)


def test_another_command_at_the_same_time(studio: Studio, live: LocalSite) -> None:
    """It is run again when the other has ended."""
    holder = subprocess.Popen(
        [sys.executable, "-c", HOLDS, str(studio.snapshot)], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    )
    assert holder.stdout is not None
    assert holder.stdout.readline() == "held\n"
    said = refused(studio, FilesBusyError, says(studio, "snapshot"))
    assert "Run this one again" in said.replace("\n", " ")
    holder.kill()
    holder.communicate()
    do(studio, "snapshot")
    in_step(studio)


# --- the snapshot file


def test_a_merge_conflict(studio: Studio, live: LocalSite) -> None:
    """Both sides are taken: only the marker lines go."""
    text = studio.snapshot.read_text("utf-8")
    line = next(row for row in text.splitlines(keepends=True) if row.startswith('"Shot.sg_old"'))
    theirs = line.replace("text", "number")
    clash = f"<<<<<<< ours\n{line}=======\n{theirs}>>>>>>> theirs\n"
    studio.snapshot.write_text(text.replace(line, clash), "utf-8")
    said = refused(studio, SnapshotConflictError, says(studio, "snapshot"))
    for command in (studio.revise, says(studio, "revision"), says(studio, "prune", "Shot.sg_old")):
        assert refused(studio, SnapshotConflictError, command) == said
    assert "delete only the marker lines" in said
    rows = studio.snapshot.read_text("utf-8").splitlines(keepends=True)
    assert rows[int(said.partition(": line ")[2].partition(":")[0]) - 1].startswith("<<<<<<<")
    studio.snapshot.write_text(
        "".join(row for row in rows if row[:7] not in ("<<<<<<<", "=======", ">>>>>>>")), "utf-8"
    )
    ((_, *snapshot),) = commands_in(said)
    do(studio, *snapshot)
    assert studio.snapshot.read_text("utf-8") == text
    in_step(studio)


def test_a_merge_conflict_in_the_events(studio: Studio, live: LocalSite) -> None:
    """Both sides are kept: only the marker lines go."""
    path = studio.snapshot.with_name("site_events.jsonl")
    lines = [
        f'{{"at":"2026-11-0{day}T00:00:00Z","column":7,"id":{day},"kind":"new","line":"event"}}\n' for day in (1, 2)
    ]
    path.write_text(f"<<<<<<< ours\n{lines[0]}=======\n{lines[1]}>>>>>>> theirs\n")
    said = refused(studio, EventsFileError, says(studio, "snapshot"))
    assert refused(studio, EventsFileError, says(studio, "revision")) == said
    assert "keep both sides and delete the marker lines" in said
    rows = path.read_text().splitlines(keepends=True)
    assert rows[int(said.partition(": line ")[2].partition(":")[0]) - 1].startswith("<<<<<<<")
    path.write_text("".join(row for row in rows if row[:7] not in ("<<<<<<<", "=======", ">>>>>>>")))
    do(studio, "snapshot")
    assert path.read_text() == "".join(lines)
    in_step(studio)


def test_no_snapshot_yet(studio: Studio, live: LocalSite, monkeypatch: pytest.MonkeyPatch) -> None:
    text = studio.snapshot.read_bytes()
    studio.snapshot.unlink()
    said = refused(studio, SnapshotError, studio.revise)
    assert refused(studio, SnapshotError, says(studio, "prune", "Shot")) == said
    command = re.search(r"Make one: sg-migrate (\w+)\.$", said)
    assert command is not None
    do(studio, command[1])
    assert studio.snapshot.read_bytes() == text
    in_step(studio)


def test_no_snapshot_at_all(studio: Studio, live: LocalSite) -> None:
    """What stands in its place is no snapshot: moved away, one is made."""
    text = studio.snapshot.read_bytes()
    studio.snapshot.write_text('{"Shot": {"code": "text"}}', "utf-8")
    said = refused(studio, SnapshotError, studio.revise)
    ((_, *snapshot),) = commands_in(said)
    assert refused(studio, SnapshotError, says(studio, *snapshot)) == said  # it overwrites nothing that is not its own
    studio.snapshot.unlink()
    do(studio, *snapshot)
    assert studio.snapshot.read_bytes() == text


def test_a_line_that_is_missing(studio: Studio, live: LocalSite) -> None:
    text = studio.snapshot.read_text("utf-8")
    studio.snapshot.write_text(text.replace(f'"host": "{live.host}",\n', ""), "utf-8")
    assert refused(studio, SnapshotError, studio.check).endswith("Restore it from git.")
    studio.snapshot.write_text(text, "utf-8")
    in_step(studio)


# --- other sources


def test_a_key_twice(studio: Studio, tmp_path: Path) -> None:
    path = tmp_path / "schema.json"
    entry = '"code": {"data_type": {"value": "text"}}'
    path.write_text(f'{{"Shot": {{{entry}, {entry}}}}}', "utf-8")
    said = refused(studio, SourceError, says(studio, "snapshot", "--from", str(path), "--dry-run"))
    assert said.endswith("occurs twice in one object. Keep one of them.")
    path.write_text(f'{{"Shot": {{{entry}}}}}', "utf-8")
    do(studio, "snapshot", "--from", str(path), "--dry-run", "--accept-retirements")


def test_entity_types_without_fields(studio: Studio, live: LocalSite, tmp_path: Path) -> None:
    fields, entities = (tmp_path / name for name in ("schema_read.json", "schema_entity_read.json"))
    for path, answer in zip((fields, entities), live.schema, strict=True):
        path.write_text(json.dumps(answer), "utf-8")
    said = refused(studio, SourceError, says(studio, "snapshot", "--from", str(entities)))
    assert said.endswith("Give schema_read() with it.")
    assert "unchanged" in do(studio, "snapshot", "--from", str(fields), "--entities", str(entities))


def test_a_path_in_a_git_revision(studio: Studio, tmp_path: Path) -> None:
    """Counted from the top of the repository, wherever one stands."""
    git = ["git", "-c", "core.hooksPath=/dev/null", "-c", "user.name=x", "-c", "user.email=x@example.com"]
    for command in (
        ["init", "--quiet"],
        ["add", "project/migrations/site_schema.json"],
        ["commit", "--quiet", "-m", "x"],
    ):
        subprocess.run([*git, *command], cwd=tmp_path, check=True, capture_output=True)
    before = files(studio.folder)
    failed = typed(studio.folder, "sg-migrate", "diff", "HEAD:migrations/site_schema.json", "snapshot")
    assert isinstance(failed.exception, SourceError)
    assert files(studio.folder) == before
    assert str(failed.exception).endswith("A path after a git revision is counted from the top of the repository.")
    type_in(studio.folder, "sg-migrate", "diff", "HEAD:project/migrations/site_schema.json", "snapshot")
    assert read_snapshot(studio.snapshot).schema.host
