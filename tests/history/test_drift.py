"""What somebody changed by hand in one of our tables is found, named, and mended by a revision if that is asked for."""

from __future__ import annotations

from pathlib import Path

import pytest
from engines import Databases
from harness import History, a_site, execute
from oracle import Oracle

from sg_migrate.errors import DriftError


@pytest.fixture(params=["sqlite", "postgresql", "mariadb"])
def history(request: pytest.FixtureRequest, databases: Databases, tmp_path: Path) -> History:
    """A warehouse in step, with rows."""
    history = History(tmp_path / "project", databases.new(request.param))
    history.take(a_site())
    history.revise("first")
    history.upgrade()
    Oracle(history.url, ignore=["sg_catalog_*"]).fill()
    return history


def mended(history: History, databases: Databases, *named: str) -> None:
    """The drift is found and named, ignored on request, and mended by one revision that says nothing else."""
    for command in (history.check, lambda *x: history.revise("stopped", *x)):
        with pytest.raises(DriftError) as caught:
            command()
        assert all(name in str(caught.value) for name in named), caught.value
        command("sg_drift=ignore")
    assert history.number == 1
    revision = history.revise("repair", "sg_drift=repair")
    assert revision is not None
    assert "'sg': " not in revision.read_text(encoding="utf-8")
    history.upgrade()
    history.check()
    assert history.against_the_model(databases) == []
    history.downgrade()
    history.upgrade()
    assert history.revise("nothing") is None
    history.downgrade("base")
    history.upgrade()
    assert history.against_the_model(databases) == []


def test_a_missing_column(history: History, databases: Databases) -> None:
    execute(history.url, "ALTER TABLE shot DROP COLUMN sg_cut_in")
    mended(history, databases, "column shot.sg_cut_in was built and is missing in the database")


def test_a_missing_table(history: History, databases: Databases) -> None:
    execute(history.url, "DROP TABLE shot__assets")
    mended(history, databases, "table shot__assets was built and is missing in the database")


def test_a_lost_index(history: History, databases: Databases) -> None:
    name = "ix_shot_sg_sequence_id_sg_sequence_type"
    execute(history.url, f"DROP INDEX {name}" + (" ON shot" if "mariadb" in history.url else ""))
    mended(history, databases, f"index {name} on shot was built and is missing in the database")


def test_an_index_over_other_columns(history: History, databases: Databases) -> None:
    name = "ix_shot_sg_sequence_id_sg_sequence_type"
    execute(
        history.url,
        f"DROP INDEX {name}" + (" ON shot" if "mariadb" in history.url else ""),
        f"CREATE INDEX {name} ON shot (sg_cut_in)",
    )
    mended(history, databases, f"index {name} on shot is not as it was built")


def test_another_type(history: History, databases: Databases) -> None:
    statements = {
        "sqlite": [
            "ALTER TABLE shot DROP COLUMN sg_cut_in",
            "ALTER TABLE shot ADD COLUMN sg_cut_in TEXT",
        ],
        "postgresql": ["ALTER TABLE shot ALTER COLUMN sg_cut_in TYPE bigint"],
        "mariadb": ["ALTER TABLE shot MODIFY COLUMN sg_cut_in bigint COMMENT 'Cut In'"],
    }
    execute(history.url, *next(s for name, s in statements.items() if history.url.startswith(name)))
    mended(history, databases, "column shot.sg_cut_in: built as Integer()")


def test_a_type_of_less_precision(history: History, databases: Databases) -> None:
    if history.url.startswith("sqlite"):
        pytest.skip("SQLite has no precision")
    if history.url.startswith("postgresql"):
        execute(history.url, "UPDATE shot SET sg_ratio = 0", "ALTER TABLE shot ALTER COLUMN sg_ratio TYPE real")
        mended(history, databases, "column shot.sg_ratio: built as Double()")
    else:
        execute(history.url, "ALTER TABLE shot MODIFY COLUMN sg_shown_at datetime COMMENT 'Shown at'")
        mended(history, databases, "column shot.sg_shown_at: built as DateTime(timezone=True)")


def test_a_column_that_takes_no_null(history: History, databases: Databases) -> None:
    if history.url.startswith("sqlite"):
        pytest.skip("SQLite cannot alter a column")
    if history.url.startswith("postgresql"):
        execute(history.url, "UPDATE shot SET code = ''", "ALTER TABLE shot ALTER COLUMN code SET NOT NULL")
    else:
        comment = "COMMENT 'Shot Code: The \"name\" of it'"
        execute(
            history.url, "UPDATE shot SET code = ''", f"ALTER TABLE shot MODIFY COLUMN code longtext NOT NULL {comment}"
        )
    mended(history, databases, "column shot.code: built as NULL, not so in the database")


def test_a_changed_comment(history: History, databases: Databases) -> None:
    if history.url.startswith("sqlite"):
        pytest.skip("SQLite has no comments")
    if history.url.startswith("postgresql"):
        execute(
            history.url,
            "COMMENT ON COLUMN shot.sg_status_list IS 'Zustand'",
            "COMMENT ON TABLE sequence IS NULL",
        )
    else:
        execute(
            history.url,
            "ALTER TABLE shot MODIFY COLUMN sg_status_list varchar(64) COMMENT 'Zustand'",
            "ALTER TABLE sequence COMMENT ''",
        )
    mended(
        history,
        databases,
        "column shot.sg_status_list: comment built 'Status",
        "'Zustand'",
        "comment of table sequence: built 'Reel'",
    )


def test_what_is_not_ours_is_no_drift(history: History, databases: Databases) -> None:
    execute(
        history.url,
        "ALTER TABLE shot ADD COLUMN note_of_the_studio varchar(20)",
        "CREATE INDEX ix_studio ON shot (note_of_the_studio, sg_cut_in)",
        "CREATE TABLE studio (id integer PRIMARY KEY)",
    )
    history.check()
    assert history.revise("nothing") is None
