"""SGM101 to SGM108: what is removed is gone, and what the remedy does removes nothing."""

from __future__ import annotations

import re
from collections.abc import Callable

import pytest
import sqlalchemy as sa
from claims import ENGINES, Ground, every_engine
from reviewed import small_site
from sites import without

from sg_migrate.errors import RecordingError

pytest_plugins = ["reviewfixtures"]

On = Callable[[str], Ground]

ADDED = "op.add_column('shot', sa.Column('sg_new', sa.Date(), info={'sg': 'Shot.sg_new date'}))"
TASK = """
op.create_table('task', sa.Column('id', sa.Integer(), nullable=False, info={'sg': 'Task.id number'}),
    sa.Column('name', sa.Text(), info={'sg': 'Task.name text'}), sa.PrimaryKeyConstraint('id'), info={'sg': 'Task'})
"""


@every_engine
def test_sgm101_rows_go_with_their_table(ground: On, engine: str) -> None:
    here = ground(engine)
    assert "SGM101" not in here.generated(without(small_site(), "Task"))  # retired: the table stays
    here.upgrade()
    assert here.value("SELECT count(*) FROM task") == 3
    assert "SGM101" in here.by_hand("op.drop_table('task')", TASK)
    here.upgrade()
    here.downgrade()
    assert here.value("SELECT count(*) FROM task") == 0


@every_engine
def test_sgm102_values_go_with_their_column(ground: On, engine: str) -> None:
    here = ground(engine)
    assert "SGM102" not in here.generated(small_site(sg_frames=""))  # retired: the column stays
    here.upgrade()
    assert here.value("SELECT count(sg_frames) FROM shot") == 3
    back = "op.add_column('shot', sa.Column('sg_frames', sa.Integer(), info={'sg': 'Shot.sg_frames number [retired]'}))"
    assert "SGM102" in here.by_hand("op.drop_column('shot', 'sg_frames')", back)
    here.upgrade()
    here.downgrade()
    assert here.value("SELECT count(sg_frames) FROM shot") == 0


@every_engine
@pytest.mark.parametrize("operation", ["op.drop_table('users')", "op.rename_table('users', 'people')"])
def test_sgm103_what_belongs_to_others_is_taken_from_them(ground: On, engine: str, operation: str) -> None:
    here = ground(engine)
    here.execute("CREATE TABLE users (id INTEGER)", "INSERT INTO users VALUES (1)")
    owners = "SELECT count(*) FROM users"
    assert "SGM103" not in here.by_hand("pass")  # the operation is taken out
    here.upgrade()
    assert here.value(owners) == 1
    assert "SGM103" in here.by_hand(operation)
    here.upgrade()
    with pytest.raises(sa.exc.DBAPIError):
        here.value(owners)


@every_engine
def test_sgm104_going_back_loses_what_was_there_before(ground: On, engine: str) -> None:
    here = ground(engine)
    assert "SGM104" not in here.by_hand(ADDED, "op.drop_column('shot', 'sg_new')")
    here.upgrade()
    here.downgrade()
    assert here.value("SELECT count(sg_cut_in) FROM shot") == 2
    here.take_back()
    assert "SGM104" in here.by_hand(ADDED, "op.drop_column('shot', 'sg_cut_in')")
    here.upgrade()
    here.downgrade()
    with pytest.raises(sa.exc.DBAPIError):
        here.value("SELECT count(sg_cut_in) FROM shot")


def test_sgm105_raw_sql_differs_between_engines(ground: On) -> None:
    raw = """op.execute('UPDATE shot SET code = "sg_cut_in"')"""
    said = """
    shot = sa.table('shot', sa.column('code'), sa.column('sg_cut_in'))
    op.execute(sa.update(shot).values(code=shot.c.sg_cut_in))
    """
    found: dict[str, list[str]] = {raw: [], said: []}
    for engine in ENGINES:
        for body, values in found.items():
            here = ground(engine)
            assert ("SGM105" in here.by_hand(body)) is (body == raw)
            here.upgrade()
            values.append(here.value("SELECT code FROM shot WHERE id = 1"))
    assert found == {raw: ["12", "12", "sg_cut_in"], said: ["12", "12", "12"]}


@every_engine
def test_sgm105_raw_sql_can_do_anything(ground: On, engine: str) -> None:
    here = ground(engine)
    assert here.by_hand("op.execute('DROP TABLE task')") == {"SGM105"}
    here.upgrade()
    with pytest.raises(sa.exc.DBAPIError):
        here.value("SELECT count(*) FROM task")


BY_ITSELF = "op.get_bind().exec_driver_sql('DELETE FROM task')"


@every_engine
def test_sgm106_what_a_connection_of_its_own_does_is_unseen(ground: On, engine: str) -> None:
    here = ground(engine)
    assert here.by_hand(BY_ITSELF, ours=False) == {"SGM106"}
    here.upgrade()
    assert here.value("SELECT count(*) FROM task") == 0
    said = here.by_hand("op.execute(sa.delete(sa.table('task')))", ours=False)  # Alembic's operations are seen
    assert "SGM106" not in said
    assert "SGM107" in said


@pytest.mark.parametrize("body", [BY_ITSELF, "op.add_column('shot', sa.Column('x', sa.Nothing()))"])
def test_sgm106_what_should_count_and_cannot_be_read_does_not_run(ground: On, body: str) -> None:
    here = ground("sqlite")
    assert "SGM106" in here.by_hand(body)
    with pytest.raises(RecordingError, match="sg_digest"):
        here.upgrade()
    assert (here.version, here.value("SELECT count(*) FROM task")) == ("r1", 3)


@every_engine
def test_sgm107_no_downgrade_brings_rows_back(ground: On, engine: str) -> None:
    here = ground(engine)
    assert "SGM107" not in here.by_hand("pass")
    assert "SGM107" in here.by_hand("op.execute(sa.delete(sa.table('task')))")
    here.upgrade()
    here.downgrade()
    assert here.value("SELECT count(*) FROM task") == 0


@every_engine
def test_sgm108_kept_values_go_and_the_field_stays(ground: On, engine: str) -> None:
    here = ground(engine)
    here.generated(small_site(sg_cut_in="number"))
    here.upgrade()
    assert here.sg_migrate("prune", "Shot.sg_cut_in:text").exit_code == 0
    found = here.revises() or set()
    assert found & {"SGM102", "SGM108"} == {"SGM108"}
    (finding,) = here.review(here.head, here.engine, here.url).findings
    assert finding.what == "those from when it was text, in column sg_cut_in__was_text"
    assert finding.counts.values == 2
    here.upgrade()
    assert here.rows("SELECT id, sg_cut_in FROM shot ORDER BY id") == [(1, 12), (2, None), (3, None)]
    here.downgrade()
    assert here.value("SELECT count(sg_cut_in__was_text) FROM shot") == 0


@every_engine
@pytest.mark.parametrize("name", ["Shot.sg_frames", "Task"])
def test_sgm101_and_sgm102_what_retired_and_was_pruned_in_one_week_is_not_called_in_use(
    ground: On, engine: str, name: str
) -> None:
    here = ground(engine)
    here.take(without(small_site(), name))
    assert here.sg_migrate("prune", name).exit_code == 0
    assert {"SGM101", "SGM102"} & (here.revises() or set())
    (finding,) = (f for f in here.review(here.head, engine).findings if f.rule.code in ("SGM101", "SGM102"))
    assert re.fullmatch(r"gone from the site since [-0-9]{10} or before, dropped with its (values|rows)", finding.what)
