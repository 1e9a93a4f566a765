"""docs/engines.md: every cell that says "tested" stands for a test of that name on that engine."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

from sites import REPOSITORY

COLUMNS = {
    "SQLite": "sqlite",
    "PostgreSQL 15": "postgresql",
    "PostgreSQL 18": "postgresql-new",
    "MariaDB, mariadb+": "mariadb",
    "MariaDB, mysql+": "mysql",
}
"""The tested columns of the table, and the engines they are in the tests; "MySQL 8" is the column after them."""
MARIADB = ("mariadb", "mysql")
POSTGRESQL = ("postgresql", "postgresql-new")
SERVERS = (*POSTGRESQL, *MARIADB)
ALL = ("sqlite", *SERVERS)


def each(test: str, engines: tuple[str, ...] = ALL) -> dict[str, str]:
    """A test that has each engine in turn."""
    return {engine: f"{test}[{engine}]" for engine in engines}


def whole_story(name: str, engines: tuple[str, ...] = ALL) -> dict[str, str]:
    return dict.fromkeys(engines, f"test_matrix.py::test_the_whole_story[{name}]")


FEATURES: dict[str, dict[str, str]] = {
    "One history, no false difference": whole_story("as they come"),
    "... with foreign_keys = true": whole_story("foreign keys"),
    "... with multi_entity = json": whole_story("json"),
    "... with naming = shotgrid": whole_story("shotgrid naming"),
    "... in a schema": whole_story("schema", POSTGRESQL),
    "Reserved words as names": each("test_mysql.py::test_reserved_words"),
    "Comments on tables and columns": each("test_mysql.py::test_long_comments_are_shortened_once_and_for_all", SERVERS),
    "Emoji, whatever the database's character set": each(
        "test_mysql.py::test_a_wide_table_takes_long_rows_in_a_latin1_database", MARIADB
    ),
    "Gives up waiting for a lock, and says so": each("test_locks.py::test_a_reader_that_never_ends"),
    "Views in the way are found first": each("test_views.py::test_a_drop"),
    "A script (--sql) does what the upgrade does": each(
        "test_scripts.py::test_a_script_does_what_the_upgrade_does", SERVERS
    ),
    "No table is copied": {
        "sqlite": "test_sqlite_tables.py::test_a_longer_text_type_touches_nothing_else[true]",
        **each("test_postgresql.py::test_no_table_is_rewritten", POSTGRESQL),
    },
    "A failed upgrade is taken back": each("test_locks.py::test_a_refusal_half_way", ("sqlite", *POSTGRESQL)),
    "... or finished by sg-migrate resume": {
        "mariadb": "test_resume.py::test_killed_at_every_ninth_statement",
        "mysql": "test_resume.py::test_killed_ten_times_at_every_statement",
    },
}
COMPILED = {
    "One history, no false difference",
    "... with foreign_keys = true",
    "... with multi_entity = json",
    "Reserved words as names",
    "Comments on tables and columns",
    "Emoji, whatever the database's character set",
    "A script (--sql) does what the upgrade does",
}
"""What compiles for MySQL 8: see test_mysql8.py."""


def table() -> list[list[str]]:
    text = (REPOSITORY / "docs" / "engines.md").read_text("utf-8")
    lines = text.partition("\n\n|")[2].partition("\n\n")[0].splitlines()
    rows = [[cell.strip().replace("`", "") for cell in line.strip("|").split("|")] for line in lines]
    return [row for row in rows if "---" not in row]


def test_the_table_says_what_is_tested() -> None:
    head, *rows = table()
    assert head == ["", *COLUMNS, "MySQL 8"]
    said = {row[0]: row[1:] for row in rows}
    expected = {
        feature: [
            *("tested" if engine in tests else "no" for engine in COLUMNS.values()),
            "compiled" if feature in COMPILED else "no",
        ]
        for feature, tests in FEATURES.items()
    }
    assert said == expected


def test_every_test_that_the_table_stands_for_is_there() -> None:
    here = Path(__file__).parent
    collected = subprocess.run(
        [sys.executable, "-m", "pytest", "--collect-only", "-q", str(here)],
        cwd=REPOSITORY,
        env=os.environ | {"PYTEST_DISABLE_PLUGIN_AUTOLOAD": "1"},
        capture_output=True,
        text=True,
    )
    known = {line.rpartition("/")[2] for line in collected.stdout.splitlines() if "::" in line}
    wanted = {test for tests in FEATURES.values() for test in tests.values()}
    assert wanted - known == set()
    assert any(test.startswith("test_mysql8.py::") for test in known)
