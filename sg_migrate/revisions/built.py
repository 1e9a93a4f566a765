"""The built state: what the revisions, run in order, have built so far. No database is asked."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from dataclasses import replace
from typing import Any

from alembic.operations import MigrateOperation, ops
from alembic.script import Script, ScriptDirectory

from sg_migrate.errors import FoldError
from sg_migrate.revisions.operations import ConvertColumnOp, RestoreColumnOp
from sg_migrate.revisions.recorder import record
from sg_migrate.warehouse.naming import is_former_of
from sg_migrate.warehouse.state import (
    ColumnState,
    ForeignKeyState,
    Mark,
    State,
    TableState,
    mark_of,
    state_of_column,
    state_of_table,
)


def built_state(scripts: ScriptDirectory, heads: Iterable[str] | str = "heads") -> State:
    """The tables that the revisions up to ``heads`` have built, by name.

    Args:
        scripts: the Alembic script directory.
        heads: revision ids, each taken with all its ancestors; by default the heads.

    Raises:
        RecordingError: a revision of ours cannot be run without a database.
        FoldError: a revision changes something of ours that is not there.
    """
    fold = Fold()
    for script in ancestors(scripts, heads):
        if is_ours(script):
            fold.apply(record(script.module.upgrade, script.revision), script.revision)
    return dict(sorted(fold.tables.items()))


def ancestors(scripts: ScriptDirectory, heads: Iterable[str] | str = "heads") -> list[Script]:
    """The revisions up to ``heads``, each after all those it stands on; siblings in the order of their ids."""
    upper = heads if isinstance(heads, str) else tuple(heads)
    found = {
        script.revision: script for script in scripts.revision_map.iterate_revisions(upper, "base", inclusive=True)
    } if upper else {}  # fmt: skip
    ordered: dict[str, Any] = {}

    def visit(revision: str) -> None:
        stack = [revision]
        while stack:
            waiting = sorted(
                down for down in found[stack[-1]]._all_down_revisions if down in found and down not in ordered
            )
            if waiting:
                stack.append(waiting[0])
            else:
                name = stack.pop()
                ordered[name] = found[name]

    for revision in sorted(found):
        if revision not in ordered:
            visit(revision)
    return list(ordered.values())


def is_ours(script: Script) -> bool:
    """Whether the revision is one that sg_migrate reads: its file has the variable ``sg_digest``."""
    return hasattr(script.module, "sg_digest")


def steps_operations(steps: Iterable[Any]) -> Iterator[MigrateOperation]:
    """The operations of Alembic's migration steps, in their order; those of other people's revisions are unknown."""
    for step in steps:
        if is_ours(step.revision):
            yield from record(step.migration_fn, step.revision.revision)


_TWICE = "If two branches made the same change, delete one of the two revisions and generate it anew."


class Fold:
    """Applies recorded operations to a state; whatever carries no mark of ours is ignored."""

    def __init__(self, tables: State | None = None) -> None:
        self.tables: dict[str, TableState] = dict(tables or {})
        self.revision = ""

    def apply(self, operations: Iterable[MigrateOperation], revision: str) -> None:
        """Apply ``operations`` in their order. Raises `FoldError`."""
        self.revision = revision
        for operation in operations:
            for kind, method in _HANDLERS.items():
                if isinstance(operation, kind):
                    method(self, operation)
                    break

    def _create_table(self, op: ops.CreateTableOp) -> None:
        table = state_of_table(op.to_table())
        if table is not None:
            if table.name in self.tables:
                raise FoldError(self.revision, f"table {table.name} is created a second time", _TWICE)
            self.tables[table.name] = table

    def _drop_table(self, op: ops.DropTableOp) -> None:
        self.tables.pop(op.table_name, None)

    def _rename_table(self, op: ops.RenameTableOp) -> None:
        table = self.tables.pop(op.table_name, None)
        if table is None:
            return
        name = str(op.new_table_name)
        old, new = (name, op.table_name) if table.mark.was else (op.table_name, name)
        if is_former_of(new, old, table.mark.data_type):  # op.rename_table can carry no mark
            table = as_former(table, not table.mark.was)
        self.tables[name] = replace(table, name=name)
        for other in list(self.tables.values()):
            keys = {n: replace(k, referred_table=name) if k.referred_table == op.table_name else k
                    for n, k in other.foreign_keys.items()}  # fmt: skip
            self.tables[other.name] = replace(other, foreign_keys=keys)

    def _add_column(self, op: ops.AddColumnOp) -> None:
        table = self.tables.get(op.table_name)
        mark = mark_of(op.column)
        if table is not None and mark is not None:
            self._put_column(table, state_of_column(op.column, mark))

    def _drop_column(self, op: ops.DropColumnOp) -> None:
        table = self.tables.get(op.table_name)
        if table is not None:
            self.tables[table.name] = _without_column(table, op.column_name)

    def _alter_column(self, op: ops.AlterColumnOp) -> None:
        table = self.tables.get(op.table_name)
        column = table.columns.get(op.column_name) if table else None
        if table is None or column is None:
            return
        mark = op.kw.get("info", {}).get("sg")
        changed = ColumnState(
            name=op.modify_name or column.name,
            type=column.type if op.modify_type is None else op.modify_type,
            mark=Mark.parse(mark) if mark else column.mark,
            comment=column.comment if op.modify_comment is False else op.modify_comment,
            nullable=column.nullable if op.modify_nullable is None else op.modify_nullable,
        )
        self.tables[table.name] = renamed_column(table, column.name, changed)

    def _create_index(self, op: ops.CreateIndexOp) -> None:
        table = self.tables.get(op.table_name)
        if table is not None and op.index_name is not None:
            columns = tuple(str(getattr(c, "name", c)) for c in op.columns)
            if all(column in table.columns for column in columns):
                self.tables[table.name] = replace(table, indexes={**table.indexes, op.index_name: columns})

    def _drop_index(self, op: ops.DropIndexOp) -> None:
        for table in list(self.tables.values()):
            if op.index_name in table.indexes and op.table_name in (table.name, None):
                indexes = {name: columns for name, columns in table.indexes.items() if name != op.index_name}
                self.tables[table.name] = replace(table, indexes=indexes)

    def _create_foreign_key(self, op: ops.CreateForeignKeyOp) -> None:
        table = self.tables.get(op.source_table)
        if table is not None and op.constraint_name is not None:
            name = str(op.constraint_name)
            key = ForeignKeyState(name, tuple(op.local_cols), op.referent_table, tuple(op.remote_cols))
            self.tables[table.name] = replace(table, foreign_keys={**table.foreign_keys, name: key})

    def _drop_constraint(self, op: ops.DropConstraintOp) -> None:
        table = self.tables.get(op.table_name)
        if table is not None:
            keys = {name: key for name, key in table.foreign_keys.items() if name != op.constraint_name}
            self.tables[table.name] = replace(table, foreign_keys=keys)

    def _table_comment(self, op: ops.CreateTableCommentOp | ops.DropTableCommentOp) -> None:
        table = self.tables.get(op.table_name)
        if table is not None:
            comment = op.comment if isinstance(op, ops.CreateTableCommentOp) else None
            self.tables[table.name] = replace(table, comment=comment)

    def _convert_column(self, op: ConvertColumnOp) -> None:
        table = self._owned(op.table_name, op.old.name)
        former = op.former_state()
        if former.name in table.columns:
            raise FoldError(self.revision, f"column {table.name}.{former.name} is added a second time", _TWICE)
        self._put_column(renamed_column(table, op.old.name, former), op.new)

    def _restore_column(self, op: RestoreColumnOp) -> None:
        table = _without_column(self._owned(op.table_name, op.former_name), op.new.name)
        self.tables[table.name] = renamed_column(table, op.former_name, op.old)

    def _owned(self, name: str, column: str) -> TableState:
        table = self.tables.get(name)
        if table is None:
            raise FoldError(self.revision, f"table {name} is not there")
        if column not in table.columns:
            raise FoldError(self.revision, f"column {name}.{column} is not there")
        return table

    def _put_column(self, table: TableState, column: ColumnState) -> None:
        if column.name in table.columns:
            raise FoldError(self.revision, f"column {table.name}.{column.name} is added a second time", _TWICE)
        self.tables[table.name] = replace(table, columns={**table.columns, column.name: column})


def as_former(table: TableState, was: bool = True) -> TableState:
    """``table`` marked as one that only keeps the values of an earlier type, or as one that no longer does."""
    columns = {name: replace(column, mark=replace(column.mark, was=was)) for name, column in table.columns.items()}
    return replace(table, mark=replace(table.mark, was=was), columns=columns)


def renamed_column(table: TableState, name: str, column: ColumnState) -> TableState:
    """``table`` with ``column`` in the place of the column called ``name``, in indexes and foreign keys too."""

    def rename(names: tuple[str, ...]) -> tuple[str, ...]:
        return tuple(column.name if n == name else n for n in names)

    return replace(
        table,
        columns={column.name if n == name else n: column if n == name else c for n, c in table.columns.items()},
        primary_key=rename(table.primary_key),
        indexes={n: rename(columns) for n, columns in table.indexes.items()},
        foreign_keys={n: replace(k, columns=rename(k.columns)) for n, k in table.foreign_keys.items()},
    )


def _without_column(table: TableState, name: str) -> TableState:
    return replace(
        table,
        columns={n: c for n, c in table.columns.items() if n != name},
        indexes={n: columns for n, columns in table.indexes.items() if name not in columns},
        foreign_keys={n: key for n, key in table.foreign_keys.items() if name not in key.columns},
    )


_HANDLERS: dict[type[MigrateOperation], Callable[[Fold, Any], None]] = {
    ConvertColumnOp: Fold._convert_column,
    RestoreColumnOp: Fold._restore_column,
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
