"""`sg-migrate squash`: a history becomes one revision that builds the same, and databases go on."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest
from engines import Databases
from sites import REAL, SAMPLES, site
from structure import diff_structure, snapshot_structure
from studio import Studio

from sg_migrate import load_schema
from sg_migrate.errors import SquashedRevisionError, SquashError
from sg_migrate.revisions.replay import DIALECTS
from sg_migrate.revisions.squash import squash

LAST = "r4"


def history(folder: Path, url: str, **settings: str) -> Studio:
    return followed(Studio(folder, url, **settings), SAMPLES)


def followed(studio: Studio, states: list[Path]) -> Studio:
    """With a revision for each state of the site."""
    for number, state in enumerate(states, 1):
        studio.follow(load_schema(state).schema, f"r{number}")
    return studio


def in_order(studio: Studio, revision: str, dialect: str) -> dict[str, object]:
    """What is built, with the columns of each table by name: their order in a table is no part of a state."""
    built = studio.project().history(dialect).built([revision])
    return {name: replace(table, columns=dict(sorted(table.columns.items()))) for name, table in built.items()}


def test_it_builds_the_same(databases: Databases, tmp_path: Path) -> None:
    builds_the_same(databases, databases.new("sqlite"), tmp_path, "")


@pytest.mark.long
@pytest.mark.parametrize("setting", ["", "foreign_keys", "json"])
def test_it_builds_the_same_on_every_engine(
    databases: Databases, server_url: str, tmp_path: Path, setting: str
) -> None:
    builds_the_same(databases, server_url, tmp_path, setting)


def builds_the_same(databases: Databases, server_url: str, tmp_path: Path, setting: str) -> None:
    settings = {"foreign_keys": {"foreign_keys": "true"}, "json": {"multi_entity": "json"}}.get(setting, {})
    studio = history(tmp_path / "old", server_url, **settings)
    before = {dialect: in_order(studio, LAST, dialect) for dialect in DIALECTS}
    studio.upgrade(LAST)
    old = snapshot_structure(server_url)
    engine = server_url.partition("+")[0].partition(":")[0]
    squashed = studio.copy(tmp_path / "new", databases.new(engine))
    done = squashed.sg_migrate("squash", LAST)
    assert done.exit_code == 0, done.output
    assert "3 earlier revisions are in it now" in done.output
    assert sorted(path.name[:2] for path in squashed.versions.glob("*.py")) == ["r4", "r5", "r6"]
    assert {dialect: in_order(squashed, LAST, dialect) for dialect in DIALECTS} == before
    squashed.upgrade(LAST)
    assert diff_structure(old, snapshot_structure(squashed.url)) == []
    squashed.upgrade()
    squashed.check()
    squashed.downgrade("base")
    squashed.upgrade()
    # The old database goes on with the new files, without running them again.
    squashed.upgrade(url=server_url)
    squashed.check(url=server_url)
    assert diff_structure(snapshot_structure(server_url), snapshot_structure(squashed.url)) == []
    squashed.downgrade(LAST, url=server_url)
    assert diff_structure(old, snapshot_structure(server_url)) == []


def test_the_file_tells_of_what_is_in_it(tmp_path: Path) -> None:
    studio = history(tmp_path, f"sqlite:///{tmp_path / 'warehouse.db'}")
    (old,) = studio.versions.glob("r4_*.py")
    digest = next(line for line in old.read_text("utf-8").splitlines() if line.startswith("sg_digest"))
    studio.sg_migrate("squash", LAST)
    (path,) = studio.versions.glob("r4_*.py")
    text = path.read_text("utf-8")
    assert text.startswith('"""4 revisions in one, up to: r4')
    assert digest in text.splitlines()
    assert "sg_replaces = (\n    'r1',\n    'r2',\n    'r3',\n)" in text
    assert "Revises: \n" in text
    shown = studio.sg_migrate("review", LAST)
    assert "safe: " in shown.stdout
    assert "SGM304" not in shown.stdout
    for command in (("dictionary", "-"), ("models", "-"), ("review", "base:heads"), ("check",)):
        assert studio.sg_migrate(*command).exit_code in (0, 3, 4), command
    studio.upgrade()
    assert studio.revise() is None, "nothing is to be done"


def test_a_database_before_it_is_told_and_goes_on(tmp_path: Path) -> None:
    studio = history(tmp_path / "old", f"sqlite:///{tmp_path / 'warehouse.db'}")
    studio.upgrade("r2")
    squashed = studio.copy(tmp_path / "new", studio.url)
    squashed.sg_migrate("squash", LAST)
    for command in (squashed.upgrade, squashed.check):
        with pytest.raises(SquashedRevisionError, match=r"is at r2, .* run `alembic upgrade r4`"):
            command()
    studio.upgrade("r4")  # with the commit before
    squashed.upgrade()
    squashed.check()


def test_a_squash_that_was_killed_is_finished_by_the_same_command(tmp_path: Path) -> None:
    studio = history(tmp_path / "p", f"sqlite:///{tmp_path / 'warehouse.db'}")
    kept = {path.name: path.read_bytes() for path in studio.versions.glob("*.py")}
    squash(studio.project(), LAST)
    for name in kept:
        if name[:2] in ("r1", "r2"):
            (studio.versions / name).write_bytes(kept[name])  # it had come as far as r3
    done = studio.sg_migrate("squash", LAST)
    assert "2 earlier revisions" in done.output
    assert len(list(studio.versions.glob("*.py"))) == 3
    studio.upgrade()


def test_it_can_be_done_again(tmp_path: Path) -> None:
    studio = history(tmp_path / "p", f"sqlite:///{tmp_path / 'warehouse.db'}")
    studio.sg_migrate("squash", "r3")
    assert studio.sg_migrate("squash", "r5").exit_code == 0
    (path,) = studio.versions.glob("r5_*.py")
    assert "'r1',\n    'r2',\n    'r3',\n    'r4',\n" in path.read_text("utf-8")
    studio.upgrade()
    studio.check()


SMALL = site(Shot={"code": "text"})
MORE = site(Shot={"code": "text", "sg_x": "number"})


def small(folder: Path) -> Studio:
    studio = Studio(folder)
    studio.follow(SMALL, "r1")
    studio.follow(MORE, "r2")
    return studio


@pytest.mark.parametrize(
    ("upgrade", "ours", "says"),
    [
        ("op.execute('UPDATE shot SET code = 1')", True, "ExecuteSQL is not of the site's tables"),
        ("op.create_table('own', sa.Column('id', sa.Integer))", True, "CreateTable is not of the site's tables"),
        ("op.add_column('shot', sa.Column('own', sa.Integer))", True, "AddColumn is not of the site's tables"),
        (
            "op.create_unique_constraint('own', 'shot', ['code'])",
            True,
            "CreateUniqueConstraint is not of the site's tables",
        ),
        ("pass", False, "is not sg_migrate's"),
    ],
)
def test_what_would_be_lost_is_refused(tmp_path: Path, upgrade: str, ours: bool, says: str) -> None:
    studio = small(tmp_path)
    path = studio.write("r3", upgrade, on="r2", ours=ours)
    before = {one.name: one.read_bytes() for one in studio.versions.glob("*.py")}
    refused = studio.sg_migrate("squash", "r3").exception
    assert isinstance(refused, SquashError)
    assert says in str(refused)
    assert path.name in str(refused)
    assert {one.name: one.read_bytes() for one in studio.versions.glob("*.py")} == before


def test_other_refusals(tmp_path: Path) -> None:
    studio = small(tmp_path)
    studio.write("r3", "pass", on="r1")
    assert "r3 does not stand on it" in str(studio.sg_migrate("squash", "r2").exception)
    assert "there is nothing before it" in str(studio.sg_migrate("squash", "r1").exception)
    assert studio.sg_migrate("squash", "zz").exit_code == 1
    before = [path.read_bytes() for path in sorted(studio.versions.glob("*.py"))]
    (studio.versions / "r3_r3.py").unlink()
    assert "would be in it" in studio.sg_migrate("squash", "r2", "--dry-run").output
    assert [path.read_bytes() for path in sorted(studio.versions.glob("*.py"))] == before[:2]


@pytest.mark.long
@pytest.mark.skipif(not REAL, reason="the real schemas are not on this machine")
def test_real_schemas(tmp_path: Path) -> None:
    studio = followed(Studio(tmp_path / "p", f"sqlite:///{tmp_path / 'warehouse.db'}"), REAL)
    last = f"r{len(REAL)}"
    before = in_order(studio, last, "sqlite")
    assert studio.sg_migrate("squash", last).exit_code == 0
    assert in_order(studio, last, "sqlite") == before
    studio.upgrade()
    studio.check()
