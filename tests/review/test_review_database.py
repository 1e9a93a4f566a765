"""Reviews that ask a database: rows, values, sizes, views and triggers; and that they only ever read."""

from __future__ import annotations

import re

import pytest
import sqlalchemy as sa
from engines import Databases
from reviewed import Reviewed, codes, edit, small_site
from studio import execute

pytest_plugins = ["reviewfixtures"]

VALUES = ("12", "12 frames", None, "431.25", " 7 ", "-3", "99999999999")


@pytest.mark.parametrize("engine", ["sqlite", "postgresql", "mariadb"])
def test_a_database_says_how_many_values_will_not_convert(small: Reviewed, databases: Databases, engine: str) -> None:
    url = databases.new(engine)
    small.upgrade("r1", url=url)
    created = sa.create_engine(url)
    with created.begin() as connection:
        rows = [{"id": number, "sg_cut_in": value} for number, value in enumerate(VALUES)]
        connection.execute(sa.insert(sa.table("shot", sa.column("id"), sa.column("sg_cut_in"))), rows)
        connection.exec_driver_sql("CREATE VIEW cuts AS SELECT sg_cut_in FROM shot")
    small.follow(small_site(sg_cut_in="number"), "r2")
    result = small.review("r2", engine, url)
    found = {finding.rule.code: finding for finding in result.findings}
    counts = found["SGM201"].counts
    assert (counts.rows, counts.values) == (7, 6)
    with created.begin() as connection:
        connection.exec_driver_sql("DROP VIEW cuts")  # the upgrade would refuse
    small.upgrade("r2", url=url)
    with created.connect() as connection:
        carried = connection.execute(sa.text("SELECT count(sg_cut_in) FROM shot")).scalar_one()
    created.dispose()
    assert counts.unconverted == 6 - carried > 0
    assert counts.size is not None
    assert counts.size > 0
    assert found["SGM701"].what == "it gets another type, and it is read by cuts"


def test_postgresql_knows_the_views_whatever_their_text(small: Reviewed, databases: Databases) -> None:
    url = databases.new("postgresql")
    small.upgrade(url=url)
    execute(
        url,
        "CREATE VIEW everything AS SELECT s.sg_cut_in AS start FROM shot s",
        "CREATE VIEW sg_cut_in AS SELECT code FROM shot",
        "CREATE MATERIALIZED VIEW kept AS SELECT sg_cut_in FROM shot",
    )
    small.follow(small_site(sg_cut_in=""), "r2")
    (finding,) = small.review("r2", "postgresql", url).findings
    assert finding.what == "it retires, and it is read by everything, kept"


def test_nothing_can_be_written_through_the_reviews_connection(small: Reviewed, databases: Databases) -> None:
    for engine in ("sqlite", "postgresql", "mariadb"):
        url = databases.new(engine)
        small.upgrade(url=url)
        with small.project().database(url) as (database, _):
            assert database is not None
            with pytest.raises(sa.exc.DBAPIError):
                database.connection.exec_driver_sql("INSERT INTO shot (id) VALUES (1)")


def test_a_revision_that_the_database_has_is_not_counted(small: Reviewed) -> None:
    small.follow(small_site(sg_cut_in="number"), "r2")
    small.upgrade()
    result = small.inside("review", "r2")
    assert "0 rows" not in result.stdout
    assert "the database has this revision already" in result.stderr


def test_a_trigger_is_named_for_the_table_that_is_rebuilt(small: Reviewed) -> None:
    small.upgrade()
    small.execute("CREATE TRIGGER stamp AFTER INSERT ON shot BEGIN SELECT 1; END")
    small.write("r2", "with op.batch_alter_table('shot') as b:\n    b.drop_column('sg_cut_in')", on="r1")
    assert "SGM602" not in codes(small.review(url=small.url))  # our env.py puts it back
    edit(small.folder / "migrations" / "env.py", "connection=connection, **sg.options()", "connection=connection")
    (finding,) = (f for f in small.review(url=small.url).findings if f.rule.code == "SGM602")
    assert finding.what == "loses stamp"


@pytest.fixture(scope="module")
def wide(tmp_path_factory: pytest.TempPathFactory) -> Reviewed:
    """A table of 250 fields that all get another type."""
    fields = {f"sg_{number}": "text" for number in range(250)}
    made = Reviewed.make(tmp_path_factory.mktemp("wide") / "project", small_site(**fields))
    made.follow(small_site(**dict.fromkeys(fields, "number")), "r2")
    return made


@pytest.mark.parametrize("engine", ["sqlite", "postgresql", "mariadb"])
def test_a_table_is_read_once_whatever_is_found_on_it(wide: Reviewed, databases: Databases, engine: str) -> None:
    url = databases.new(engine)
    wide.upgrade("r1", url=url)
    others = [f"sg_{number}" for number in range(3, 250)]
    execute(url, "INSERT INTO shot (id, sg_0, sg_1, sg_2) VALUES (0, 'x', '12', '0'), (1, 'x', NULL, 'x'),"
            " (2, 'x', 'y', '2')")  # fmt: skip
    execute(url, f"UPDATE shot SET {', '.join(f'{name} = sg_0' for name in others)} WHERE id = 0")
    statements: list[str] = []

    def note(_: object, __: object, statement: str, *___: object) -> None:
        statements.append(statement)

    sa.event.listen(sa.Engine, "before_cursor_execute", note)
    try:
        findings = wide.review("r2", engine, url).findings
    finally:
        sa.event.remove(sa.Engine, "before_cursor_execute", note)
    told = {finding.column: finding.counts for finding in findings if finding.rule.code == "SGM201"}
    assert len(told) == 250
    counted = {column: (one.rows, one.values, one.unconverted) for column, one in told.items()}
    assert counted == dict.fromkeys(told, (3, 1, 1)) | {"sg_0": (3, 3, 3), "sg_1": (3, 2, 1), "sg_2": (3, 3, 1)}
    # 501 numbers are more than one statement may ask for: two passes, not five hundred.
    assert len([text for text in statements if re.search(r"\bFROM shot\b", text)]) == 2
