"""SGM701, SGM702: what a view shows, or that it is in the way, when what it reads changes."""

from __future__ import annotations

from collections.abc import Callable

import pytest
import sqlalchemy as sa
from claims import Ground, every_engine
from reviewed import small_site

from sg_migrate.errors import ViewsError

pytest_plugins = ["reviewfixtures"]

On = Callable[[str], Ground]

VIEW = "CREATE VIEW cuts AS SELECT id, sg_cut_in FROM shot"
SHOWN = "SELECT id, sg_cut_in FROM cuts ORDER BY id"
CUT_IN = [(1, "12"), (2, "12 frames"), (3, None)]
SECOND = small_site(sg_cut_in="number")
RENAMED = "op.alter_column('shot', 'sg_cut_in', new_column_name='y', existing_type=sa.Text())"


def found(here: Ground) -> str:
    """What the review that asks the database says of the view."""
    return here.found("SGM701").what


def silent(here: Ground) -> bool:
    return not [one for one in here.review(here.head, here.engine, here.url).findings if one.rule.code == "SGM701"]


def in_the_way(here: Ground) -> None:
    """The upgrade is refused while the view is there, and runs without it; then the view is created anew."""
    with pytest.raises(ViewsError, match="cuts"):
        here.upgrade()
    assert here.version == "r1"
    assert here.rows(SHOWN) == CUT_IN
    here.execute("DROP VIEW cuts")
    assert silent(here)
    here.upgrade()


@every_engine
def test_sgm701_another_type(ground: On, engine: str) -> None:
    here = ground(engine)
    here.execute(VIEW)
    here.generated(SECOND)
    assert found(here) == "it gets another type, and it is read by cuts"
    if engine == "mariadb":  # a view goes by the name: it shows the new column
        here.upgrade()
    else:
        in_the_way(here)
        here.execute(VIEW)
    assert here.rows(SHOWN) == [(1, 12), (2, None), (3, None)]


@pytest.mark.parametrize("engine", ["sqlite", "postgresql"])
def test_sgm701_a_view_follows_its_column_to_the_old_values(ground: On, engine: str) -> None:
    """Where nothing stops it: with an env.py that is not ours, or by hand."""
    here = ground(engine)
    here.execute(VIEW, "ALTER TABLE shot RENAME COLUMN sg_cut_in TO sg_cut_in__was_text")
    here.execute("ALTER TABLE shot ADD COLUMN sg_cut_in INTEGER", "UPDATE shot SET sg_cut_in = id")
    assert here.rows("SELECT * FROM cuts ORDER BY id") == CUT_IN


@every_engine
def test_sgm701_a_drop(ground: On, engine: str) -> None:
    here = ground(engine)
    here.execute(VIEW)
    here.by_hand("op.drop_column('shot', 'sg_cut_in')")
    assert found(here) == "it is dropped, and it is read by cuts"
    in_the_way(here)


@every_engine
def test_sgm701_a_rename(ground: On, engine: str) -> None:
    here = ground(engine)
    here.execute(VIEW)
    here.by_hand(RENAMED)
    assert found(here) == "it is renamed to y, and it is read by cuts"
    if engine == "mariadb":
        in_the_way(here)
        here.execute(VIEW.replace("sg_cut_in", "y AS sg_cut_in"))
    else:  # the view follows; on SQLite with its own column's name
        here.upgrade()
    assert here.rows("SELECT * FROM cuts ORDER BY id") == CUT_IN


def test_sgm701_on_mysql_a_rename_breaks_the_view_where_nothing_stops_it(ground: On) -> None:
    here = ground("mariadb")
    here.execute(VIEW, "ALTER TABLE shot RENAME COLUMN sg_cut_in TO y")
    with pytest.raises(sa.exc.DBAPIError, match="cuts"):
        here.rows(SHOWN)


@every_engine
def test_sgm702_what_retires_shows_values_that_nobody_enters(ground: On, engine: str) -> None:
    here = ground(engine)
    here.execute(VIEW)
    here.generated(small_site(sg_cut_in=""))
    assert here.found("SGM702").what == "it retires, and it is read by cuts"
    here.upgrade()
    here.execute("INSERT INTO shot (id) VALUES (4)")  # as whoever loads the data does now
    assert here.rows(SHOWN) == [*CUT_IN, (4, None)]


@every_engine
def test_sgm701_what_a_view_does_not_read_is_no_matter(ground: On, engine: str) -> None:
    here = ground(engine)
    here.execute(VIEW)
    here.generated(small_site(sg_frames="text"))
    assert silent(here)
    here.upgrade()
    assert here.rows(SHOWN) == CUT_IN
