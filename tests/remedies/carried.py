"""What a refusal must leave alone, and what its message tells a user to do.

said = refused(studio, DiscardError, studio.downgrade)     # nothing has changed
studio.downgrade("-1", *settings_in(said))                 # what the message says
"""

from __future__ import annotations

import dataclasses
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import click
import pytest
import sqlalchemy as sa
from alembic.config import CommandLine
from click.testing import CliRunner, Result
from structure import diff_structure, raw_connection, snapshot_structure
from studio import Studio, undisturbed, working_directory

from sg_migrate.cli import cli
from sg_migrate.errors import SgMigrateError
from sg_migrate.settings import Settings


def contents(url: str, schema: str | None = None) -> dict[str, Any]:
    """The structure of a database and every row of it, those of alembic_version among them."""
    structure = snapshot_structure(url, schema=schema)
    rows: dict[str, list[str]] = {}
    with raw_connection(url) as connection:
        for name in structure["tables"]:
            found = connection.execute(sa.select(sa.text("*")).select_from(sa.table(name, schema=schema)))
            rows[name] = sorted(repr(tuple(row)) for row in found)
    return {"structure": structure, "rows": rows}


def files(folder: Path) -> dict[str, bytes]:
    """Every file of a project but what Python caches, and databases."""
    found = (path for path in folder.rglob("*") if path.is_file() and path.suffix not in (".pyc", ".db"))
    return {str(path.relative_to(folder)): path.read_bytes() for path in found}


def held(studio: Studio) -> dict[str, Any]:
    """All that a command could have changed."""
    return {**contents(studio.url), "files": files(studio.folder)}


def refused(studio: Studio, error: type[SgMigrateError], command: Callable[[], object]) -> str:
    """What a command says that refuses; neither the database nor a file has changed."""
    before = held(studio)
    with pytest.raises(error) as caught:
        command()
    assert type(caught.value) is error
    changed = diff_structure(before, held(studio))
    assert not changed, changed
    return str(caught.value)


def settings_in(message: str) -> list[str]:
    """The settings for ``-x`` that a message names: ``sg_discard=true``."""
    found = re.findall(r"-x (sg_\w+=\w+)", message)
    assert found, message
    return found


def commands_in(message: str) -> list[list[str]]:
    """The commands that a message names in back-ticks, word by word."""
    found = [words.split() for words in re.findall(r"`((?:sg-migrate|alembic) [^`]+)`", message)]
    assert found, message
    return found


def do(studio: Studio, *arguments: str) -> str:
    """A command of ours that must succeed; what it printed."""
    done = studio.sg_migrate(*arguments)
    if done.exception is not None and not isinstance(done.exception, SystemExit):
        raise done.exception
    assert done.exit_code in (0, 3, 4), done.output
    return done.output


def typed(folder: Path, program: str, *arguments: str) -> Result:
    """A command as a user types it in a folder, ``alembic`` or ``sg-migrate``, in this process."""
    with working_directory(folder), undisturbed():
        if program == "sg-migrate":
            return CliRunner().invoke(cli, list(arguments))
        assert program == "alembic"
        return CliRunner().invoke(_alembic, list(arguments))


@click.command(context_settings={"ignore_unknown_options": True})
@click.argument("arguments", nargs=-1, type=click.UNPROCESSED)
def _alembic(arguments: tuple[str, ...]) -> None:
    CommandLine(prog="alembic").main(list(arguments))


def type_in(folder: Path, program: str, *arguments: str) -> str:
    """`typed`, and it must succeed; what was printed."""
    done = typed(folder, program, *arguments)
    assert done.exit_code in (0, 3, 4), done.output
    return done.output


def says(studio: Studio, *arguments: str) -> Callable[[], None]:
    """A command of ours that must fail, as a function that raises what it raised."""

    def run() -> None:
        done = studio.sg_migrate(*arguments)
        assert done.exception is not None, done.output
        raise done.exception

    return run


SETTINGS = re.compile(r"\b(" + "|".join(field.name for field in dataclasses.fields(Settings)) + r")\b")


def settings_named(message: str) -> set[str]:
    """The settings for alembic.ini that a message names inside of parentheses."""
    return {name for part in re.findall(r"\(([^()]*)\)", message) for name in SETTINGS.findall(part)}
