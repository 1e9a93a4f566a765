"""The operations of our revisions beside Alembic's own: an alteration that knows both sides, marks, groups, repairs.

Each says what its reverse is and how it reads in a revision (``source``). They read as calls of stock Alembic, and
run where only Alembic is installed. Conversions are in `sg_migrate.conversion.operations`.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import replace
from typing import Any

import sqlalchemy as sa
from alembic.autogenerate.api import AutogenContext
from alembic.autogenerate.render import render_op, renderers
from alembic.operations import ops

from sg_migrate.alembic_private import within_batch
from sg_migrate.errors import MisplacedError
from sg_migrate.revisions.table_operations import AddIndexOp, CreateOp, DropOp, RemoveIndexOp
from sg_migrate.warehouse.mark import Mark
from sg_migrate.warehouse.source_text import type_source
from sg_migrate.warehouse.state import ColumnState, State


class GroupOps(ops.OpContainer):
    """The operations of one entity type, under a comment line that names it."""

    def __init__(self, heading: str, operations: Sequence[ops.MigrateOperation]) -> None:
        super().__init__(operations)
        self.heading = heading

    def reverse(self) -> GroupOps:
        """The reverse operations in the reverse order."""
        return GroupOps(self.heading, [operation.reverse() for operation in reversed(self.ops)])

    def source(self, context: AutogenContext) -> list[str]:
        """The comment line, and the operations."""
        return [f"# {self.heading}", *_sources(context, self.ops)]


class CommentsOp(ops.OpContainer):
    """Changes of comments, run only where the database has comments.

    Never in a batch: SQLite would rebuild the table for a comment it does not store.
    """

    def reverse(self) -> CommentsOp:
        """The reverse changes in the reverse order."""
        return CommentsOp([operation.reverse() for operation in reversed(self.ops)])

    def source(self, context: AutogenContext) -> list[str]:
        """A block that asks the dialect."""
        lines = ["# Comments", "if op.get_context().dialect.supports_comments:"]
        for child in self.ops:
            table_comment = isinstance(child, ops.CreateTableCommentOp | ops.DropTableCommentOp)
            lines.extend([_table_comment(child)] if table_comment else render_op(context, child))
        return [*lines, ""]


def _table_comment(op: Any) -> str:
    """On one line, as the block of comments has them."""
    words = [repr(op.table_name)]
    if isinstance(op, ops.CreateTableCommentOp):
        words.append(repr(op.comment))
    words.append(f"existing_comment={op.existing_comment!r}")
    name = "create_table_comment" if isinstance(op, ops.CreateTableCommentOp) else "drop_table_comment"
    return f"op.{name}({', '.join(words)})"


class BatchOp(ops.ModifyTableOps):
    """Operations on one table that SQLite runs in a batch only."""

    def reverse(self) -> BatchOp:
        """The reverse operations in the reverse order."""
        return BatchOp(self.table_name, [operation.reverse() for operation in reversed(self.ops)])

    def source(self, context: AutogenContext) -> list[str]:
        """A ``with`` block."""
        with within_batch(context):
            return [f"with op.batch_alter_table({self.table_name!r}) as batch_op:", *_sources(context, self.ops), ""]


class AlterOp(ops.AlterColumnOp):
    """A column as built and as wanted: another name, a wider type, another comment or mark."""

    def __init__(self, table_name: str, old: ColumnState, new: ColumnState) -> None:
        super().__init__(
            table_name,
            old.name,
            existing_type=old.type,
            existing_nullable=old.nullable,
            existing_comment=old.comment,
            modify_name=new.name if new.name != old.name else None,
            modify_type=new.type if new.type_text != old.type_text else None,
            modify_comment=new.comment if new.comment != old.comment else False,
        )
        if new.mark != old.mark:
            self.kw["info"] = {"sg": str(new.mark)}
        if self.modify_type is not None and isinstance(old.type, sa.DateTime):
            # Of a warehouse that was taken over: whatever the session's time zone, a script's too.
            self.kw["postgresql_using"] = f"\"{old.name}\" AT TIME ZONE 'UTC'"
        self.old = old
        self.new = new

    def reverse(self) -> AlterOp:
        """The way back."""
        return AlterOp(self.table_name, self.new, self.old)

    def has_changes(self) -> bool:
        """Whether anything differs."""
        return self.old != self.new

    def to_diff_tuple(self) -> Any:
        """For ``alembic check``: what changes, as ``(kind, table, column, old, new)``."""
        if self.modify_name is not None:
            return ("rename_column", self.table_name, self.old.name, self.new.name)
        if self.modify_type is not None:
            return ("modify_type", self.table_name, self.old.name, self.old.type_text, self.new.type_text)
        if self.modify_comment is not False:
            return ("modify_comment", self.table_name, self.old.name, self.old.comment, self.new.comment)
        return ("modify_mark", self.table_name, self.old.name, str(self.old.mark), str(self.new.mark))

    def source(self, context: AutogenContext) -> list[str]:
        """``op.alter_column``; another type in a batch, for SQLite."""
        words = [repr(self.old.name)]
        if self.modify_name is not None:
            words.append(f"new_column_name={self.new.name!r}")
        if self.modify_type is not None:
            words.append(f"type_={type_source(self.new.type, context.imports)}")
        if self.modify_comment is not False:
            words.append(f"comment={self.modify_comment!r}")
        words.append(f"existing_type={type_source(self.old.type, context.imports)}")
        words.append(f"existing_nullable={self.old.nullable!r}")
        if self.old.comment is not None:
            words.append(f"existing_comment={self.old.comment!r}")
        words += [f"{name}={self.kw[name]!r}" for name in ("info", "postgresql_using") if name in self.kw]
        if self.modify_type is None:
            return [f"op.alter_column({', '.join([repr(self.table_name), *words])})"]
        return [
            f"with op.batch_alter_table({self.table_name!r}) as batch_op:",
            f"batch_op.alter_column({', '.join(words)})",
            "",
        ]


class RenameOp(ops.RenameTableOp):
    """A table gets another name."""

    def reverse(self) -> RenameOp:
        """The way back."""
        return RenameOp(str(self.new_table_name), self.table_name)

    def to_diff_tuple(self) -> Any:
        """For ``alembic check``."""
        return ("rename_table", self.table_name, str(self.new_table_name))

    def source(self, context: AutogenContext) -> list[str]:
        """``op.rename_table``."""
        return [f"op.rename_table({self.table_name!r}, {str(self.new_table_name)!r})"]


class MarkTableOp(ops.MigrateOperation):
    """A table gets another mark. For a database it is nothing: an empty batch, whose ``info`` the replay reads."""

    def __init__(self, table_name: str, old: Mark | None, new: Mark) -> None:
        self.table_name = table_name
        self.old = old
        """The mark before; ``None`` where it was read from a revision."""
        self.new = new

    def apply(self, state: State) -> State:
        """The state after it. Raises `MisplacedError` where there is no such table."""
        if self.table_name not in state:
            raise MisplacedError(f"table {self.table_name} is not there")
        return {**state, self.table_name: replace(state[self.table_name], mark=self.new)}

    def reverse(self) -> MarkTableOp:
        """The way back."""
        assert self.old is not None
        return MarkTableOp(self.table_name, self.new, self.old)

    def to_diff_tuple(self) -> Any:
        """For ``alembic check``."""
        return ("modify_mark", self.table_name, str(self.old), str(self.new))

    def source(self, context: AutogenContext) -> list[str]:
        """An empty batch with the mark in the table's ``info``."""
        info = {"info": {"sg": str(self.new)}}
        return [f"with op.batch_alter_table({self.table_name!r}, table_kwargs={info!r}):", "pass", ""]


class RepairOps(GroupOps):
    """What brings a database back to what was built. It has no way back: no revision made what it mends."""

    def reverse(self) -> GroupOps:
        """Nothing."""
        return GroupOps(self.heading, [])

    def source(self, context: AutogenContext) -> list[str]:
        """Each repair under the question whether this database needs it: others that run this revision may not."""
        lines = [f"# {self.heading}"]
        for child in self.ops:
            rendered = render_op(context, child)
            question = _question(child)
            if question:
                asked = question.removeprefix("if ").partition("(")[0]
                context.imports.add(f"from sg_migrate.database.repairs import {asked}")
                rendered = [question, *rendered, ""]
            lines.extend(rendered)
        return lines


def _question(op: ops.MigrateOperation) -> str | None:
    if isinstance(op, ops.CreateTableOp):
        return f"if missing(op, {op.table_name!r}):"
    if isinstance(op, ops.AddColumnOp):
        return f"if missing(op, {op.table_name!r}, column={str(op.column.name)!r}):"
    if isinstance(op, ops.CreateIndexOp):
        return f"if missing(op, {op.table_name!r}, index={op.index_name!r}):"
    if isinstance(op, ops.DropIndexOp):
        return f"if present(op, {op.table_name!r}, index={op.index_name!r}):"
    if isinstance(op, BatchOp) and isinstance(op.ops[0], ops.CreateForeignKeyOp):
        return f"if missing(op, {op.table_name!r}, foreign_key={op.ops[0].constraint_name!r}):"
    if isinstance(op, BatchOp) and isinstance(op.ops[0], ops.DropConstraintOp):
        return f"if present(op, {op.table_name!r}, foreign_key={op.ops[0].constraint_name!r}):"
    return None


class RepairColumnOp(ops.AlterColumnOp):
    """A column becomes what was built, whatever it is now.

    Args:
        table_name: its table.
        built: the column as built.
        retyped: whether the database has it with another type.
    """

    def __init__(self, table_name: str, built: ColumnState, *, retyped: bool) -> None:
        super().__init__(
            table_name,
            built.name,
            modify_type=built.type,
            modify_nullable=built.nullable,
            modify_comment=built.comment,
        )
        self.retyped = retyped

    def source(self, context: AutogenContext) -> list[str]:
        """A batch, for SQLite; another type only where no value would be cast."""
        assert self.modify_type is not None
        type_ = type_source(self.modify_type, context.imports)
        refusal = []
        if self.retyped:
            context.imports.add("from sg_migrate.database.repairs import refuse_to_cast")
            refusal = [f"refuse_to_cast(op, {self.table_name!r}, {self.column_name!r}, {type_})"]
        return [
            *refusal,
            f"with op.batch_alter_table({self.table_name!r}) as batch_op:",
            f"batch_op.alter_column({self.column_name!r}, type_={type_}, nullable={self.modify_nullable!r},"
            f" comment={self.modify_comment!r})",
            "",
        ]


def _sources(context: AutogenContext, operations: Iterable[ops.MigrateOperation]) -> list[str]:
    return [line for operation in operations for line in render_op(context, operation)]


def _source(context: AutogenContext, operation: Any) -> list[str]:
    lines: list[str] = operation.source(context)
    return lines


_OURS = (
    GroupOps, CommentsOp, BatchOp, AlterOp, RenameOp, MarkTableOp, RepairOps, RepairColumnOp,
    CreateOp, DropOp, AddIndexOp, RemoveIndexOp,
)  # fmt: skip
for _kind in _OURS:
    renderers.dispatch_for(_kind)(_source)


def flat(operations: Iterable[ops.MigrateOperation]) -> Iterator[ops.MigrateOperation]:
    """The operations without their containers."""
    for operation in operations:
        if isinstance(operation, ops.OpContainer):
            yield from flat(operation.ops)
        else:
            yield operation
