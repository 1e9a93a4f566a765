"""What somebody changed by hand in one of our tables is found, named, and mended by a revision if that is asked for."""

from __future__ import annotations

from pathlib import Path

import pytest
import sqlalchemy as sa
from engines import Databases
from oracle import Oracle
from small_site import small_site
from structure import diff_structure
from studio import Studio

from sg_migrate.errors import DriftError
from sg_migrate.review.run import review
from sg_migrate.review.selection import selected


@pytest.fixture(scope="module")
def project(tmp_path_factory: pytest.TempPathFactory) -> Studio:
    """One revision, on no database yet."""
    studio = Studio(tmp_path_factory.mktemp("drift") / "project")
    studio.follow(small_site(), "0001")
    return studio


@pytest.fixture(params=["sqlite", "postgresql", "mariadb"])
def studio(request: pytest.FixtureRequest, project: Studio, databases: Databases, tmp_path: Path) -> Studio:
    """A warehouse in step, with rows."""
    studio = project.copy(tmp_path / "project", databases.new(request.param))
    studio.upgrade()
    Oracle(studio.url, ignore=["sg_catalog_*"]).fill()
    return studio


def mended(studio: Studio, databases: Databases, *named: str) -> None:
    """The drift is found and named, ignored on request, and mended by one revision that says nothing else."""
    for command in (studio.check, lambda *x: studio.revise("stopped", *x)):
        with pytest.raises(DriftError) as caught:
            command()
        assert all(name in str(caught.value) for name in named), caught.value
        command("sg_drift=ignore")
    assert studio.number == 1
    revision = studio.revise("repair", "sg_drift=repair")
    assert revision is not None
    assert "'sg': " not in revision.read_text(encoding="utf-8")
    (script,) = selected(studio.project(), ["head"])
    found = review(studio.project(), script, sa.make_url(studio.url).get_backend_name()).findings
    assert "SGM304" not in {finding.rule.code for finding in found}  # nobody edited it
    studio.upgrade()
    studio.check()
    assert studio.against_the_model(databases) == []
    as_built = studio.structure()
    for back in ("-1", "base"):
        studio.downgrade(back)
        studio.upgrade()
        assert diff_structure(as_built, studio.structure()) == []
    assert studio.revise("nothing") is None


def test_a_missing_column(studio: Studio, databases: Databases) -> None:
    studio.execute("ALTER TABLE shot DROP COLUMN sg_cut_in")
    mended(studio, databases, "column shot.sg_cut_in was built and is missing in the database")


def test_a_missing_table(studio: Studio, databases: Databases) -> None:
    studio.execute("DROP TABLE shot__assets")
    mended(studio, databases, "table shot__assets was built and is missing in the database")


def test_a_lost_index(studio: Studio, databases: Databases) -> None:
    name = "ix_shot_sg_sequence_id_sg_sequence_type"
    studio.execute(f"DROP INDEX {name}" + (" ON shot" if "mariadb" in studio.url else ""))
    mended(studio, databases, f"index {name} on shot was built and is missing in the database")


def test_an_index_over_other_columns(studio: Studio, databases: Databases) -> None:
    name = "ix_shot_sg_sequence_id_sg_sequence_type"
    studio.execute(
        f"DROP INDEX {name}" + (" ON shot" if "mariadb" in studio.url else ""),
        f"CREATE INDEX {name} ON shot (sg_cut_in)",
    )
    mended(studio, databases, f"index {name} on shot is not as it was built")


def test_another_type(studio: Studio, databases: Databases) -> None:
    statements = {
        "sqlite": [
            "ALTER TABLE shot DROP COLUMN sg_cut_in",
            "ALTER TABLE shot ADD COLUMN sg_cut_in TEXT",
        ],
        "postgresql": ["ALTER TABLE shot ALTER COLUMN sg_cut_in TYPE bigint"],
        "mariadb": ["ALTER TABLE shot MODIFY COLUMN sg_cut_in bigint COMMENT 'Cut In'"],
    }
    studio.execute(*next(s for name, s in statements.items() if studio.url.startswith(name)))
    mended(studio, databases, "column shot.sg_cut_in: built as Integer()")


def test_a_type_of_less_precision(studio: Studio, databases: Databases) -> None:
    if studio.url.startswith("sqlite"):
        pytest.skip("SQLite has no precision")
    if studio.url.startswith("postgresql"):
        studio.execute("UPDATE shot SET sg_ratio = 0", "ALTER TABLE shot ALTER COLUMN sg_ratio TYPE real")
        mended(studio, databases, "column shot.sg_ratio: built as Double()")
    else:
        studio.execute("ALTER TABLE shot MODIFY COLUMN sg_shown_at datetime COMMENT 'Shown at'")
        mended(studio, databases, "column shot.sg_shown_at: built as DateTime(timezone=True)")


def test_a_column_that_takes_no_null(studio: Studio, databases: Databases) -> None:
    if studio.url.startswith("sqlite"):
        pytest.skip("SQLite cannot alter a column")
    if studio.url.startswith("postgresql"):
        studio.execute("UPDATE shot SET code = ''", "ALTER TABLE shot ALTER COLUMN code SET NOT NULL")
    else:
        comment = "COMMENT 'Shot Code: The \"name\" of it'"
        studio.execute("UPDATE shot SET code = ''", f"ALTER TABLE shot MODIFY COLUMN code longtext NOT NULL {comment}")
    mended(studio, databases, "column shot.code: built as NULL, not so in the database")


def test_a_changed_comment(studio: Studio, databases: Databases) -> None:
    if studio.url.startswith("sqlite"):
        pytest.skip("SQLite has no comments")
    if studio.url.startswith("postgresql"):
        studio.execute(
            "COMMENT ON COLUMN shot.sg_status_list IS 'Zustand'",
            "COMMENT ON TABLE sequence IS NULL",
        )
    else:
        studio.execute(
            "ALTER TABLE shot MODIFY COLUMN sg_status_list varchar(64) COMMENT 'Zustand'",
            "ALTER TABLE sequence COMMENT ''",
        )
    mended(
        studio,
        databases,
        "column shot.sg_status_list: comment built 'Status",
        "'Zustand'",
        "comment of table sequence: built 'Reel'",
    )


def test_what_is_not_ours_is_no_drift(studio: Studio, databases: Databases) -> None:
    studio.execute(
        "ALTER TABLE shot ADD COLUMN note_of_the_studio varchar(20)",
        "CREATE INDEX ix_studio ON shot (note_of_the_studio, sg_cut_in)",
        "CREATE TABLE studio (id integer PRIMARY KEY)",
    )
    studio.check()
    assert studio.revise("nothing") is None
