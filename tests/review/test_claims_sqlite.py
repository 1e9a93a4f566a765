"""SGM601 to SGM604: what becomes of rows, triggers and values when SQLite builds a table anew."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from claims import Ground, right_after
from reviewed import codes, edit, small_site

from sg_migrate.errors import ForeignKeyError

pytest_plugins = ["reviewfixtures"]

ANEW = "with op.batch_alter_table('shot') as batch_op:\n    batch_op.{}"
RETYPED = ANEW.format("alter_column('sg_frames', type_=sa.BigInteger(), existing_type=sa.Integer())")
LONGER = ANEW.format("alter_column('sg_status', type_=sa.String(255), existing_type=sa.String(64))")
STOCK = """
    import sqlalchemy
    engine = sqlalchemy.create_engine(sg.url)
    sqlalchemy.event.listen(engine, "connect", lambda driver, _: driver.execute("PRAGMA foreign_keys=ON"))
    with engine.connect() as connection:
        context.configure(connection=connection)"""
CHILD = (
    "CREATE TABLE child (id INTEGER PRIMARY KEY, shot INTEGER REFERENCES shot (id) ON DELETE CASCADE)",
    "INSERT INTO child VALUES (1, 1), (2, 2)",
)
TRIGGER = "CREATE TRIGGER noted AFTER INSERT ON shot BEGIN UPDATE task SET name = 'noted' WHERE id = 1; END"


@pytest.fixture
def here(ground: Callable[[str], Ground]) -> Ground:
    return ground("sqlite")


def connect_as_stock_alembic_does(here: Ground) -> None:
    """An env.py without `sg.connect()` and `sg.options()`, in an application that has foreign keys turned on."""
    ours = """
    with sg.connect() as connection:
        context.configure(connection=connection, **sg.options())"""
    edit(here.folder / "migrations" / "env.py", ours, STOCK)


def found_here(here: Ground) -> set[str]:
    """What the review finds that asks the database."""
    return codes(here.review(here.head, url=here.url))


def triggers(here: Ground) -> list[str]:
    return [name for (name,) in here.rows("SELECT name FROM sqlite_master WHERE type = 'trigger'")]


def test_sgm601_rows_of_another_table_go_with_the_old_table(here: Ground) -> None:
    here.execute(*CHILD)
    connect_as_stock_alembic_does(here)
    assert "SGM601" in here.by_hand(RETYPED)
    here.upgrade()
    assert here.value("SELECT count(*) FROM child") == 0


def test_sgm601_our_connection_deletes_none(here: Ground) -> None:
    here.execute(*CHILD)
    assert "SGM601" not in here.by_hand(RETYPED)
    here.upgrade()
    assert here.value("SELECT count(*) FROM child") == 2


def test_sgm601_foreign_keys_are_checked_before_the_commit(here: Ground) -> None:
    here.execute(*CHILD)
    assert "SGM601" not in here.by_hand(f"{RETYPED}\nop.execute('DELETE FROM shot WHERE id = 1')")
    with pytest.raises(ForeignKeyError):
        here.upgrade()
    assert (here.version, here.value("SELECT count(*) FROM shot")) == ("r1", 3)


def test_sgm602_triggers_go_with_the_old_table(here: Ground) -> None:
    here.execute(TRIGGER)
    connect_as_stock_alembic_does(here)
    here.by_hand(RETYPED)
    assert "SGM602" in found_here(here)
    here.upgrade()
    assert triggers(here) == []


@pytest.mark.parametrize("change", [RETYPED, LONGER])
def test_sgm602_our_connection_alone_does_not_keep_them(here: Ground, change: str) -> None:
    here.execute(TRIGGER, *CHILD)
    edit(here.folder / "migrations" / "env.py", "connection=connection, **sg.options()", "connection=connection")
    here.by_hand(change)
    assert {"SGM601", "SGM602", "SGM604"} & found_here(here) == {"SGM602", "SGM604"}
    here.upgrade()
    assert triggers(here) == []
    assert here.value("SELECT count(*) FROM child") == 2


def test_sgm602_our_options_alone_keep_them_and_no_rows_elsewhere(here: Ground) -> None:
    here.execute(TRIGGER, *CHILD)
    connect_as_stock_alembic_does(here)
    edit(here.folder / "migrations" / "env.py", "connection=connection)", "connection=connection, **sg.options())")
    here.by_hand(RETYPED)
    assert {"SGM601", "SGM602", "SGM604"} & found_here(here) == {"SGM601", "SGM604"}
    here.upgrade()
    assert triggers(here) == ["noted"]
    assert here.value("SELECT count(*) FROM child") == 0


def test_sgm602_our_environment_creates_them_again(here: Ground) -> None:
    here.execute(TRIGGER)
    here.by_hand(RETYPED)
    assert "SGM602" not in found_here(here)
    here.upgrade()
    assert triggers(here) == ["noted"]
    here.execute("INSERT INTO shot (id) VALUES (4)")
    assert here.value("SELECT name FROM task WHERE id = 1") == "noted"


def test_sgm602_a_revision_can_create_them_again(here: Ground) -> None:
    here.execute(TRIGGER)
    connect_as_stock_alembic_does(here)
    here.by_hand(f"{RETYPED}\nop.execute({TRIGGER!r})")
    here.upgrade()
    assert triggers(here) == ["noted"]


CAST = {
    "12 frames": ("sa.Text()", "sa.Integer()", 12),
    "none": ("sa.Text()", "sa.Double()", 0),
    "2026 begins": ("sa.String(64)", "sa.Date()", 2026),
    "2026-01-02": ("sa.Date()", "sa.DateTime()", 2026),
    "2026-01-02 10:00:00.000000": ("sa.DateTime()", "sa.Integer()", 2026),
    '{"a": 1}': ("sa.JSON()", "sa.Boolean()", 0),
}
KEPT = {
    "12 frames": ("sa.Text()", "sa.JSON()"),
    "2026-01-02": ("sa.Date()", "sa.Text()"),
    '{"a": 1}': ("sa.JSON()", "sa.String(64)"),
}


def retyped(here: Ground, value: str, old: str, new: str) -> tuple[bool, object]:
    """A value in a column that another type is given: whether that is found, and what the value is then."""
    here.by_hand(f"op.add_column('shot', sa.Column('x', {old}, info={{'sg': 'Shot.x text'}}))")
    here.upgrade()
    here.execute(f"UPDATE shot SET x = '{value}' WHERE id = 1")
    found = "SGM603" in here.by_hand(ANEW.format(f"alter_column('x', type_={new}, existing_type={old})"))
    here.upgrade()
    return found, here.value("SELECT x FROM shot WHERE id = 1")


@pytest.mark.parametrize("value", CAST)
def test_sgm603_a_text_becomes_the_number_that_it_begins_with(here: Ground, value: str) -> None:
    old, new, number = CAST[value]
    assert retyped(here, value, old, new) == (True, number)


@pytest.mark.parametrize("value", KEPT)
def test_sgm603_what_is_no_number_afterwards_stays(here: Ground, value: str) -> None:
    assert retyped(here, value, *KEPT[value]) == (False, value)


def test_sgm603_a_conversion_leaves_null_and_keeps_the_text(here: Ground) -> None:
    here.execute("UPDATE shot SET sg_cut_in = 'none' WHERE id = 3")
    assert "SGM603" not in here.generated(small_site(sg_cut_in="number"))
    here.upgrade()
    found = here.rows("SELECT sg_cut_in, sg_cut_in__was_text FROM shot ORDER BY id")
    assert found == [(12, "12"), (None, "12 frames"), (None, "none")]


def test_sgm604_every_row_is_copied_while_writers_wait(here: Ground) -> None:
    assert "SGM604" in here.by_hand(RETYPED)
    reads, writes = "SELECT count(*) FROM task", "UPDATE task SET name = 'x' WHERE id = 1"
    with right_after("INSERT INTO _alembic_tmp_shot", lambda _: (here.waits(reads), here.waits(writes))) as waited:
        here.upgrade()
    assert waited == [(False, True)]
    assert here.rows("SELECT sg_frames FROM shot ORDER BY id") == [(7,), (8,), (9,)]


def test_sgm604_a_longer_text_copies_nothing(here: Ground) -> None:
    assert "SGM604" not in here.by_hand(LONGER)
    with right_after("_alembic_tmp_", lambda _: True) as copied:
        here.upgrade()
    assert copied == []
    assert here.structure()["tables"]["shot"]["columns"]["sg_status"]["type"] == "VARCHAR(255)"


IN_BATCHES = {
    "a mark": "with op.batch_alter_table('shot', table_kwargs={'info': {'sg': 'Shot [retired]'}}):\n    pass",
    "a new name": ANEW.format("alter_column('code', new_column_name='x', existing_type=sa.Text())"),
    "a comment": ANEW.format("alter_column('code', comment='x', existing_type=sa.Text())"),
    "a longer text": LONGER,
    "a repaired text": ANEW.format("alter_column('code', type_=sa.Text(), nullable=True, comment='x')"),
    "not null": ANEW.format("alter_column('id', nullable=False, existing_type=sa.Integer())"),
    "a default": ANEW.format("alter_column('code', server_default='x', existing_type=sa.Text())"),
    "a new column": ANEW.format("add_column(sa.Column('x', sa.Text()))"),
    "a new column with a default": ANEW.format("add_column(sa.Column('x', sa.Text(), server_default='y'))"),
    "a new column with an expression": ANEW.format(
        "add_column(sa.Column('x', sa.Text(), server_default=sa.text('CURRENT_DATE')))"
    ),
    "a column that goes": ANEW.format("drop_column('sg_frames')"),
    "an index": ANEW.format("create_index('ix_x', ['code'])"),
    "a foreign key": ANEW.format("create_foreign_key('fk', 'task', ['sg_frames'], ['id'])"),
    "a check": ANEW.format("create_check_constraint('c', 'id > 0')"),
    "unique": ANEW.format("create_unique_constraint('u', ['code'])"),
    "a table comment": ANEW.format("create_table_comment('x')"),
}


@pytest.mark.parametrize("stock", [False, True], ids=["ours", "stock"])
@pytest.mark.parametrize("case", IN_BATCHES)
def test_sgm604_is_found_where_the_table_is_copied_and_nowhere_else(here: Ground, case: str, stock: bool) -> None:
    here.execute("UPDATE shot SET sg_frames = id")
    if stock:
        connect_as_stock_alembic_does(here)
    here.by_hand(IN_BATCHES[case])
    found = "SGM604" in found_here(here)
    with right_after("_alembic_tmp_", lambda _: True) as copied:
        here.upgrade()
    assert found == bool(copied)


def test_sgm604_a_table_without_rows_is_no_matter(here: Ground) -> None:
    here.execute("DELETE FROM shot")
    assert "SGM604" in here.by_hand(RETYPED)
    assert "SGM604" not in found_here(here)
