"""A database that somebody changed by hand: mended by hand, by a revision, or gone on without, as the message says."""

from __future__ import annotations

from pathlib import Path

import pytest
from carried import commands_in, do, refused, says, settings_in, type_in
from engines import Databases
from sites import site
from studio import Studio

from sg_migrate.errors import DriftError

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
