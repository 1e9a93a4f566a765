"""SGM501 to SGM504: what MariaDB copies, cannot take back, refuses and forgets."""

from __future__ import annotations

from collections.abc import Callable

import pytest
import sqlalchemy as sa
from claims import Ground

from sg_migrate.errors import DatabaseError

pytest_plugins = ["reviewfixtures"]

ADDED = "op.add_column('shot', sa.Column('x', {}, info={{'sg': 'Shot.x text'}}))"


@pytest.fixture
def here(ground: Callable[[str], Ground]) -> Ground:
    return ground("mariadb")


# --- types


def alteration(here: Ground) -> str:
    """The statement of the newest revision that alters Shot."""
    script = here.script(revision=f"r{int(here.head[1:]) - 1}:{here.head}")
    (line,) = (line for line in script.splitlines() if line.startswith("ALTER TABLE shot "))
    return line.rstrip(";")


def retyped(here: Ground, old: str, new: str) -> bool:
    """A column of one type, and a revision that gives it another: whether that is found."""
    here.by_hand(ADDED.format(old))
    here.upgrade()
    return "SGM501" in here.by_hand(f"op.alter_column('shot', 'x', type_={new}, existing_type={old})")


COPIED = [
    ("sa.Integer()", "sa.BigInteger()"),
    ("sa.Integer()", "sa.Text()"),
    ("sa.String(64)", "sa.String(30)"),
    ("sa.String(64)", "sa.Text()"),
    ("sa.Text()", "sa.String(64)"),
    ("sa.Date()", "sa.DateTime()"),
    ("sa.Numeric(10, 2)", "sa.Numeric(15, 2)"),
]


@pytest.mark.parametrize(("old", "new"), COPIED)
def test_sgm501_another_type_is_a_copy_while_writers_wait(here: Ground, old: str, new: str) -> None:
    assert retyped(here, old, new)
    for claim in ("ALGORITHM=NOCOPY", "LOCK=NONE"):
        with pytest.raises(sa.exc.OperationalError, match=f"{claim} is not supported"):
            here.execute(f"{alteration(here)}, {claim}")
    here.execute(f"{alteration(here)}, ALGORITHM=COPY, LOCK=SHARED")
    assert here.value("SELECT count(*) FROM shot") == 3


@pytest.mark.parametrize(("old", "new"), [("sa.String(64)", "sa.String(255)"), ("sa.Integer()", "sa.Integer()")])
def test_sgm501_a_type_that_is_stored_alike_copies_nothing(here: Ground, old: str, new: str) -> None:
    assert not retyped(here, old, new)
    here.execute(f"{alteration(here)}, ALGORITHM=NOCOPY, LOCK=NONE")


# --- a revision that stops half way


UNIQUE = "op.create_index('u', 'shot', ['sg_status'], unique=True)"


def test_sgm502_what_ran_before_the_failure_stays_and_resume_goes_on(here: Ground) -> None:
    here.execute("UPDATE shot SET sg_status = 'fin'")
    assert "SGM502" in here.by_hand(f"{ADDED.format('sa.Text()')}\n{UNIQUE}")
    here.refuses()
    assert here.value("SELECT count(x) FROM shot") == 0
    with pytest.raises(DatabaseError, match="x"):  # the column is there already
        here.upgrade()
    here.execute("UPDATE shot SET sg_status = code")
    done = here.sg_migrate("resume")
    assert done.exit_code == 0, done.output
    assert here.version == "r2"
    assert here.structure()["tables"]["shot"]["indexes"]["u"]["unique"]


def test_sgm502_one_statement_leaves_nothing_behind(here: Ground) -> None:
    here.execute("UPDATE shot SET sg_status = 'fin'")
    before = here.structure()
    assert "SGM502" not in here.by_hand(UNIQUE)
    here.refuses()
    assert here.structure() == before


# --- the size of a row


WIDE = """
columns = [sa.Column(f'c{{n}}', {}, info={{'sg': f'Wide.c{{n}} text'}}) for n in range({})]
id = sa.Column('id', sa.BigInteger(), primary_key=True, info={{'sg': 'Wide.id number'}})
op.create_table('wide', id, *columns, info={{'sg': 'Wide'}})
"""
MOST = [("sa.String(255)", 64), ("sa.String(10)", 196), ("sa.Integer()", 1016)]
"""How many columns of a type fit beside the id: by the bytes of a row, by those in a page, by their number."""


@pytest.mark.parametrize(("type_", "most"), MOST)
def test_sgm503_a_row_that_is_too_long_is_refused(here: Ground, type_: str, most: int) -> None:
    assert "SGM503" in here.by_hand(WIDE.format(type_, most + 1))
    here.refuses()
    here.take_back()
    assert "SGM503" not in here.by_hand(WIDE.format(type_, most))  # a field is left out
    here.upgrade()


@pytest.mark.parametrize("columns", [196, 197])
def test_sgm503_of_many_texts_a_row_may_be_refused(here: Ground, columns: int) -> None:
    assert ("SGM503" in here.by_hand(WIDE.format("sa.Text()", columns))) is (columns == 197)
    here.upgrade()
    row = "INSERT INTO wide SELECT {}" + ", REPEAT('x', {})" * columns
    here.execute(row.format(1, *[20] * columns))
    if columns == 196:
        here.execute(row.format(2, *[40] * columns))
        return
    with pytest.raises(sa.exc.OperationalError, match="Row size too large"):
        here.execute(row.format(2, *[40] * columns))


def test_sgm503_texts_take_less_of_a_row(here: Ground) -> None:
    assert "SGM503" in here.by_hand(WIDE.format("sa.String(255)", 65))
    here.refuses()
    here.take_back()
    assert "SGM503" not in here.by_hand(WIDE.format("sa.Text()", 65))
    here.upgrade()


# --- what MODIFY forgets


COLUMN = """op.add_column('shot', sa.Column('x', sa.String(9), nullable=False, server_default='a', comment='X',
    info={'sg': 'Shot.x text'}))"""
REPEATED = ", existing_nullable=False, existing_comment='X', existing_server_default='a'"
CHANGES = {
    "type": "type_=sa.String(20), existing_type=sa.String(9)",
    "name": "new_column_name='y', existing_type=sa.String(9)",
    "comment": "comment='Y', existing_type=sa.String(9)",
}


def described(here: Ground, name: str) -> tuple[bool, str | None, str | None]:
    """Whether a column of Shot may be NULL, its default and its comment."""
    column = here.structure()["tables"]["shot"]["columns"][name]
    return column["nullable"], column["default"], column["comment"]


@pytest.mark.parametrize("change", CHANGES)
def test_sgm504_what_is_not_repeated_is_gone(here: Ground, change: str) -> None:
    here.by_hand(COLUMN)
    here.upgrade()
    name, comment = ("y" if change == "name" else "x"), ("Y" if change == "comment" else "X")
    altered = f"op.alter_column('shot', 'x', {CHANGES[change]}"
    assert "SGM504" not in here.by_hand(f"{altered}{REPEATED})")
    here.upgrade()
    assert described(here, name) == (False, "'a'", comment)
    here.by_hand("op.drop_column('shot', '" + name + "')")
    here.upgrade()
    here.by_hand(COLUMN)
    here.upgrade()
    assert "SGM504" in here.by_hand(f"{altered})")
    here.upgrade()
    assert described(here, name) == (True, "NULL", "Y" if change == "comment" else None)
