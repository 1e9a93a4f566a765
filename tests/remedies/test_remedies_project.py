"""Projects and databases that are not there, or are there already: what the messages say to do, done."""

from __future__ import annotations

import re
from functools import partial
from pathlib import Path

import click
import pytest
from carried import commands_in, contents, do, files, held, refused, typed
from engines import Databases
from sites import REPOSITORY, SAMPLES, site
from studio import Studio, environment, execute

from sg_migrate.cli import cli
from sg_migrate.errors import (
    AdoptError,
    DatabaseUnavailableError,
    DemoError,
    NoProjectError,
    ProjectExistsError,
    PruneError,
    RevisionError,
    SgMigrateError,
)

SITE = site(Shot={"code": "text"})


def refuses(folder: Path, error: type[SgMigrateError], *arguments: str) -> str:
    """What it says; no file has changed."""
    before = files(folder)
    done = typed(folder, "sg-migrate", *arguments)
    assert type(done.exception) is error, done.exception
    assert files(folder) == before
    return str(done.exception)


@pytest.fixture
def studio(tmp_path: Path, sqlite_url: str) -> Studio:
    """In step."""
    studio = Studio(tmp_path / "project", sqlite_url)
    studio.follow(SITE, "0001")
    studio.upgrade()
    return studio


COMMANDS = [["check"], ["review"], ["revision"], ["diff", "built", "snapshot"], ["carry"], ["resume"],
            ["prune", "Shot.*"], ["snapshot", "--from", str(SAMPLES[0]), "--accept-retirements"]]  # fmt: skip


def test_no_project(studio: Studio, tmp_path: Path) -> None:
    elsewhere = tmp_path / "elsewhere"
    elsewhere.mkdir()
    for command in COMMANDS:
        said = refuses(elsewhere, NoProjectError, *command)
        option = re.search(r"Name another with (--\w+),", said)
        assert option is not None
        done = typed(elsewhere, "sg-migrate", *command, option[1], str(studio.ini))
        if command[0] == "prune":
            assert isinstance(done.exception, PruneError)  # it has found the project, in which nothing is retired
        else:
            assert done.exit_code in (0, 3, 4), done.output
        assert files(elsewhere) == {}
        names = {name for name in OF_A_PROJECT if option[1] in options_of(name)}
        assert names == OF_A_PROJECT


OF_A_PROJECT = set(cli.list_commands(click.Context(cli))) - {"init", "demo", "events"}  # a group: its commands have it


def options_of(name: str) -> list[str]:
    command = cli.get_command(click.Context(cli), name)
    assert command is not None
    return [option for parameter in command.params for option in parameter.opts]


def test_a_project_where_there_was_none(tmp_path: Path) -> None:
    said = refuses(tmp_path, NoProjectError, "snapshot", "--from", str(SAMPLES[0]))
    ((_, *init),) = commands_in(said)
    assert typed(tmp_path, "sg-migrate", *init).exit_code == 0
    assert typed(tmp_path, "sg-migrate", "snapshot", "--from", str(SAMPLES[0])).exit_code == 0


def test_a_project_that_is_there_already(studio: Studio) -> None:
    folder = studio.folder.parent
    for command in ("init", "demo"):
        said = refused(studio, ProjectExistsError, partial(raises, folder, command, "project"))
        assert "Name another folder. The documentation says under Adoption how to add" in said
    assert (REPOSITORY / "docs" / "adoption.md").read_text("utf-8").startswith("# Adoption")
    assert typed(folder, "sg-migrate", "init", "another").exit_code == 0
    studio.check()


def raises(folder: Path, *arguments: str) -> None:
    done = typed(folder, "sg-migrate", *arguments)
    assert done.exception is not None, done.output
    raise done.exception


def test_a_demo_that_stops(tmp_path: Path) -> None:
    """What was printed above says why."""
    (tmp_path / "alembic.py").write_text("raise SystemExit('the disk is full')", "utf-8")
    with environment(PYTHONPATH=str(tmp_path)):
        done = typed(tmp_path, "sg-migrate", "demo", "played")
    assert isinstance(done.exception, DemoError)
    assert "What was printed above says why." in str(done.exception)
    assert "the disk is full" in done.output


@pytest.mark.parametrize(
    "command", [["check"], ["review"], ["revision"], ["diff", "db", "built"]], ids=lambda command: command[0]
)
def test_a_database_that_is_not_there(studio: Studio, command: list[str], tmp_path: Path) -> None:
    """Each of the places that the message names."""
    wrong = f"sqlite:///{tmp_path}/no.db"
    before = held(studio)
    done = studio.sg_migrate(*command, "--url", wrong)
    said = str(done.exception) if isinstance(done.exception, DatabaseUnavailableError) else done.output
    assert f"{wrong}: there is no such file. " in said or "no.db: there is no such file" in said
    assert not (tmp_path / "no.db").exists()
    assert held(studio) == before
    named = re.findall(r"--url|DATABASE_URL|sqlalchemy\.url", said)
    if command[0] != "check":
        assert named == ["--url", "DATABASE_URL", "sqlalchemy.url"]
    do(studio, *command, "--url", studio.url)
    with environment(DATABASE_URL=studio.url):
        do(studio, *command)
    do(studio, *command)


def test_a_database_without_revisions(studio: Studio, tmp_path: Path, databases: Databases) -> None:
    """There is nothing to compare until something has run."""
    empty = databases.new("sqlite")
    execute(empty, "CREATE TABLE theirs (id INTEGER)")
    before = contents(empty)
    done = studio.sg_migrate("diff", "db", "built", "--url", empty)
    assert isinstance(done.exception, RevisionError)
    assert contents(empty) == before
    studio.upgrade(url=empty)
    do(studio, "diff", "db", "built", "--url", empty)


# --- a warehouse that cannot be taken over: once the cause that the message names is gone, the same command does it


ASSET = 'CREATE TABLE "Shot" (id BIGINT NOT NULL, code VARCHAR, PRIMARY KEY (id))'
UNFIT = {
    "There is no database": ([], [ASSET]),
    "holds a table alembic_version": ([ASSET, "CREATE TABLE alembic_version (version_num VARCHAR(32))"],
                                      ["DROP TABLE alembic_version"]),
    "no table that is called as one of": (["CREATE TABLE theirs (id INTEGER)"], [ASSET]),
    "Table Shot has another primary key than id.": (
        ['CREATE TABLE "Shot" (id BIGINT NOT NULL, code VARCHAR PRIMARY KEY)'], ['DROP TABLE "Shot"', ASSET]),
    "Column Shot.code has the type": (
        ['CREATE TABLE "Shot" (id BIGINT NOT NULL, code BLOB, PRIMARY KEY (id))'], ['DROP TABLE "Shot"', ASSET]),
}  # fmt: skip


@pytest.mark.parametrize("problem", UNFIT)
def test_a_warehouse_that_cannot_be_taken_over(problem: str, tmp_path: Path, sqlite_url: str) -> None:
    unfit, mend = UNFIT[problem]
    source = Studio(tmp_path / "source")
    source.take(SITE)
    execute(sqlite_url, *unfit) if unfit else None
    before = contents(sqlite_url) if unfit else None
    arguments = ["init", "new", "--adopt", "--from", str(source.snapshot), "--url", sqlite_url]
    said = refuses(tmp_path, AdoptError, *arguments)
    assert problem in said
    assert said.endswith("Nothing was changed; the documentation says more under Adoption.")
    assert "sg-migrate init warehouse --adopt" in (REPOSITORY / "docs" / "adoption.md").read_text("utf-8")
    assert not (tmp_path / "new").exists()
    assert before is None or contents(sqlite_url) == before
    execute(sqlite_url, *mend, """INSERT INTO "Shot" (id, code) VALUES (1, 'a')""")
    assert typed(tmp_path, "sg-migrate", *arguments).exit_code == 0
    studio = Studio.at(tmp_path / "new", sqlite_url)
    studio.revise()
    studio.upgrade()
    studio.check()
    assert studio.rows('SELECT id, code FROM "Shot"') == [(1, "a")]


def test_adoption_is_for_two_engines(tmp_path: Path, databases: Databases) -> None:
    source = Studio(tmp_path / "source")
    source.take(SITE)
    url = databases.new("mariadb")
    said = refuses(tmp_path, AdoptError, "init", "new", "--adopt", "--from", str(source.snapshot), "--url", url)
    assert said.startswith("Only on SQLite and PostgreSQL can shotgrid_orm have made a warehouse. Nothing was changed")
    assert not (tmp_path / "new").exists()
