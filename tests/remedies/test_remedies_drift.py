"""A database that somebody changed by hand: mended by hand, by a revision, or gone on without, as the message says."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from carried import commands_in, do, refused, says, settings_in, type_in
from engines import Databases
from sites import site
from studio import Studio, execute

from sg_migrate.errors import CastError, DriftError

FIRST = {"code": "text", "sg_cut": "number"}
BY_HAND = {
    "sqlite": ["ALTER TABLE shot ADD COLUMN sg_cut INTEGER"],
    "postgresql": ["ALTER TABLE shot ADD COLUMN sg_cut INTEGER", "COMMENT ON COLUMN shot.sg_cut IS 'sg_cut'"],
    "mariadb": ["ALTER TABLE shot ADD COLUMN sg_cut INTEGER COMMENT 'sg_cut'"],
}


@pytest.mark.parametrize("engine", BY_HAND)
def test_a_column_that_somebody_dropped(engine: str, databases: Databases, tmp_path: Path) -> None:
    studio = Studio(tmp_path / "project", databases.new(engine))
    studio.follow(site(Shot=FIRST), "0001")
    studio.upgrade()
    studio.execute(
        "INSERT INTO shot (id, code, sg_cut) VALUES (1, 'a', 12)",
        "CREATE TABLE other (id INTEGER)",
        "ALTER TABLE shot DROP COLUMN sg_cut",
    )
    studio.take(site(Shot={**FIRST, "sg_new": "text"}))
    said = refused(studio, DriftError, studio.revise)
    assert refused(studio, DriftError, studio.check) == said
    assert refused(studio, DriftError, says(studio, "revision")) == said

    ignore = settings_in(said)[-1]
    assert studio.revise("step", ignore) is not None
    studio.upgrade()
    studio.check(ignore)
    assert "Nothing to do" in do(studio, "revision", "-x", ignore)

    ((program, *repair),) = commands_in(said)
    type_in(studio.folder, program, *repair, "--rev-id", "repair")
    studio.upgrade()
    studio.check()
    assert studio.rows("SELECT id, code, sg_cut, sg_new FROM shot") == [(1, "a", None, None)]

    studio.execute("ALTER TABLE shot DROP COLUMN sg_cut")
    assert refused(studio, DriftError, studio.check) == said
    studio.execute(*BY_HAND[engine])
    studio.check()
    assert studio.rows("SELECT id, code, sg_cut, sg_new FROM shot") == [(1, "a", None, None)]


RETYPED = {
    "sqlite": ["ALTER TABLE shot DROP COLUMN sg_cut", "ALTER TABLE shot ADD COLUMN sg_cut TEXT"],
    "postgresql": ["ALTER TABLE shot ALTER COLUMN sg_cut TYPE double precision"],
    "mariadb": ["ALTER TABLE shot MODIFY COLUMN sg_cut double COMMENT 'sg_cut'"],
}
VALUES: dict[str, list[Any]] = {
    "sqlite": ["12 frames", "99999999999"],
    "postgresql": [12.5, 99999999999.0],
    "mariadb": [12.5, 99999999999.0],
}


@pytest.mark.parametrize("engine", RETYPED)
def test_values_of_a_column_whose_type_somebody_changed(engine: str, databases: Databases, tmp_path: Path) -> None:
    """A cast would make 12 of them, or round, or stop half way; on another database of the history as well."""
    studio = Studio(tmp_path / "project", databases.new(engine))
    other = databases.new(engine)
    studio.follow(site(Shot=FIRST), "0001")
    for url in (studio.url, other):
        studio.upgrade(url=url)
        execute(url, "INSERT INTO shot (id) VALUES (1), (2)", *RETYPED[engine])
    empty = studio.revise("repair", "sg_drift=repair", rev_id="empty")
    assert empty is not None
    for number, value in enumerate(VALUES[engine], start=1):
        studio.execute(f"UPDATE shot SET sg_cut = {value!r} WHERE id = {number}")

    said = refused(studio, CastError, lambda: studio.upgrade())
    empty.unlink()
    studio.number = 1
    assert refused(studio, CastError, lambda: studio.revise("repair", "sg_drift=repair")) == said
    studio.execute(said.partition("Set the column aside: ")[2].partition(";")[0])
    assert studio.revise("repair", "sg_drift=repair") is not None
    studio.upgrade()
    studio.check()
    assert studio.rows("SELECT id, sg_cut, sg_cut_by_hand FROM shot ORDER BY id") == [
        (number, None, value) for number, value in enumerate(VALUES[engine], start=1)
    ]
    studio.upgrade(url=other)  # there the column is not missing; it is empty, and so it can have its type back
    assert studio.revise("repair", "sg_drift=repair", url=other) is not None
    for url in (other, studio.url):
        studio.upgrade(url=url)
        studio.check(url=url)


def test_sg_migrate_check_goes_on_without_too(sqlite_url: str, tmp_path: Path) -> None:
    studio = Studio(tmp_path / "project", sqlite_url)
    studio.follow(site(Shot=FIRST), "0001")
    studio.upgrade()
    studio.execute("ALTER TABLE shot DROP COLUMN sg_cut")
    assert studio.sg_migrate("check").exit_code == 4
    done = studio.sg_migrate("check", "-x", "sg_drift=ignore")
    assert (done.exit_code, "drift = ignore" in done.output) == (0, True), done.output
