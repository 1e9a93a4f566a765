"""The operations of our revisions: Alembic's own wherever they suffice, and the conversion of a column.

What Alembic lacks is put beside its operations here: an alteration that knows both sides (and so its reverse), a
group of operations with a comment line, a block of comments. They render as stock Alembic calls. Only
``op.convert_column`` and its reverse ``op.restore_column`` need sg_migrate to run.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from typing import Any

import sqlalchemy as sa
from alembic.operations import Operations, ops

from sg_migrate.conversion.carry_over import ColumnCarryOver, LinkCarryOver
from sg_migrate.warehouse.comments import with_retired
from sg_migrate.warehouse.state import ColumnState, Mark, mark_of, state_of_column


class GroupOps(ops.OpContainer):
    """The operations of one entity type, under a comment line that names it."""

    def __init__(self, title: str, operations: Sequence[ops.MigrateOperation]) -> None:
        super().__init__(operations)
        self.title = title

    def reverse(self) -> GroupOps:
        """The reverse operations in the reverse order."""
        return GroupOps(self.title, [operation.reverse() for operation in reversed(self.ops)])


class CommentsOp(ops.OpContainer):
    """Changes of comments, run only where the database has comments.

    Never in a batch: SQLite would rebuild the table for a comment it does not store.
    """

    def reverse(self) -> CommentsOp:
        """The reverse changes in the reverse order."""
        return CommentsOp([operation.reverse() for operation in reversed(self.ops)])


class BatchOp(ops.ModifyTableOps):
    """Operations on one table that SQLite runs in a batch only."""

    def reverse(self) -> BatchOp:
        """The reverse operations in the reverse order."""
        return BatchOp(self.table_name, [operation.reverse() for operation in reversed(self.ops)])


class RepairOps(GroupOps):
    """What brings a database back to what was built. It has no way back: no revision made what it mends."""

    def reverse(self) -> GroupOps:
        """Nothing."""
        return GroupOps(self.title, [])


class RepairColumnOp(ops.AlterColumnOp):
    """A column becomes what was built, whatever it is now."""

    def __init__(self, table_name: str, built: ColumnState) -> None:
        super().__init__(
            table_name,
            built.name,
            modify_type=built.type,
            modify_nullable=built.nullable,
            modify_comment=built.comment,
        )


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
        return ("modify_site_type", self.table_name, self.old.name, str(self.old.mark), str(self.new.mark))


class RenameOp(ops.RenameTableOp):
    """A table gets another name."""

    def reverse(self) -> RenameOp:
        """The way back."""
        return RenameOp(str(self.new_table_name), self.table_name)

    def to_diff_tuple(self) -> Any:
        """For ``alembic check``."""
        return ("rename_table", self.table_name, str(self.new_table_name))


class _FieldOp(ops.MigrateOperation):
    """What the conversion of a column and its reverse share: the table, the column before and after, the kept name."""

    def __init__(self, table_name: str, old: ColumnState, new: ColumnState, former_name: str) -> None:
        self.table_name = table_name
        self.old = old
        self.new = new
        self.former_name = former_name

    def former_state(self) -> ColumnState:
        """The old column as it is kept beside the new one."""
        mark = self.old.mark.as_former()
        return ColumnState(self.former_name, self.old.type, mark, with_retired(self.old.comment, True))

    def carry_over(self) -> ColumnCarryOver:
        """What happens to the values."""
        return ColumnCarryOver(self.table_name, self.former_state(), self.new)

    def to_diff_tuple(self) -> Any:
        """For ``alembic check``."""
        kind = "convert_column" if isinstance(self, ConvertColumnOp) else "restore_column"
        return (kind, self.table_name, str(self.old.mark), str(self.new.mark))


@Operations.register_operation("convert_column")
class ConvertColumnOp(_FieldOp):
    """A field got another data type: rename the column, add the new one, carry over every value that converts."""

    def reverse(self) -> RestoreColumnOp:
        """The way back."""
        return RestoreColumnOp(self.table_name, self.old, self.new, self.former_name)

    @classmethod
    def convert_column(
        cls, operations: Operations, table_name: str, old: sa.Column[Any], new: sa.Column[Any], *, former_name: str
    ) -> None:
        """Rename column ``old`` to ``former_name``, add ``new``, and carry over every value that converts.

        A value that does not convert is NULL in the new column and stays in the old one. Nothing is dropped.

        Args:
            operations: given by Alembic.
            table_name: the table.
            old: the column as it is, with its mark in ``info``.
            new: the column as it will be, with its mark in ``info``.
            former_name: the name under which the old column is kept.
        """
        operations.invoke(cls(table_name, _state(old), _state(new), former_name))


@Operations.register_operation("restore_column")
class RestoreColumnOp(_FieldOp):
    """The reverse of a conversion: drop the new column and put the old one back with its values."""

    def reverse(self) -> ConvertColumnOp:
        """The conversion."""
        return ConvertColumnOp(self.table_name, self.old, self.new, self.former_name)

    @classmethod
    def restore_column(
        cls, operations: Operations, table_name: str, old: sa.Column[Any], new: sa.Column[Any], *, former_name: str
    ) -> None:
        """Drop column ``new`` and rename ``former_name`` back to ``old``.

        Refuses, with nothing changed, when that would lose values that were written since the conversion; the setting
        ``discard = true`` (``-x sg_discard=true``) lets them go.

        Args:
            operations: given by Alembic.
            table_name: the table.
            old: the column as it was before the conversion.
            new: the column as it is.
            former_name: the name under which the old column was kept.
        """
        operations.invoke(cls(table_name, _state(old), _state(new), former_name))


class _LinksOp(ops.MigrateOperation):
    """What moving links and its reverse share: the field, the two columns of its links, its link table."""

    def __init__(
        self, table_name: str, field: str, id_column: str, type_column: str, link_table: str, to_table: bool
    ) -> None:
        self.table_name = table_name
        self.mark = Mark.parse(field)
        self.id_column = id_column
        self.type_column = type_column
        self.link_table = link_table
        self.to_table = to_table

    def carry_over(self) -> LinkCarryOver:
        """What happens to the links."""
        return LinkCarryOver(self.table_name, self.id_column, self.type_column, self.link_table, self.to_table)

    def to_diff_tuple(self) -> Any:
        """For ``alembic check``."""
        kind = "carry_links" if isinstance(self, CarryLinksOp) else "restore_links"
        carry_over = self.carry_over()
        return (kind, self.table_name, carry_over.source, carry_over.target)


@Operations.register_operation("carry_links")
class CarryLinksOp(_LinksOp):
    """A field of one link became one of many, or the other way: move the links to where they are kept from now on."""

    def reverse(self) -> RestoreLinksOp:
        """The way back."""
        return RestoreLinksOp(
            self.table_name, str(self.mark), self.id_column, self.type_column, self.link_table, self.to_table
        )

    @classmethod
    def carry_links(
        cls,
        operations: Operations,
        table_name: str,
        field: str,
        *,
        id_column: str,
        type_column: str,
        link_table: str,
        to_table: bool,
    ) -> None:
        """Move a field's links from its two columns to its link table, or back.

        Of several links none moves into the columns; all stay where they were. Nothing is dropped.

        Args:
            operations: given by Alembic.
            table_name: the entity type's table.
            field: the field's mark.
            id_column: the column of the linked ids.
            type_column: the column of the linked types.
            link_table: the table of the links.
            to_table: from the columns to the link table; else the other way.
        """
        operations.invoke(cls(table_name, field, id_column, type_column, link_table, to_table))


@Operations.register_operation("restore_links")
class RestoreLinksOp(_LinksOp):
    """The reverse of moving links: makes sure that the links where they were before are all there are."""

    def reverse(self) -> CarryLinksOp:
        """The move."""
        return CarryLinksOp(
            self.table_name, str(self.mark), self.id_column, self.type_column, self.link_table, self.to_table
        )

    @classmethod
    def restore_links(
        cls,
        operations: Operations,
        table_name: str,
        field: str,
        *,
        id_column: str,
        type_column: str,
        link_table: str,
        to_table: bool,
    ) -> None:
        """Let the links count again where they were before ``op.carry_links``; moves nothing.

        Refuses, with nothing changed, when links that were written since would be lost; the setting ``discard = true``
        (``-x sg_discard=true``) lets them go. The arguments are those of ``op.carry_links``.
        """
        operations.invoke(cls(table_name, field, id_column, type_column, link_table, to_table))


def _state(column: sa.Column[Any]) -> ColumnState:
    mark = mark_of(column)
    if mark is None:
        raise ValueError(f"column {column.name!r} has no mark: info={{'sg': 'EntityType.field data_type'}}")
    return state_of_column(column, mark)


@Operations.implementation_for(ConvertColumnOp)
def _convert(operations: Operations, operation: ConvertColumnOp) -> None:
    from sg_migrate.conversion import execution as carry

    carry.convert(operations, operation)


@Operations.implementation_for(RestoreColumnOp)
def _restore(operations: Operations, operation: RestoreColumnOp) -> None:
    from sg_migrate.conversion import execution as carry

    carry.restore(operations, operation)


@Operations.implementation_for(CarryLinksOp)
def _carry_links(operations: Operations, operation: CarryLinksOp) -> None:
    from sg_migrate.conversion import execution as carry

    carry.carry_links(operations, operation)


@Operations.implementation_for(RestoreLinksOp)
def _restore_links(operations: Operations, operation: RestoreLinksOp) -> None:
    from sg_migrate.conversion import execution as carry

    carry.restore_links(operations, operation)


def flat(operations: Iterable[ops.MigrateOperation]) -> Iterator[ops.MigrateOperation]:
    """The operations without their containers."""
    for operation in operations:
        if isinstance(operation, ops.OpContainer):
            yield from flat(operation.ops)
        else:
            yield operation
