"""SGM201 to SGM208: values that change, are left behind or stop the upgrade; and what the remedy does to them."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from claims import Ground, every_engine, right_after
from reviewed import small_site
from sites import changed

from sg_migrate.errors import DatabaseError

pytest_plugins = ["reviewfixtures"]

On = Callable[[str], Ground]

CUT_IN = [(1, "12"), (2, "12 frames"), (3, None)]


def in_batch(alteration: str) -> str:
    return f"with op.batch_alter_table('shot') as batch_op:\n    {alteration}"


@every_engine
def test_sgm201_what_does_not_convert_is_null_and_stays_in_the_former_column(ground: On, engine: str) -> None:
    here = ground(engine)
    assert "SGM201" in here.generated(small_site(sg_cut_in="number"))
    found = here.found("SGM201")
    assert (found.counts.values, found.counts.unconverted) == (2, 1)
    here.upgrade()
    assert here.rows("SELECT id, sg_cut_in FROM shot ORDER BY id") == [(1, 12), (2, None), (3, None)]
    assert "sg_cut_in__was_text" in found.what
    assert here.rows("SELECT id, sg_cut_in__was_text FROM shot ORDER BY id") == CUT_IN
    here.downgrade()
    assert here.rows("SELECT id, sg_cut_in FROM shot ORDER BY id") == CUT_IN


@every_engine
def test_sgm202_without_a_conversion_the_field_starts_empty(ground: On, engine: str) -> None:
    here = ground(engine)
    assert "SGM202" in here.generated(small_site(sg_cut_in="entity"))
    here.upgrade()
    assert here.value("SELECT count(sg_cut_in_id) FROM shot") == 0
    found = here.found("SGM202")
    (kept,) = (word for word in found.what.split() if word.startswith("sg_cut_in"))
    assert here.rows(f"SELECT id, {kept} FROM shot ORDER BY id") == CUT_IN


IN_PLACE = {
    "text to number": ("sg_cut_in", "sa.Integer()", "sa.Text()"),
    "shorter text": ("sg_status", "sa.String(3)", "sa.String(64)"),
    "bounded text": ("sg_cut_in", "sa.String(5)", "sa.Text()"),
}


@every_engine
@pytest.mark.parametrize("case", IN_PLACE)
def test_sgm203_a_cast_in_place_changes_values_or_stops(ground: On, engine: str, case: str) -> None:
    here = ground(engine)
    here.execute("UPDATE shot SET sg_status = 'final' WHERE id = 2")
    column, new, old = IN_PLACE[case]
    assert "SGM203" in here.by_hand(in_batch(f"batch_op.alter_column('{column}', type_={new}, existing_type={old})"))
    values = f"SELECT {column} FROM shot WHERE id = 2"
    before = here.value(values)
    try:
        here.upgrade()
    except DatabaseError:
        assert engine != "sqlite"
        return
    assert engine == "sqlite"
    if case == "text to number":
        assert here.value(values) == 12 != before
    else:
        assert len(here.value(values)) > 3  # the type is now one that does not hold what is in it


@every_engine
def test_sgm203_a_conversion_keeps_the_values_and_a_longer_text_too(ground: On, engine: str) -> None:
    here = ground(engine)
    here.execute("UPDATE shot SET sg_status = 'final' WHERE id = 2")
    longer = "batch_op.alter_column('sg_status', type_=sa.String(255), existing_type=sa.String(64))"
    assert "SGM203" not in here.by_hand(in_batch(longer))
    here.upgrade()
    assert here.value("SELECT sg_status FROM shot WHERE id = 2") == "final"
    wider = "batch_op.alter_column('sg_frames', type_=sa.BigInteger(), existing_type=sa.Integer())"
    assert "SGM203" not in here.by_hand(in_batch(wider))
    here.upgrade()
    assert here.rows("SELECT sg_frames FROM shot ORDER BY id") == [(7,), (8,), (9,)]
    assert "SGM203" not in here.generated(small_site(sg_cut_in="number"))
    here.upgrade()
    assert here.rows("SELECT id, sg_cut_in__was_text FROM shot ORDER BY id") == CUT_IN


@every_engine
def test_sgm204_a_row_without_a_value_stops_not_null(ground: On, engine: str) -> None:
    here = ground(engine)
    not_null = in_batch("batch_op.alter_column('sg_cut_in', nullable={}, existing_type=sa.Text())")
    assert "SGM204" in here.by_hand(not_null.format(False))
    here.refuses()
    here.take_back()
    assert "SGM204" not in here.by_hand(not_null.format(True))
    here.upgrade()


@every_engine
@pytest.mark.parametrize("type_", ["sa.Integer()", "sa.Text()", "sa.Date()"])
def test_sgm204_a_new_column_that_is_not_null(ground: On, engine: str, type_: str) -> None:
    here = ground(engine)
    column = f"op.add_column('shot', sa.Column('x', {type_}, nullable=False))"
    assert "SGM204" in here.by_hand(column)
    if engine == "mariadb":  # MySQL, other than MariaDB, refuses the date
        here.upgrade()
        assert here.value("SELECT x FROM shot WHERE id = 1") in (0, "", "0000-00-00")  # which nobody entered
        return
    here.refuses()
    here.take_back()
    assert "SGM204" not in here.by_hand(column.replace("nullable=False", "nullable=True"))
    here.upgrade()
    assert here.value("SELECT x FROM shot WHERE id = 1") is None


def _came_back(here: Ground, *, pruned: bool) -> set[str]:
    """The review when sg_cut_in, which was in the trash, is another field of that name."""
    here.generated(small_site(sg_cut_in=""))
    here.upgrade()
    if pruned:
        done = here.sg_migrate("prune", "Shot.sg_cut_in")
        assert done.exit_code == 0, done.output
        here.generated(small_site(sg_cut_in=""))
        here.upgrade()
    found = here.generated(changed(small_site(), "Shot.sg_cut_in", name="Cut Sheet"))
    here.upgrade()
    return found


@every_engine
def test_sgm205_the_old_values_show_under_the_new_meaning(ground: On, engine: str) -> None:
    here = ground(engine)
    assert "SGM205" in _came_back(here, pruned=False)
    assert here.rows("SELECT id, sg_cut_in FROM shot ORDER BY id") == CUT_IN


def test_sgm205_what_was_pruned_comes_back_empty(ground: On) -> None:
    here = ground("sqlite")
    assert "SGM205" not in _came_back(here, pruned=True)
    assert here.value("SELECT count(sg_cut_in) FROM shot") == 0


@every_engine
def test_sgm206_no_downgrade_brings_old_values_back(ground: On, engine: str) -> None:
    here = ground(engine)
    assert "SGM206" in here.by_hand("op.execute(sa.update(sa.table('shot', sa.column('code'))).values(code='x'))")
    here.upgrade()
    here.downgrade()
    assert here.rows("SELECT DISTINCT code FROM shot") == [("x",)]
    here.take_back()
    assert "SGM206" not in here.by_hand("pass")


UNIQUE = {
    "index": "op.create_index('u', 'shot', ['sg_status'], unique=True)",
    "constraint": in_batch("batch_op.create_unique_constraint('u', ['sg_status'])"),
}


@every_engine
@pytest.mark.parametrize("kind", UNIQUE)
def test_sgm207_a_value_that_repeats_stops_the_upgrade(ground: On, engine: str, kind: str) -> None:
    here = ground(engine)
    here.execute("UPDATE shot SET sg_status = 'fin'")
    assert "SGM207" in here.by_hand(UNIQUE[kind])
    here.refuses()
    here.take_back()
    assert "SGM207" not in here.by_hand("op.create_index('u', 'shot', ['sg_status'])")
    here.upgrade()


@every_engine
def test_sgm208_every_row_is_written_and_writers_wait(ground: On, engine: str) -> None:
    here = ground(engine)
    assert "SGM208" in here.generated(small_site(sg_frames="text"))
    with right_after("UPDATE shot", lambda _: here.waits("UPDATE shot SET code = 'x' WHERE id = 1")) as waited:
        here.upgrade()
    assert waited == [True]
    assert here.rows("SELECT sg_frames FROM shot ORDER BY id") == [("7",), ("8",), ("9",)]


@every_engine
def test_sgm208_a_large_table_is_not_written_by_the_upgrade(ground: On, engine: str) -> None:
    here = ground(engine)
    here.configure(carry_inline_rows="2")
    here.generated(small_site(sg_frames="text"))
    with right_after("UPDATE shot", lambda _: True) as written:
        here.upgrade()
    assert written == []
    done = here.sg_migrate("carry", "--batch-size", "1")
    assert done.exit_code == 0, done.output
    assert here.rows("SELECT sg_frames FROM shot ORDER BY id") == [("7",), ("8",), ("9",)]


@every_engine
def test_sgm208_links_of_a_large_table_are_not_written_either(ground: On, engine: str) -> None:
    here = ground(engine)
    here.generated(small_site(sg_task="entity"))
    here.upgrade()
    here.execute("UPDATE shot SET sg_task_id = id, sg_task_type = 'Task'")
    here.configure(carry_inline_rows="2")
    assert "SGM208" in here.generated(small_site(sg_task="multi_entity"))
    links = "SELECT owner_id, linked_id FROM shot__sg_task ORDER BY owner_id"
    here.upgrade()
    assert here.rows(links) == []
    done = here.sg_migrate("carry")
    assert done.exit_code == 0, done.output
    assert here.rows(links) == [(1, 1), (2, 2), (3, 3)]
