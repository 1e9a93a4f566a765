"""Carry-overs of large tables: noted in the table ``sg_carry`` by the migration, done in batches afterwards.

The table is no part of the revisions. It is created when it is first needed, and has one row for each field whose
carry-over is pending, with the last id that was done: a batch and its note are committed together.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import asdict, dataclass, replace
from functools import partial
from typing import Any

import sqlalchemy as sa

from sg_migrate.conversion.again import again
from sg_migrate.conversion.carry_over import CarryOver, ColumnCarryOver, Ids, LinkCarryOver
from sg_migrate.conversion.rules import kind_of, type_of
from sg_migrate.warehouse.mapping import ID
from sg_migrate.warehouse.mark import Mark
from sg_migrate.warehouse.state import ColumnState, State, TableState

TABLE = sa.Table(
    "sg_carry",
    sa.MetaData(),
    sa.Column("entity_type", sa.String(128), primary_key=True),
    sa.Column("field", sa.String(128), primary_key=True),
    sa.Column("carry_over", sa.Text(), nullable=False),
    sa.Column("last_id", sa.BigInteger()),
)


PART = 1_000
"""Rows of a part of a carry-over that is done in the migration, where that commits part by part."""


@dataclass(frozen=True, slots=True)
class Pending:
    """A carry-over that is not done; ``last_id`` is the last id that is, ``None`` before the first."""

    mark: Mark
    carry_over: CarryOver
    last_id: int | None = None


def _of(mark: Mark) -> sa.ColumnElement[bool]:
    return sa.and_(TABLE.c.entity_type == mark.entity_type, TABLE.c.field == mark.field)


def read(connection: sa.Connection) -> list[Pending]:
    """What is pending, in the order of the fields' names."""
    if not sa.inspect(connection).has_table(TABLE.name):
        return []
    rows = connection.execute(sa.select(TABLE).order_by(TABLE.c.entity_type, TABLE.c.field)).all()
    return [Pending(Mark(row.entity_type, row.field), _load(row.carry_over), row.last_id) for row in rows]


def record(connection: sa.Connection, pending: Pending) -> None:
    """Note that a field's carry-over is pending; also when a migration that was interrupted notes it again."""
    TABLE.create(connection, checkfirst=True)
    forget(connection, pending.mark)
    row = {"entity_type": pending.mark.entity_type, "field": pending.mark.field, "last_id": pending.last_id}
    connection.execute(sa.insert(TABLE), {**row, "carry_over": _dump(pending.carry_over)})


def forget(connection: sa.Connection, mark: Mark) -> None:
    """Note that nothing of the field is pending."""
    if sa.inspect(connection).has_table(TABLE.name):
        connection.execute(sa.delete(TABLE).where(_of(mark)))


def is_large(connection: sa.Connection, table: str, rows: int) -> bool:
    """Whether the table has more rows than that; counts no further and sorts nothing, as the table is locked."""
    id_ = sa.column("id", ID)
    query = sa.select(id_).select_from(sa.table(table, id_)).offset(rows).limit(1)
    return connection.execute(query).first() is not None


def outcome(connection: sa.Connection, carry_over: CarryOver) -> str:
    """What a carry-over that is done has done, in words."""
    values, carried = connection.execute(carry_over.counts(connection.dialect.name)).one()
    return (
        f"{carried} of {values} values converted, {values - carried} did not; the old ones stay in {carry_over.kept_in}"
    )


def finish_earlier(connection: sa.Connection, following: CarryOver, mark: Mark, *, in_parts: bool) -> None:
    """Finish what is still pending for the field before ``following`` takes its values on from there."""
    for pending in read(connection):
        if (pending.mark.entity_type, pending.mark.field) == (mark.entity_type, mark.field):
            carry_over = _before(pending.carry_over, following)
            if carry_over is not None:
                move_all(connection, carry_over, pending.last_id, in_parts=in_parts)
            forget(connection, mark)


def move_all(connection: sa.Connection, carry_over: CarryOver, above: int | None = None, *, in_parts: bool) -> None:
    """Do a carry-over now, in the migration.

    Args:
        connection: the migration's.
        carry_over: what to do.
        above: only the rows with higher ids.
        in_parts: commit part by part, where the engine has committed all that came before anyway. In a cluster one
            statement for all rows would never win against those who write on other nodes; a part that does not is
            tried again.
    """
    dialect = connection.dialect.name
    statement = carry_over.move(dialect, (above, None))
    if statement is None:
        return
    if not in_parts:
        connection.execute(statement)
        return
    while True:
        rows, up_to = connection.execute(_next(carry_over.table, above, PART)).one()
        connection.exec_driver_sql("COMMIT")  # SQLAlchemy's own would end a transaction that an application began
        if not rows:
            return
        again(partial(_part, connection, carry_over, (above, up_to)))
        above = up_to


def _part(connection: sa.Connection, carry_over: CarryOver, ids: Ids) -> None:
    statement = carry_over.move(connection.dialect.name, ids)
    assert statement is not None
    connection.execute(statement)
    connection.exec_driver_sql("COMMIT")


def _before(earlier: CarryOver, following: CarryOver) -> CarryOver | None:
    """``earlier`` by today's names: what it goes to is what ``following`` comes from."""
    if isinstance(earlier, ColumnCarryOver) and isinstance(following, ColumnCarryOver):
        return replace(earlier, table=following.table, new=following.former)
    if isinstance(earlier, LinkCarryOver) and isinstance(following, LinkCarryOver):
        if earlier.to_table:
            return replace(earlier, table=following.table, link_table=following.link_table)
        return replace(earlier, table=following.table, id_column=following.id_column, type_column=following.type_column)
    return None


def batches(connection: sa.Connection, pending: Pending, size: int) -> Iterator[int]:
    """Do a carry-over in batches, each committed with its note; gives the number of rows looked at by each.

    It steps aside for others: rows that somebody else has locked are left out of a batch, which waits for nobody while
    it holds locks, and are done one by one before the next batch. So nobody becomes the victim of a deadlock with it.
    Several processes may do so at once.

    Args:
        connection: in no transaction.
        pending: what to do, by today's names.
        size: how many rows a batch has.
    """
    if connection.dialect.name in ("mysql", "mariadb"):
        connection.execution_options(isolation_level="READ COMMITTED")  # else gaps between rows are locked too
    while True:
        batch = again(partial(_batch, connection, pending, size))
        if batch is None:
            return
        for record_id in batch.skipped:
            again(partial(_move, connection, pending, [record_id]))
        if batch.skipped:
            again(partial(_note, connection, pending, batch.up_to))
        yield batch.rows


@dataclass(frozen=True, slots=True)
class _Batch:
    """A batch that is committed: how many rows, up to which id, and those that somebody else had locked."""

    rows: int
    up_to: int
    skipped: list[int]


def _batch(connection: sa.Connection, pending: Pending, size: int) -> _Batch | None:
    """Do the next batch; ``None`` when there is nothing left to do."""
    with connection.begin():
        turn = connection.execute(sa.update(TABLE).where(_of(pending.mark)).values(last_id=TABLE.c.last_id))
        if not turn.rowcount:
            return None  # another process has finished it
        last_id = connection.execute(sa.select(TABLE.c.last_id).where(_of(pending.mark))).scalar_one()
        rows, up_to = connection.execute(_next(pending.carry_over.table, last_id, size)).one()
        if not rows:
            return None
        free, skipped = _free(connection, pending, (last_id, up_to))
        _move_now(connection, pending, free)
        if not skipped:
            _note_now(connection, pending, up_to)
    return _Batch(rows, up_to, skipped)


def _free(connection: sa.Connection, pending: Pending, ids: tuple[int | None, int]) -> tuple[Ids, list[int]]:
    """The rows to do now, locked, and those that somebody else has locked. SQLite has no locks of rows."""
    dialect = connection.dialect.name
    left = pending.carry_over.left(dialect, ids)
    if left is None or dialect == "sqlite":
        return ids, []
    free = list(connection.execute(left.with_for_update(skip_locked=True)).scalars())
    skipped = set(connection.execute(left).scalars()).difference(free)
    return free, sorted(skipped)


def _move(connection: sa.Connection, pending: Pending, ids: Ids) -> None:
    with connection.begin():
        _move_now(connection, pending, ids)


def _move_now(connection: sa.Connection, pending: Pending, ids: Ids) -> None:
    statement = pending.carry_over.move(connection.dialect.name, ids)
    if statement is not None and ids != []:
        connection.execute(statement)


def _note(connection: sa.Connection, pending: Pending, up_to: int) -> None:
    with connection.begin():
        _note_now(connection, pending, up_to)


def _note_now(connection: sa.Connection, pending: Pending, up_to: int) -> None:
    """Note how far it is; another process may be further."""
    behind = sa.or_(TABLE.c.last_id.is_(None), TABLE.c.last_id < up_to)
    connection.execute(sa.update(TABLE).where(_of(pending.mark), behind).values(last_id=up_to))


def remaining(connection: sa.Connection, pending: Pending) -> int:
    """How many rows are still to be looked at."""
    query = _next(pending.carry_over.table, pending.last_id, None)
    return int(connection.execute(query).one()[0])


def _next(table: str, last_id: int | None, size: int | None) -> sa.Executable:
    """The number of the next rows, and the last id of them."""
    id_ = sa.column("id", ID)
    rows = sa.select(id_).select_from(sa.table(table, id_)).order_by(id_).limit(size)
    batch = (rows if last_id is None else rows.where(id_ > last_id)).subquery()
    return sa.select(sa.func.count(), sa.func.max(batch.c.id)).select_from(batch)


def resolve(pending: Pending, built: State) -> Pending | None:
    """``pending`` by the names that its table and columns have now; ``None`` when one of them has gone."""
    mark, old = pending.mark, pending.carry_over
    table = next((t for t in built.values() if t.mark.entity_type == mark.entity_type and not t.mark.field), None)
    if table is None:
        return None
    if isinstance(old, ColumnCarryOver):
        target = _column(table, old.new.name, mark, "")
        if target is None or old.former.name not in table.columns or kind_of(target.type) != kind_of(old.new.type):
            return None
        return replace(pending, carry_over=replace(old, table=table.name, new=target))
    id_column, type_column = _column(table, old.id_column, mark, "id"), _column(table, old.type_column, mark, "type")
    links = built.get(old.link_table) or next(
        (t for t in built.values() if t.mark.place == mark.place and t.mark.field and not t.mark.former), None
    )
    if id_column is None or type_column is None or links is None or bool(links.mark.former) == old.to_table:
        return None
    new = LinkCarryOver(table.name, id_column.name, type_column.name, links.name, old.to_table)
    return replace(pending, carry_over=new)


def _column(table: TableState, name: str, mark: Mark, role: str) -> ColumnState | None:
    """The column of that name, or the field's column that has another name by now."""
    by_mark = (c for c in table.columns.values() if c.mark.key == (*mark.key[:2], role, ""))
    return table.columns.get(name) or next(by_mark, None)


def _dump(carry_over: CarryOver) -> str:
    """A carry-over as JSON."""
    if isinstance(carry_over, LinkCarryOver):
        return json.dumps(asdict(carry_over))
    former, new = (
        {"column": c.name, "kind": kind_of(c.type), "length": getattr(c.type, "length", None), "mark": str(c.mark)}
        for c in (carry_over.former, carry_over.new)
    )
    return json.dumps({"table": carry_over.table, "former": former, "new": new})


def _load(text: str) -> CarryOver:
    """The carry-over that `_dump` wrote."""
    values: dict[str, Any] = json.loads(text)
    if "link_table" in values:
        return LinkCarryOver(**values)
    former, new = (
        ColumnState(c["column"], type_of(c["kind"], c["length"]), Mark.parse(c["mark"]))
        for c in (values["former"], values["new"])
    )
    return ColumnCarryOver(values["table"], former, new)
