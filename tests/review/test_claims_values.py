"""SGM201 to SGM212: values that change, are left behind or stop the upgrade; and what the remedy does to them."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from claims import Ground, every_engine, right_after
from reviewed import small_site

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


@every_engine
def test_sgm201_a_type_under_which_every_value_converts_is_no_loss(ground: On, engine: str) -> None:
    here = ground(engine)
    here.execute("UPDATE shot SET sg_cut_in = '24'")
    assert "SGM201" in here.generated(small_site(sg_cut_in="number"))
    assert here.found_here() & {"SGM201", "SGM208"} == {"SGM208"}
    here.upgrade()
    assert here.rows("SELECT sg_cut_in FROM shot") == [(24,)] * 3


@every_engine
def test_sgm201_a_moment_that_becomes_a_day_is_said_although_every_value_converts(ground: On, engine: str) -> None:
    here = ground(engine)
    here.generated(small_site(sg_at="date_time"))
    here.upgrade()
    here.execute("UPDATE shot SET sg_at = '2024-02-29 08:30:00'")
    here.generated(small_site(sg_at="date"))
    assert here.found_here() & {"SGM201", "SGM208"} == {"SGM201"}
    here.upgrade()
    days = {str(row[0]) for row in here.rows("SELECT sg_at FROM shot")}
    assert days == {"2024-02-29"}
    assert all("08:30" in str(row[0]) for row in here.rows("SELECT sg_at__was_date_time FROM shot"))


def test_sgm201_where_the_field_has_no_value_nothing_is_found(ground: On) -> None:
    here = ground("sqlite")
    here.execute("UPDATE shot SET sg_cut_in = NULL")
    here.generated(small_site(sg_cut_in="number"))
    assert not here.found_here() & {"SGM201", "SGM208"}


@every_engine
def test_sgm201_records_with_several_links_are_counted_and_keep_none_directly(ground: On, engine: str) -> None:
    here = ground(engine)
    here.generated(small_site(sg_task="multi_entity"))
    here.upgrade()
    links = [(1, 1), (1, 2), (2, 3), (3, 1), (3, 2)]
    rows = ", ".join(f"({owner}, 'Task', {task})" for owner, task in links)
    here.execute(f"INSERT INTO shot__sg_task (owner_id, linked_type, linked_id) VALUES {rows}")
    here.generated(small_site(sg_task="entity"))
    found = here.found("SGM201")
    assert (found.counts.records, found.counts.several) == (3, 2)
    assert "3 records, 2 of them with more than one link" in here.said()
    here.upgrade()
    assert here.rows("SELECT id, sg_task_id FROM shot ORDER BY id") == [(1, None), (2, 3), (3, None)]
    (kept,) = (word for word in found.what.split() if "was_multi_entity" in word)
    assert here.rows(f"SELECT owner_id, linked_id FROM {kept} ORDER BY 1, 2") == links


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


@every_engine
@pytest.mark.parametrize("kind", ["text", "multi_entity", "entity"])
def test_sgm211_the_field_starts_empty_and_the_downgrade_puts_the_values_back(
    ground: On, engine: str, kind: str
) -> None:
    here = ground(engine)
    here.generated(small_site(sg_x=kind))
    here.upgrade()
    here.execute(FILL[kind])
    before = here.rows(VALUES[kind])
    here.sg_migrate("set-aside", "Shot.sg_x", "--dry-run")
    assert here.revises() is None
    done = here.sg_migrate("set-aside", "Shot.sg_x")
    assert done.exit_code == 0, done.output
    assert "SGM211" in (here.revises() or set())
    kept = here.found("SGM211").what.split(" in ")[1].split(", ")
    here.upgrade()
    assert [row for row in here.rows(VALUES[kind]) if row[1] is not None] == []
    table, column = (kept[0], "owner_id, linked_id") if kind == "multi_entity" else ("shot", f"id, {kept[0]}")
    assert here.rows(f"SELECT {column} FROM {table} ORDER BY 1, 2") == before
    assert here.revises() is None  # it is done once
    here.downgrade()
    assert here.rows(VALUES[kind]) == before


@every_engine
@pytest.mark.parametrize("kind", ["text", "multi_entity", "entity"])
def test_sgm212_the_statement_has_the_earlier_values_back(ground: On, engine: str, kind: str) -> None:
    here = ground(engine)
    here.generated(small_site(sg_x=kind))
    here.upgrade()
    here.execute(FILL[kind])
    before = here.rows(VALUES[kind])
    here.generated(small_site(sg_x="number"))
    here.upgrade()
    here.generated(small_site(sg_x=kind))
    statement = here.found("SGM212").statement
    assert f"{statement};" in here.said()
    here.upgrade()
    here.execute(PRESENT[kind])  # a value that came since stays
    here.execute(statement)
    assert here.rows(VALUES[kind]) == [(1, SINCE[kind]), *before[1:]]
    here.execute(statement)
    assert here.rows(VALUES[kind]) == [(1, SINCE[kind]), *before[1:]]


FILL = {
    "text": "UPDATE shot SET sg_x = code",
    "entity": "UPDATE shot SET sg_x_id = id, sg_x_type = 'Task'",
    "multi_entity": "INSERT INTO shot__sg_x (owner_id, linked_type, linked_id) VALUES (1, 'Task', 1), (2, 'Task', 2)",
}
VALUES = {
    "text": "SELECT id, sg_x FROM shot ORDER BY id",
    "entity": "SELECT id, sg_x_id FROM shot ORDER BY id",
    "multi_entity": "SELECT owner_id, linked_id FROM shot__sg_x ORDER BY owner_id",
}
PRESENT = {
    "text": "UPDATE shot SET sg_x = 'new' WHERE id = 1",
    "entity": "UPDATE shot SET sg_x_id = 3, sg_x_type = 'Task' WHERE id = 1",
    "multi_entity": "INSERT INTO shot__sg_x (owner_id, linked_type, linked_id) VALUES (1, 'Task', 3)",
}
SINCE = {"text": "new", "entity": 3, "multi_entity": 3}
