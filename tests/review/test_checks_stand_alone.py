"""Whatever keeps one check from being made, the others are made: every kind of damage, alone and in pairs."""

from __future__ import annotations

import itertools
import json
import os
import shutil
import sqlite3
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest
import sqlalchemy as sa
from engines import Databases
from reviewprojects import Made, small_site
from testsite import LocalSite

from sg_migrate.comparison.checks import DATABASE, DRIFT, HEADS, REVISIONS, SITE, run_checks
from sg_migrate.errors import BrokenRevisionError

pytest_plugins = ["reviewfixtures"]

ALL = {HEADS, SITE, REVISIONS, DATABASE, DRIFT}


def no_database(made: Made) -> None:
    made.database.write_bytes(b"this is no database, whatever its name says" * 100)


def damaged_database(made: Made) -> None:
    """A page in the middle is overwritten: the file can be opened, and its tables cannot be read."""
    content = bytearray(made.database.read_bytes())
    content[100:4096] = b"\xff" * 3996
    made.database.write_bytes(bytes(content))


def damaged_versions(made: Made) -> None:
    """The file can be read, but what it is at cannot."""
    connection = sqlite3.connect(made.database)
    connection.execute("ALTER TABLE alembic_version RENAME COLUMN version_num TO version")
    connection.close()


def no_snapshot_format(made: Made) -> None:
    (made.versions.parent / "site_schema.json").write_bytes(b"\xff{")


def conflict_in_snapshot(made: Made) -> None:
    path = made.versions.parent / "site_schema.json"
    path.write_bytes(b"<<<<<<< HEAD\n" + path.read_bytes())


def failing_import(made: Made) -> None:
    made.write("r2", "pass", top="import there_is_no_such_module\n")


def failing_upgrade(made: Made) -> None:
    made.write("r2", "raise RuntimeError('not today')")


def lost_revision(made: Made) -> None:
    made.write("r3", "pass", on="r2")


def several_heads(made: Made) -> None:
    made.write("r2", "pass")
    made.write("r3", "pass")


FROM_REVISIONS = {REVISIONS, DATABASE, DRIFT}
DAMAGES: dict[Callable[[Made], None], set[str]] = {
    damaged_versions: {DATABASE, DRIFT},  # before those that leave no database to do it to
    no_database: {DATABASE, DRIFT},
    damaged_database: {DATABASE, DRIFT},
    no_snapshot_format: {SITE, REVISIONS},
    conflict_in_snapshot: {SITE, REVISIONS},
    failing_import: {HEADS} | FROM_REVISIONS,
    failing_upgrade: FROM_REVISIONS,
    lost_revision: {HEADS} | FROM_REVISIONS,
    several_heads: {HEADS} | FROM_REVISIONS,
}
"""Each damage with the checks that may be hit by it."""

SITES = {"no site": {SITE}, "refusing": {SITE}, "nobody there": {SITE}, "answering": set()}


def environment_of(site: LocalSite, kind: str) -> dict[str, str]:
    kinds: dict[str, dict[str, str]] = {
        "no site": {},
        "refusing": site.environment | {"SG_API_KEY": "wrong"},
        "nobody there": site.environment | {"SG_URL": "http://127.0.0.1:9"},
        "answering": site.environment,
    }
    return kinds[kind]


@pytest.fixture(scope="session")
def sound(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A project in step with its database."""
    from reviewprojects import make

    made = make(tmp_path_factory.mktemp("sound") / "p")
    made.upgrade()
    return made.folder


CASES = [
    *((damages, kind) for kind in SITES for damages in [(), *((damage,) for damage in DAMAGES)]),
    *((damages, kind) for kind in ("no site", "answering") for damages in itertools.combinations(DAMAGES, 2)),
]


@pytest.mark.parametrize(
    ("damages", "kind"),
    CASES,
    ids=[" ".join([*(damage.__name__ for damage in damages), "with", kind]) for damages, kind in CASES],
)
def test_no_check_hides_another(
    sound: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, damages: tuple[Callable[[Made], None], ...], kind: str
) -> None:
    made = Made(Path(shutil.copytree(sound, tmp_path / "p")))
    for damage in damages:
        damage(made)
    monkeypatch.chdir(made.folder)
    monkeypatch.delenv("DATABASE_URL", raising=False)
    with LocalSite(small_site()) as site:
        for name, value in environment_of(site, kind).items():
            monkeypatch.setenv(name, value)
        checks = run_checks(made.project())
    assert [check.name for check in checks] == [HEADS, SITE, REVISIONS, DATABASE, DRIFT]
    hit = set().union(*(DAMAGES[damage] for damage in damages))
    ok = {check.name for check in checks if check.status == "ok"}
    assert ok >= ALL - hit - SITES[kind], checks
    assert all(check.what for check in checks)
    for damage in damages:
        assert not DAMAGES[damage] <= ok, damage


def test_a_failed_statement_does_not_refuse_the_next_check(small: Made, databases: Databases) -> None:
    """PostgreSQL refuses every statement of a transaction in which one has failed."""
    url = small.upgrade("r1", databases.new("postgresql"))
    engine = sa.create_engine(url)
    with engine.begin() as connection:
        connection.exec_driver_sql("ALTER TABLE alembic_version RENAME COLUMN version_num TO version")
    engine.dispose()
    *_, database, drift = run_checks(small.project(), url)
    assert (database.status, drift.status) == ("error", "error")
    assert "version_num" in database.what
    assert "version_num" in drift.what, "and not: current transaction is aborted"


BROKEN = {
    "import": "import there_is_no_such_module",
    "name": "there_is_no_such_name",
    "attribute": "op.there_is_no_such_function",
    "division": "1 / 0",
    "assertion": "assert False, 'never'",
    "syntax": "def (:",
    "nul": "x = '\0'",
    "encoding": "x = '\udcff'",
    "indentation": "  x = 1",
    "recursion": "def f():\n    f()\nf()",
    "own error": "class Mine(Exception):\n    pass\nraise Mine('of my own')",
    "key": "{}['down']",
    "memory": "raise MemoryError",
    "stop": "raise StopIteration",
    "wrong down_revision": "down_revision = 5",
    "unknown down_revision": "down_revision = 'nowhere'",
    "own down_revision": "down_revision = 'r2'",
    "wrong depends_on": "depends_on = 'nowhere'",
    "wrong revision": "revision = None",
}

OF_THE_MAP = {"wrong down_revision", "unknown down_revision", "own down_revision", "wrong depends_on", "wrong revision"}
"""Each file can be read, but they do not fit each other."""


@pytest.mark.parametrize("how", BROKEN)
def test_every_command_names_a_broken_revision(small: Made, how: str) -> None:
    path = small.write("r2", "pass", top=BROKEN[how].replace("\udcff", "") + "\n")
    if how == "encoding":
        path.write_bytes(path.read_bytes().replace(b"x = ''", b"x = '\xff'"))
    with pytest.raises(BrokenRevisionError) as caught:
        small.project().scripts  # noqa: B018 - it is read here
    place = small.versions.parent if how in OF_THE_MAP else path
    assert str(caught.value).startswith(str(place))
    assert str(caught.value).removeprefix(str(place))[0] in ",:"
    assert "\n" not in str(caught.value)


COMMANDS = ["revision", "review", "carry", "models -", "prune Shot.code", "diff built snapshot", "check"]


@pytest.mark.parametrize("command", COMMANDS)
def test_the_commands_say_it_in_one_line(small: Made, command: str) -> None:
    small.upgrade()
    path = small.write("r2", "pass", top="import there_is_no_such_module\n")
    environment = {name: value for name, value in os.environ.items() if name[:3] != "SG_" and name != "DATABASE_URL"}
    done = subprocess.run([sys.executable, "-m", "sg_migrate", *command.split()], cwd=small.folder, env=environment,
                          capture_output=True, text=True, check=False)  # fmt: skip
    assert done.returncode == 1
    assert "Traceback" not in done.stdout + done.stderr
    line = path.read_text().splitlines().index("import there_is_no_such_module") + 1
    said = done.stdout if command == "check" else done.stderr
    assert f"{path}, line {line}: ModuleNotFoundError: No module named 'there_is_no_such_module'." in said
    if command != "check":
        assert len(said.splitlines()) == 1


def test_the_command_shows_the_others_beside_a_damaged_database(small: Made) -> None:
    small.database.write_bytes(b"this is no database" * 100)
    done = subprocess.run([sys.executable, "-m", "sg_migrate", "check", "--format", "json"], cwd=small.folder,
                          capture_output=True, text=True, check=False)  # fmt: skip
    assert done.returncode == 1
    statuses = {check["name"]: check["status"] for check in json.loads(done.stdout)["checks"]}
    assert statuses == {HEADS: "ok", SITE: "skipped", REVISIONS: "ok", DATABASE: "error", DRIFT: "error"}
