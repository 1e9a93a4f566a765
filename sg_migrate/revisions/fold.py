"""What operations do to a state. Alembic's own are told here; ours say it themselves (``apply``)."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import sqlalchemy as sa
from alembic.operations import MigrateOperation, ops

from sg_migrate.alembic_private import pending_columns
from sg_migrate.conversion.operations import TWICE, ConversionOp
from sg_migrate.errors import FoldError, MisplacedError
from sg_migrate.revisions.operations import MarkTableOp
from sg_migrate.revisions.recorder import Call
from sg_migrate.warehouse.mark import Mark, mark_of
from sg_migrate.warehouse.state import (
    ColumnState,
    ForeignKeyState,
    State,
    TableState,
    state_of_column,
    state_of_table,
)


class Fold:
    """Applies operations to a state, one by one.

    What carries no mark of ours belongs to somebody else and is left alone. What was ours and has another name by now,
    or is gone, is remembered: an operation on it is an error, never skipped.

    Args:
        state: what is built so far.
    """

    def __init__(self, state: State | None = None) -> None:
        self._tables: dict[str, TableState] = dict(state or {})
        self._gone: dict[tuple[str, str], str] = {}
        self._revision = ""
        self.touched: set[str] = set()
        """The tables that the last operation made, changed or dropped."""

    def table(self, name: str) -> TableState | None:
        """A table as it is now."""
        return self._tables.get(name)

    @property
    def state(self) -> State:
        """What is built now; a value that does not change with what is applied later."""
        return dict(self._tables)

    def apply(self, call: Call, revision: str) -> None:
        """Do to the state what an operation of a revision does.

        Raises:
            FoldError: the operation does not fit.
        """
        self._revision = revision
        self.touched = set()
        operation = call.operation
        try:
            if isinstance(operation, ConversionOp | MarkTableOp):
                self._become(operation.apply(self._tables))
            else:
                handler = next((_HANDLERS[kind] for kind in type(operation).__mro__ if kind in _HANDLERS), None)
                if handler is not None:
                    handler(self, operation)
        except MisplacedError as error:
            raise FoldError(revision, error) from None

    def _become(self, state: State) -> None:
        """Take over a new state, and remember what it no longer has."""
        before, self._tables = self._tables, dict(state)
        for name, table in before.items():
            if state.get(name) is not table:
                self._note(name, table, state.get(name))
        for name in state.keys() - before.keys():
            self._note(name, None, state[name])

    def _put(self, table: TableState) -> None:
        before = self._tables.get(table.name)
        self._tables[table.name] = table
        self._note(table.name, before, table)

    def _note(self, name: str, before: TableState | None, after: TableState | None) -> None:
        self.touched.add(name)
        if after is None:
            self._gone[name, ""] = self._revision
            return
        self._gone.pop((name, ""), None)
        columns = before.columns if before else {}
        if columns.keys() != after.columns.keys():
            self._gone.update({(name, column): self._revision for column in columns.keys() - after.columns})
            for column in after.columns.keys() - columns.keys():
                self._gone.pop((name, column), None)

    def _table(self, name: str | None, column: str = "") -> TableState | None:
        """A table of ours, ``None`` for somebody else's. Raises `MisplacedError` for one that was ours."""
        table = self._tables.get(name or "")
        if table is None:
            self._check_gone(name or "", "")
        elif column and column not in table.columns:
            self._check_gone(table.name, column)
        return table

    def _check_gone(self, table: str, column: str) -> None:
        by = self._gone.get((table, column))
        if by is not None:
            name = f"column {table}.{column}" if column else f"table {table}"
            raise MisplacedError(
                f"{name} is not there any more, since revision {by}",
                "If the two are of different branches, delete the later one and generate it anew.",
            )

    # --- Alembic's operations

    def _create_table(self, op: ops.CreateTableOp) -> None:
        table = _created(op)
        name = op.table_name
        if table is None:
            self._gone.pop((name, ""), None)  # somebody else's has the name now
        elif name in self._tables:
            raise MisplacedError(f"table {name} is created a second time", TWICE)
        else:
            self._put(table)

    def _drop_table(self, op: ops.DropTableOp) -> None:
        if self._table(op.table_name) is not None:
            self._note(op.table_name, self._tables.pop(op.table_name), None)

    def _rename_table(self, op: ops.RenameTableOp) -> None:
        table = self._table(op.table_name)
        if table is None:
            return
        name = str(op.new_table_name)
        if name in self._tables:
            raise MisplacedError(f"table {op.table_name} is renamed to {name}, which is there already")
        tables = {n: _refer_to(t, op.table_name, name) for n, t in self._tables.items() if n != op.table_name}
        self._become({**tables, name: _refer_to(replace(table, name=name), op.table_name, name)})

    def _add_column(self, op: ops.AddColumnOp) -> None:
        mark = mark_of(op.column)
        table = self._table(op.table_name)
        if mark is None:
            return
        if table is None:
            raise MisplacedError(f"column {op.column.name} is added to table {op.table_name}, which is not there")
        if op.column.name in table.columns:
            raise MisplacedError(f"column {table.name}.{op.column.name} is added a second time", TWICE)
        self._put(table.with_column(state_of_column(op.column, mark)))

    def _drop_column(self, op: ops.DropColumnOp) -> None:
        table = self._table(op.table_name, op.column_name)
        if table is not None and op.column_name in table.columns:
            self._put(table.without_column(op.column_name))

    def _alter_column(self, op: ops.AlterColumnOp) -> None:
        table = self._table(op.table_name, op.column_name)
        column = table.columns.get(op.column_name) if table else None
        mark = op.kw.get("info", {}).get("sg")
        if table is None or column is None:
            if mark:
                raise MisplacedError(f"column {op.table_name}.{op.column_name} is not there")
            return
        changed = ColumnState(
            name=op.modify_name or column.name,
            type=column.type if op.modify_type is None else op.modify_type,
            mark=Mark.parse(mark) if mark else column.mark,
            comment=column.comment if op.modify_comment is False else op.modify_comment,
            nullable=column.nullable if op.modify_nullable is None else op.modify_nullable,
        )
        if changed.name != column.name and changed.name in table.columns:
            raise MisplacedError(f"column {table.name}.{column.name} is renamed to {changed.name}, which is there")
        self._put(table.with_column(changed, replaced=column.name))

    def _create_index(self, op: ops.CreateIndexOp) -> None:
        columns = tuple(str(getattr(c, "name", c)) for c in op.columns)
        table = self._table(op.table_name)
        for column in columns if table else ():
            self._table(op.table_name, column)
        if table is not None and op.index_name and all(column in table.columns for column in columns):
            self._put(replace(table, indexes={**table.indexes, op.index_name: columns}))

    def _drop_index(self, op: ops.DropIndexOp) -> None:
        self._table(op.table_name)
        for table in list(self._tables.values()):
            if op.index_name in table.indexes and op.table_name in (table.name, None):
                indexes = {name: columns for name, columns in table.indexes.items() if name != op.index_name}
                self._put(replace(table, indexes=indexes))

    def _create_foreign_key(self, op: ops.CreateForeignKeyOp) -> None:
        table = self._table(op.source_table)
        if table is not None and op.constraint_name is not None:
            self._table(op.referent_table)
            name = str(op.constraint_name)
            key = ForeignKeyState(name, tuple(op.local_cols), op.referent_table, tuple(op.remote_cols))
            self._put(replace(table, foreign_keys={**table.foreign_keys, name: key}))

    def _drop_constraint(self, op: ops.DropConstraintOp) -> None:
        table = self._table(op.table_name)
        if table is not None:
            keys = {name: key for name, key in table.foreign_keys.items() if name != op.constraint_name}
            self._put(replace(table, foreign_keys=keys))

    def _table_comment(self, op: ops.CreateTableCommentOp | ops.DropTableCommentOp) -> None:
        table = self._table(op.table_name)
        if table is not None:
            self._put(replace(table, comment=op.comment if isinstance(op, ops.CreateTableCommentOp) else None))


def _created(op: ops.CreateTableOp) -> TableState | None:
    """The table of ours that an operation creates; ``None`` for somebody else's.

    Made without a SQLAlchemy table where the operation holds columns and a primary key alone, as ours do: that takes
    most of the time of a replay.
    """
    columns = [item for item in op.columns if isinstance(item, sa.Column)]
    keys = [item for item in op.columns if isinstance(item, sa.PrimaryKeyConstraint)]
    plain = not any(column.index or column.unique or column.foreign_keys or column.primary_key for column in columns)
    if len(columns) + len(keys) != len(op.columns) or len(keys) != 1 or not plain:
        return state_of_table(op.to_table())
    text = op.info.get("sg")
    if not isinstance(text, str):
        return None
    marked = [(column, mark_of(column)) for column in columns]
    key = pending_columns(keys[0])
    states = {
        column.name: state_of_column(column, mark, in_key=column.name in key)
        for column, mark in marked
        if mark is not None
    }
    return TableState(op.table_name, Mark.parse(text), states, key, op.comment)


def _refer_to(table: TableState, old: str, new: str) -> TableState:
    """``table`` with its foreign keys to ``old`` leading to ``new``."""
    if not any(key.referred_table == old for key in table.foreign_keys.values()):
        return table
    keys = {name: replace(key, referred_table=new) if key.referred_table == old else key
            for name, key in table.foreign_keys.items()}  # fmt: skip
    return replace(table, foreign_keys=keys)


_HANDLERS: dict[type[MigrateOperation], Callable[[Fold, Any], None]] = {
    ops.CreateTableOp: Fold._create_table,
    ops.DropTableOp: Fold._drop_table,
    ops.RenameTableOp: Fold._rename_table,
    ops.AddColumnOp: Fold._add_column,
    ops.DropColumnOp: Fold._drop_column,
    ops.AlterColumnOp: Fold._alter_column,
    ops.CreateIndexOp: Fold._create_index,
    ops.DropIndexOp: Fold._drop_index,
    ops.CreateForeignKeyOp: Fold._create_foreign_key,
    ops.DropConstraintOp: Fold._drop_constraint,
    ops.CreateTableCommentOp: Fold._table_comment,
    ops.DropTableCommentOp: Fold._table_comment,
}
