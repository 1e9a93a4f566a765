"""Tables and indexes that come and go: Alembic's operations, made of states.

They run and read as Alembic's own. Only their reverse and their text are made here, of the state: Alembic makes a
SQLAlchemy table anew for each, which took most of the time of a site's first revision.
"""

from __future__ import annotations

from typing import Any

import sqlalchemy as sa
from alembic.autogenerate.api import AutogenContext
from alembic.operations import ops

from sg_migrate.warehouse.source_text import column_source
from sg_migrate.warehouse.state import TABLE_OPTIONS, TableState


class CreateOp(ops.CreateTableOp):
    """A table of ours comes, without its indexes and foreign keys."""

    def __init__(self, table: TableState) -> None:
        columns = [column.to_column() for column in table.columns.values()]
        key = sa.PrimaryKeyConstraint(*table.primary_key)
        info = {"sg": str(table.mark)}
        super().__init__(table.name, [*columns, key], comment=table.comment, info=info, **TABLE_OPTIONS)
        self.table = table

    def reverse(self) -> DropOp:
        """The table goes."""
        return DropOp(self.table)

    def source(self, context: AutogenContext) -> list[str]:
        """``op.create_table``, a column a line."""
        items = [column_source(column, context.imports) for column in self.table.columns.values()]
        items.append(f"sa.PrimaryKeyConstraint({', '.join(map(repr, self.table.primary_key))})")
        if self.comment is not None:
            items.append(f"comment={self.comment!r}")
        options = [f"{name}={value!r}" for name, value in sorted(TABLE_OPTIONS.items())]
        return [f"op.create_table({self.table_name!r},", ",\n".join([*items, f"info={self.info!r}", *options]), ")"]


class DropOp(ops.DropTableOp):
    """A table of ours goes, with its rows."""

    def __init__(self, table: TableState) -> None:
        super().__init__(table.name)
        self.table = table

    def reverse(self) -> CreateOp:
        """The table comes back, empty."""
        return CreateOp(self.table)

    def to_diff_tuple(self) -> Any:
        """For ``alembic check``."""
        return ("remove_table", self.reverse().to_table())

    def source(self, context: AutogenContext) -> list[str]:
        """``op.drop_table``."""
        return [f"op.drop_table({self.table_name!r})"]


class AddIndexOp(ops.CreateIndexOp):
    """An index of ours comes."""

    def __init__(self, name: str, table: str, columns: tuple[str, ...]) -> None:
        super().__init__(name, table, columns)
        self.index = (name, table, columns)

    def reverse(self) -> RemoveIndexOp:
        """The index goes."""
        return RemoveIndexOp(*self.index)

    def source(self, context: AutogenContext) -> list[str]:
        """``op.create_index``."""
        return [f"op.create_index({self.index_name!r}, {self.table_name!r}, {list(self.columns)!r}, unique=False)"]


class RemoveIndexOp(ops.DropIndexOp):
    """An index of ours goes."""

    def __init__(self, name: str, table: str, columns: tuple[str, ...]) -> None:
        super().__init__(name, table)
        self.index = (name, table, columns)

    def reverse(self) -> AddIndexOp:
        """The index comes back."""
        return AddIndexOp(*self.index)

    def to_diff_tuple(self) -> Any:
        """For ``alembic check``."""
        return ("remove_index", self.reverse().to_index())

    def source(self, context: AutogenContext) -> list[str]:
        """``op.drop_index``."""
        return [f"op.drop_index({self.index_name!r}, table_name={self.table_name!r})"]
