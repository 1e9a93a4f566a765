"""A revision may ask for its dialect: the review sees what each of them would run."""

from __future__ import annotations

import pytest
from click.testing import CliRunner, Result
from reviewed import Reviewed

from sg_migrate.cli import cli

pytest_plugins = ["reviewfixtures"]

HIDDEN = {
    "postgresql": 'if op.get_context().dialect.name == "postgresql": op.drop_table("shot")',
    "mysql": 'if op.get_context().dialect.name == "mysql": op.drop_table("shot")',
    "sqlite": 'op.drop_table("shot") if op.get_context().dialect.name == "sqlite" else None',
}


def reviewed(made: Reviewed, *arguments: str) -> Result:
    return CliRunner().invoke(cli, ["review", "r2", "--config", str(made.ini), *arguments])


@pytest.mark.parametrize("dialect", list(HIDDEN))
def test_what_one_dialect_drops_is_found(small: Reviewed, dialect: str) -> None:
    small.write("r2", HIDDEN[dialect] + "\npass", on="r1")
    everywhere = reviewed(small)
    assert everywhere.exit_code == 4
    assert "SGM101" in everywhere.stdout
    alone = reviewed(small, "--dialect", dialect)
    assert alone.exit_code == 4
    other = next(name for name in HIDDEN if name != dialect)
    elsewhere = reviewed(small, "--dialect", other)
    assert "SGM101" not in elsewhere.stdout


def test_the_dialect_is_named_where_only_one_does_it(small: Reviewed) -> None:
    small.write("r2", HIDDEN["mysql"] + "\npass", on="r1")
    assert "on mysql: " in reviewed(small).stdout


def test_nothing_is_said_twice(small: Reviewed) -> None:
    small.write("r2", "op.drop_table('shot')\npass", on="r1")
    assert reviewed(small).stdout.count("SGM101") == 1
