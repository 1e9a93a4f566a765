"""Whatever keeps one check from being made, the others are made: every kind of damage, alone and in pairs."""

from __future__ import annotations

import itertools
import json
from collections.abc import Callable
from pathlib import Path
from typing import TypeAlias

import pytest
from engines import Databases
from reviewed import Reviewed, message_of, small_site
from studio import execute
from testsite import LocalSite

from sg_migrate.comparison.checks import CATALOG, DATABASE, DRIFT, HEADS, REVISIONS, SITE, run_checks
from sg_migrate.errors import BrokenRevisionError

pytest_plugins = ["reviewfixtures"]

ALL = {HEADS, SITE, REVISIONS, DATABASE, DRIFT, CATALOG}


def no_database(made: Reviewed) -> None:
    made.database.write_bytes(b"this is no database, whatever its name says" * 100)


def damaged_database(made: Reviewed) -> None:
    """A page in the middle is overwritten: the file can be opened, and its tables cannot be read."""
    content = bytearray(made.database.read_bytes())
    content[100:4096] = b"\xff" * 3996
    made.database.write_bytes(bytes(content))


def damaged_versions(made: Reviewed) -> None:
    """The file can be read, but what it is at cannot."""
    made.execute("ALTER TABLE alembic_version RENAME COLUMN version_num TO version")


def no_snapshot_format(made: Reviewed) -> None:
    made.snapshot.write_bytes(b"\xff{")


def conflict_in_snapshot(made: Reviewed) -> None:
    made.snapshot.write_bytes(b"<<<<<<< HEAD\n" + made.snapshot.read_bytes())


def failing_import(made: Reviewed) -> None:
    made.write("r2", "pass", top="import there_is_no_such_module\n", on="r1")


def failing_upgrade(made: Reviewed) -> None:
    made.write("r2", "raise RuntimeError('not today')", on="r1")


def lost_revision(made: Reviewed) -> None:
    made.write("r3", "pass", on="r2")


def several_heads(made: Reviewed) -> None:
    made.write("r2", "pass", on="r1")
    made.write("r3", "pass", on="r1")


FROM_REVISIONS = {REVISIONS, DATABASE, DRIFT, CATALOG}
Damage: TypeAlias = "Callable[[Reviewed], None]"
DAMAGES: dict[Damage, set[str]] = {
    damaged_versions: {DATABASE, DRIFT, CATALOG},  # before those that leave no database to do it to
    no_database: {DATABASE, DRIFT, CATALOG},
    damaged_database: {DATABASE, DRIFT, CATALOG},
    no_snapshot_format: {SITE, REVISIONS, CATALOG},
    conflict_in_snapshot: {SITE, REVISIONS, CATALOG},
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
def sound(tmp_path_factory: pytest.TempPathFactory) -> Reviewed:
    """A project in step with its database."""
    made = Reviewed.make(tmp_path_factory.mktemp("sound") / "p")
    made.upgrade()
    return made


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
    sound: Reviewed,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    damages: tuple[Damage, ...],
    kind: str,
) -> None:
    made = sound.twin(tmp_path / "p")
    for damage in damages:
        damage(made)
    monkeypatch.chdir(made.folder)
    monkeypatch.delenv("DATABASE_URL", raising=False)
    with LocalSite(small_site()) as site:
        for name, value in environment_of(site, kind).items():
            monkeypatch.setenv(name, value)
        checks = run_checks(made.project())
    assert [check.name for check in checks] == [HEADS, SITE, REVISIONS, DATABASE, DRIFT, CATALOG]
    hit = set().union(*(DAMAGES[damage] for damage in damages))
    ok = {check.name for check in checks if check.status == "ok"}
    assert ok >= ALL - hit - SITES[kind], checks
    assert all(check.what for check in checks)
    for damage in damages:
        assert not DAMAGES[damage] <= ok, damage


def test_a_failed_statement_does_not_refuse_the_next_check(small: Reviewed, databases: Databases) -> None:
    """PostgreSQL refuses every statement of a transaction in which one has failed."""
    url = databases.new("postgresql")
    small.upgrade(url=url)
    execute(url, "ALTER TABLE alembic_version RENAME COLUMN version_num TO version")
    *_, database, drift, catalog = run_checks(small.project(), url)
    assert (database.status, drift.status, catalog.status) == ("error", "error", "error")
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
def test_every_command_names_a_broken_revision(small: Reviewed, how: str) -> None:
    path = small.write("r2", "pass", top=BROKEN[how].replace("\udcff", "") + "\n", on="r1")
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
def test_the_commands_say_it_in_one_line(small: Reviewed, command: str) -> None:
    small.upgrade()
    path = small.write("r2", "pass", top="import there_is_no_such_module\n", on="r1")
    done = small.inside(*command.split())
    assert done.exit_code == 1
    line = path.read_text().splitlines().index("import there_is_no_such_module") + 1
    said = done.stdout if command == "check" else message_of(done)
    assert f"{path}, line {line}: ModuleNotFoundError: No module named 'there_is_no_such_module'." in said
    if command != "check":
        assert len(said.splitlines()) == 1


def test_the_command_shows_the_others_beside_a_damaged_database(small: Reviewed) -> None:
    small.database.write_bytes(b"this is no database" * 100)
    done = small.run("sg-migrate", "check", "--format", "json", fails=True)
    assert done.returncode == 1
    statuses = {check["name"]: check["status"] for check in json.loads(done.stdout)["checks"]}
    assert statuses == {
        HEADS: "ok",
        SITE: "skipped",
        REVISIONS: "ok",
        DATABASE: "error",
        DRIFT: "error",
        CATALOG: "error",
    }
