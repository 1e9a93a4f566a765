"""SGM401 to SGM407: what PostgreSQL rewrites and locks, as PostgreSQL itself tells."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import contextmanager

import pytest
import sqlalchemy as sa
from claims import Ground, right_after
from reviewed import small_site

from sg_migrate.errors import LockedError

pytest_plugins = ["reviewfixtures"]

READS = "SELECT count(*) FROM shot"
WRITES = "UPDATE shot SET code = code WHERE id = 1"
FILE = "SELECT pg_relation_filenode('shot')"
"""Another file when every row was written again."""
ADDED = "op.add_column('shot', sa.Column('x', {}, info={{'sg': 'Shot.x text'}}))"


@pytest.fixture
def here(ground: Callable[[str], Ground]) -> Ground:
    return ground("postgresql")


def kept_waiting(here: Ground, statement: str) -> list[tuple[bool, bool]]:
    """The upgrade; whether those who read Shot and those who write to it wait right after a statement of it."""
    with right_after(statement, lambda _: (here.waits(READS), here.waits(WRITES))) as found:
        here.upgrade()
    return found


def scans(here: Ground, statement: str) -> list[int]:
    """The upgrade; how often it has read the whole of Shot right after a statement of it."""
    counted = "SELECT seq_scan FROM pg_stat_xact_user_tables WHERE relname = 'shot'"
    with right_after(statement, lambda connection: connection.exec_driver_sql(counted).scalar_one()) as found:
        here.upgrade()
    return found


@contextmanager
def standing_in_line(here: Ground, work: Callable[[], None], *, busy: str) -> Iterator[Future[None]]:
    """``work`` in a thread, that waits for a transaction which has run the statement ``busy``; that ends here."""
    engine = sa.create_engine(here.url, poolclass=sa.NullPool)
    with ThreadPoolExecutor(1) as threads, engine.connect() as connection:
        connection.exec_driver_sql(busy)
        future = threads.submit(work)
        waiting = "SELECT count(*) FROM pg_locks WHERE NOT granted"
        while not here.value(waiting) and not future.done():
            time.sleep(0.01)
        yield future


# --- a type that changes


RETYPED = [
    ("sa.Integer()", "sa.BigInteger()"),
    ("sa.String(64)", "sa.String(30)"),
    ("sa.Text()", "sa.String(64)"),
    ("sa.Numeric(10, 2)", "sa.Numeric(15, 3)"),
    ("sa.Date()", "sa.DateTime()"),
]
LEFT = [
    ("sa.String(64)", "sa.String(255)"),
    ("sa.String(64)", "sa.Text()"),
    ("sa.Numeric(10, 2)", "sa.Numeric(15, 2)"),
    ("sa.Integer()", "sa.Integer()"),
]


def retyped(here: Ground, old: str, new: str) -> tuple[bool, list[tuple[bool, bool]], bool]:
    """Whether it is found, who has to wait meanwhile, and whether every row is written."""
    here.by_hand(ADDED.format(old))
    here.upgrade()
    before = here.value(FILE)
    found = "SGM401" in here.by_hand(f"op.alter_column('shot', 'x', type_={new}, existing_type={old})")
    waited = kept_waiting(here, "ALTER COLUMN x")
    return found, waited, here.value(FILE) != before


@pytest.mark.parametrize(("old", "new"), RETYPED)
def test_sgm401_another_type_writes_every_row_and_locks_out_readers(here: Ground, old: str, new: str) -> None:
    assert retyped(here, old, new) == (True, [(True, True)], True)


@pytest.mark.parametrize(("old", "new"), LEFT)
def test_sgm401_a_type_that_holds_the_same_values_writes_none(here: Ground, old: str, new: str) -> None:
    assert retyped(here, old, new) == (False, [(True, True)], False)


def test_sgm401_a_conversion_that_is_carried_over_later_keeps_nobody_waiting(here: Ground) -> None:
    here.configure(carry_inline_rows="2")
    before = here.value(FILE)
    assert "SGM401" not in here.generated(small_site(sg_frames="text"))
    with right_after("UPDATE shot", lambda _: True) as written:
        here.upgrade()
    assert (written, here.value(FILE)) == ([], before)
    with right_after("UPDATE shot", lambda _: here.waits(READS)) as waited:
        assert here.sg_migrate("carry").exit_code == 0
    assert waited == [False]
    assert here.rows("SELECT sg_frames FROM shot ORDER BY id") == [("7",), ("8",), ("9",)]


# --- indexes


INDEX = "op.create_index('ix_x', 'shot', ['code'])"
CONCURRENT = "op.create_index('ix_x', 'shot', ['code'], postgresql_concurrently=True)"
BY_ITSELF = f"with op.get_context().autocommit_block():\n    {CONCURRENT}"


def test_sgm402_writers_wait_for_an_index_and_readers_do_not(here: Ground) -> None:
    assert "SGM402" in here.by_hand(INDEX)
    assert kept_waiting(here, "CREATE INDEX") == [(False, True)]


@pytest.mark.parametrize(("body", "wait"), [(INDEX, True), (BY_ITSELF, False)])
def test_sgm402_writers_go_on_while_an_index_is_built_concurrently(here: Ground, body: str, wait: bool) -> None:
    assert ("SGM402" in here.by_hand(body)) is wait
    with standing_in_line(here, here.upgrade, busy=WRITES) as upgrade:
        waits, done = here.waits(WRITES.replace("= 1", "= 2")), upgrade.done()
    upgrade.result()
    assert (waits, done) == (wait, False)
    assert "ix_x" in here.structure()["tables"]["shot"]["indexes"]


def test_sgm403_concurrently_inside_a_transaction_is_refused(here: Ground) -> None:
    assert "SGM403" in here.by_hand(CONCURRENT)
    here.refuses()
    here.take_back()
    assert "SGM403" not in here.by_hand(BY_ITSELF)
    here.upgrade()
    assert "ix_x" in here.structure()["tables"]["shot"]["indexes"]


def test_sgm403_what_stands_before_the_block_stays_though_the_revision_fails(here: Ground) -> None:
    here.by_hand(f"{ADDED.format('sa.Text()')}\n{BY_ITSELF}\nop.create_index('ix_y', 'shot', ['nothing'])")
    here.refuses()
    assert "x" in here.structure()["tables"]["shot"]["columns"]


# --- constraints


KEY = "op.create_foreign_key('c', 'shot', 'task', ['sg_frames'], ['id'], postgresql_not_valid={})"
RANGE = "op.create_check_constraint('c', 'shot', 'sg_frames < 9', postgresql_not_valid={})"
TASKS = "UPDATE task SET name = name WHERE id = 1"


@pytest.mark.parametrize(("constraint", "readers", "others"), [(KEY, False, True), (RANGE, True, False)])
def test_sgm404_who_waits_for_a_constraint(here: Ground, constraint: str, readers: bool, others: bool) -> None:
    here.execute("UPDATE shot SET sg_frames = 1")
    assert "SGM404" in here.by_hand(constraint.format(False))
    with right_after("ADD CONSTRAINT", lambda _: here.waits(TASKS)) as waited:
        assert kept_waiting(here, "ADD CONSTRAINT") == [(readers, True)]
    assert waited == [others]


@pytest.mark.parametrize("constraint", [KEY, RANGE])
def test_sgm404_every_row_is_checked_but_for_not_valid(here: Ground, constraint: str) -> None:
    assert "SGM404" in here.by_hand(constraint.format(False))
    here.refuses()
    here.take_back()
    assert "SGM404" not in here.by_hand(constraint.format(True))
    here.upgrade()
    here.execute("UPDATE shot SET sg_frames = 1")  # somebody puts the rows right
    assert "SGM404" not in here.by_hand("op.execute('ALTER TABLE shot VALIDATE CONSTRAINT c')")
    assert kept_waiting(here, "VALIDATE") == [(False, False)]


NOT_NULL = "op.alter_column('shot', 'code', nullable=False)"


def test_sgm405_set_not_null_reads_the_table_behind_a_closed_door(here: Ground) -> None:
    assert "SGM405" in here.by_hand(NOT_NULL)
    assert kept_waiting(here, "SET NOT NULL") == [(True, True)]


def test_sgm405_a_valid_check_spares_the_reading(here: Ground) -> None:
    here.by_hand(NOT_NULL, "op.alter_column('shot', 'code', nullable=True)")
    assert scans(here, "SET NOT NULL") == [1]
    here.downgrade()
    here.take_back()
    here.by_hand("op.create_check_constraint('c', 'shot', 'code IS NOT NULL', postgresql_not_valid=True)")
    assert scans(here, "NOT VALID") == [0]
    here.by_hand("op.execute('ALTER TABLE shot VALIDATE CONSTRAINT c')")
    assert kept_waiting(here, "VALIDATE") == [(False, False)]
    allowed = here.by_hand(NOT_NULL, top="# sg-migrate: allow SGM204, SGM405 -- the check c is valid\n")
    assert not allowed & {"SGM204", "SGM405"}
    assert scans(here, "SET NOT NULL") == [0]


# --- defaults


def filled(here: Ground, default: str) -> tuple[bool, bool]:
    """Whether a new column with a default is found, and whether every row is written for it."""
    before = here.value(FILE)
    column = f"sa.Column('x', sa.Text(), server_default=sa.text({default!r}))"
    found = "SGM406" in here.by_hand(f"op.add_column('shot', {column})")
    here.upgrade()
    return found, here.value(FILE) != before


@pytest.mark.parametrize("default", ["gen_random_uuid()", "clock_timestamp()", "random()::text"])
def test_sgm406_a_volatile_default_is_computed_for_every_row(here: Ground, default: str) -> None:
    assert filled(here, default) == (True, True)


@pytest.mark.parametrize("default", ["'f(x)'", "now()", "CURRENT_DATE"])
def test_sgm406_others_write_no_row(here: Ground, default: str) -> None:
    assert filled(here, default) == (False, False)


def test_sgm406_of_a_function_that_it_does_not_know_the_rule_expects_the_worst(here: Ground) -> None:
    assert filled(here, "lower('A')") == (True, False)


def test_sgm406_the_column_without_a_default_is_filled_afterwards(here: Ground) -> None:
    before = here.value(FILE)
    assert "SGM406" not in here.by_hand(ADDED.format("sa.Text()"))
    here.upgrade()
    assert here.value(FILE) == before
    shot = "sa.table('shot', sa.column('x'))"
    assert "SGM406" not in here.by_hand(f"op.execute(sa.update({shot}).values(x=sa.func.gen_random_uuid()))")
    with right_after("UPDATE shot", lambda _: here.waits(READS)) as waited:
        here.upgrade()
    assert waited == [False]
    assert here.value("SELECT count(DISTINCT x) FROM shot") == 3


# --- waiting


def test_sgm407_whoever_comes_waits_behind_an_upgrade_that_waits(here: Ground) -> None:
    here.configure(lock_timeout="0")
    assert "SGM407" in here.by_hand(ADDED.format("sa.Text()"))
    with standing_in_line(here, here.upgrade, busy=READS) as upgrade:
        assert here.waits(READS)
        assert not upgrade.done()
    upgrade.result()
    assert here.version == "r2"


def test_sgm407_an_upgrade_that_gives_up_lets_the_others_go_on(here: Ground) -> None:
    here.configure(lock_timeout="0.05")
    assert "SGM407" not in here.by_hand(ADDED.format("sa.Text()"))
    with standing_in_line(here, here.upgrade, busy=READS) as upgrade:
        with pytest.raises(LockedError):
            upgrade.result()
        assert not here.waits(READS)
    assert here.version == "r1"
    here.upgrade()
    assert here.version == "r2"


@pytest.mark.parametrize(
    "body",
    ["op.drop_table('shot')", "op.drop_index('ix_x', 'shot')", "op.drop_constraint('c', 'shot', type_='check')"],
)
def test_sgm407_whatever_needs_a_lock_is_found(here: Ground, body: str) -> None:
    here.by_hand(f"{INDEX}\nop.create_check_constraint('c', 'shot', 'sg_frames > 0')")
    here.upgrade()
    here.configure(lock_timeout="0")
    assert "SGM407" in here.by_hand(body)
    with standing_in_line(here, here.upgrade, busy=READS):
        assert here.waits(READS)


def test_sgm407_a_conversion_needs_a_lock_too(here: Ground) -> None:
    here.configure(lock_timeout="0")
    assert "SGM407" in here.generated(small_site(sg_frames="text"))
    with standing_in_line(here, here.upgrade, busy=READS):
        assert here.waits(READS)
