"""The operations of a field that gets another data type, each with all its sides.

``op.convert_column`` and ``op.carry_links`` with their reverses ``op.restore_column`` and ``op.restore_links`` are the
only operations of a revision that need sg_migrate to run. Each class says what the operation does to a state
(``apply``), to a database (``run``), what its reverse is and how it reads in a revision.
"""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import sqlalchemy as sa
from alembic.autogenerate.api import AutogenContext
from alembic.autogenerate.render import renderers
from alembic.operations import MigrateOperation, Operations

from sg_migrate.conversion import execution
from sg_migrate.conversion.carry_over import ColumnCarryOver, LinkCarryOver
from sg_migrate.errors import MisplacedError
from sg_migrate.warehouse.comments import kept_comment
from sg_migrate.warehouse.mark import Mark, mark_of
from sg_migrate.warehouse.source_text import column_source
from sg_migrate.warehouse.state import ColumnState, State, TableState, state_of_column

TWICE = "If two branches made the same change, delete one of the two revisions and generate it anew."


class ConversionOp(MigrateOperation):
    """What the four operations have in common."""

    name: str
    table_name: str

    def apply(self, state: State) -> State:
        """The state after it. Raises `MisplacedError` where it does not fit."""
        raise TypeError(f"{type(self).__name__} has no state")

    def run(self, operations: Operations) -> None:
        """Do it on a database, or write it as a script."""
        raise TypeError(f"{type(self).__name__} cannot be run")

    def source(self, imports: set[str]) -> str:
        """The call in a revision."""
        raise TypeError(f"{type(self).__name__} has no source")


class _FieldOp(ConversionOp):
    """The table, the column before and after, and the name under which the old one is kept."""

    def __init__(self, table_name: str, old: ColumnState, new: ColumnState, former: ColumnState) -> None:
        self.table_name = table_name
        self.old = old
        self.new = new
        self.former = former
        """The old column as it is kept beside the new one."""

    @classmethod
    def read(cls, table_name: str, old: sa.Column[Any], new: sa.Column[Any], former_name: str, label: str) -> Any:
        """The operation as a revision has it."""
        before = _state(old)
        comment = before.comment if before.mark.kept else kept_comment(before.comment)
        former = replace(before, name=former_name, mark=before.mark.as_former(label), comment=comment)
        return cls(table_name, before, _state(new), former)

    def carry_over(self) -> ColumnCarryOver:
        """What happens to the values."""
        return ColumnCarryOver(self.table_name, self.former, self.new)

    def to_diff_tuple(self) -> Any:
        """For ``alembic check``."""
        return (self.name, self.table_name, str(self.old.mark), str(self.new.mark))

    def source(self, imports: set[str]) -> str:
        """The call in a revision, one argument a line."""
        columns = f"{column_source(self.old, imports)},\n{column_source(self.new, imports)},\n"
        kept = f"former_name={self.former.name!r}, label={self.former.mark.former!r}"
        return f"op.{self.name}({self.table_name!r},\n{columns}{kept}\n)"


@Operations.register_operation("convert_column")
class ConvertColumnOp(_FieldOp):
    """A field got another data type: rename the column, add the new one, carry over every value that converts."""

    name = "convert_column"

    def reverse(self) -> RestoreColumnOp:
        """The way back."""
        return RestoreColumnOp(self.table_name, self.old, self.new, self.former)

    def apply(self, state: State) -> State:
        """The old column under its former name, the new one behind it."""
        table = _owned(state, self.table_name, self.old.name)
        if self.former.name in table.columns:
            raise MisplacedError(f"column {table.name}.{self.former.name} is added a second time", TWICE)
        table = table.with_column(self.former, replaced=self.old.name).with_column(self.new)
        return {**state, table.name: table}

    def run(self, operations: Operations) -> None:
        """Rename, add, carry over, and say on the log what converted."""
        execution.convert(operations, self.table_name, self.old, self.former, self.new)

    @classmethod
    def convert_column(
        cls,
        operations: Operations,
        table_name: str,
        old: sa.Column[Any],
        new: sa.Column[Any],
        *,
        former_name: str,
        label: str,
    ) -> None:
        """Rename column ``old`` to ``former_name``, add ``new``, and carry over every value that converts.

        A value that does not convert is NULL in the new column and stays in the old one. Nothing is dropped.

        Args:
            operations: given by Alembic.
            table_name: the table.
            old: the column as it is, with its mark in ``info``.
            new: the column as it will be, with its mark in ``info``.
            former_name: the name under which the old column is kept.
            label: tells it apart from what else the field has kept: ``text``, ``text_2``.
        """
        operations.invoke(cls.read(table_name, old, new, former_name, label))


@Operations.register_operation("restore_column")
class RestoreColumnOp(_FieldOp):
    """The reverse of a conversion: drop the new column and put the old one back with its values."""

    name = "restore_column"

    def reverse(self) -> ConvertColumnOp:
        """The conversion."""
        return ConvertColumnOp(self.table_name, self.old, self.new, self.former)

    def apply(self, state: State) -> State:
        """Without the new column, the former one under its old name."""
        table = _owned(state, self.table_name, self.former.name).without_column(self.new.name)
        return {**state, table.name: table.with_column(self.old, replaced=self.former.name)}

    def run(self, operations: Operations) -> None:
        """Drop and rename. Raises `DiscardError` when values written since the conversion would be lost."""
        execution.refuse_to_discard(operations.get_context(), self.carry_over())
        execution.restore(operations, self.table_name, self.old, self.former, self.new)

    @classmethod
    def restore_column(
        cls,
        operations: Operations,
        table_name: str,
        old: sa.Column[Any],
        new: sa.Column[Any],
        *,
        former_name: str,
        label: str,
    ) -> None:
        """Drop column ``new`` and rename ``former_name`` back to ``old``.

        Refuses, with nothing changed, when that would lose values that were written since the conversion; the setting
        ``discard = true`` (``-x sg_discard=true``) lets them go. The arguments are those of ``op.convert_column``.
        """
        operations.invoke(cls.read(table_name, old, new, former_name, label))


class _LinksOp(ConversionOp):
    """The field, the two columns of its links, its link table."""

    def __init__(
        self, table_name: str, field: str, id_column: str, type_column: str, link_table: str, to_table: bool
    ) -> None:
        self.table_name = table_name
        self.mark = Mark.parse(field)
        self.id_column = id_column
        self.type_column = type_column
        self.link_table = link_table
        self.to_table = to_table

    def _arguments(self) -> tuple[str, str, str, str, str, bool]:
        return self.table_name, str(self.mark), self.id_column, self.type_column, self.link_table, self.to_table

    def carry_over(self) -> LinkCarryOver:
        """What happens to the links."""
        return LinkCarryOver(self.table_name, self.id_column, self.type_column, self.link_table, self.to_table)

    def apply(self, state: State) -> State:
        """Nothing: the columns and the table come and go by operations of their own."""
        table = _owned(state, self.table_name, self.id_column)
        _owned(state, table.name, self.type_column)
        if self.link_table not in state:
            raise MisplacedError(f"links of {self.table_name} are moved, and there is no table {self.link_table}")
        return state

    def to_diff_tuple(self) -> Any:
        """For ``alembic check``."""
        carry_over = self.carry_over()
        return (self.name, self.table_name, carry_over.source, carry_over.target)

    def source(self, imports: set[str]) -> str:
        """The call in a revision."""
        columns = f"id_column={self.id_column!r}, type_column={self.type_column!r}"
        places = f"{columns}, link_table={self.link_table!r}, to_table={self.to_table!r}"
        return f"op.{self.name}({self.table_name!r}, {str(self.mark)!r},\n{places}\n)"


@Operations.register_operation("carry_links")
class CarryLinksOp(_LinksOp):
    """A field of one link became one of many, or the other way: move the links to where they are kept from now on."""

    name = "carry_links"

    def reverse(self) -> RestoreLinksOp:
        """The way back."""
        return RestoreLinksOp(*self._arguments())

    def run(self, operations: Operations) -> None:
        """Move the links that can be moved, and say on the log how many those were."""
        execution.carry(operations, self.carry_over(), self.mark)

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

    name = "restore_links"

    def reverse(self) -> CarryLinksOp:
        """The move."""
        return CarryLinksOp(*self._arguments())

    def run(self, operations: Operations) -> None:
        """Move nothing. Raises `DiscardError` when links written since would be lost."""
        execution.refuse_to_discard(operations.get_context(), self.carry_over())
        execution.forget(operations, self.mark)

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


def _owned(state: State, table: str, column: str) -> TableState:
    found = state.get(table)
    if found is None:
        raise MisplacedError(f"table {table} is not there")
    if column not in found.columns:
        raise MisplacedError(f"column {table}.{column} is not there")
    return found


def _run(operations: Operations, operation: ConversionOp) -> None:
    operation.run(operations)


def _source(context: AutogenContext, operation: ConversionOp) -> str:
    return operation.source(context.imports)


COMPOSITE = (ConvertColumnOp, RestoreColumnOp, CarryLinksOp, RestoreLinksOp)
"""The operations that consist of several statements."""

for _kind in COMPOSITE:
    Operations.implementation_for(_kind)(_run)
    renderers.dispatch_for(_kind)(_source)
