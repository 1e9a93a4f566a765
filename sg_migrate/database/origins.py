"""What tables and columns are called now that operations name as they will be called when it is their turn."""

from __future__ import annotations

from alembic.operations import MigrateOperation, ops

from sg_migrate.conversion.operations import ConvertColumnOp, RestoreColumnOp


class Origins:
    """Follows operations that have not run yet, and tells the names that hold before all of them."""

    def __init__(self) -> None:
        self._tables: dict[str, str] = {}
        """Name after the operations so far -> name before them, where that differs; empty for a new table."""
        self._columns: dict[tuple[str, str], str] = {}
        """(table before, column after) -> column before; empty for a new column."""

    def table(self, name: str) -> str:
        """What the table is called now; empty for one that is not there yet."""
        return self._tables.get(name, name)

    def column(self, table: str, name: str) -> str:
        """What the column is called now, of a table as `table` gives it; empty for one that is not there yet."""
        return self._columns.get((table, name), name)

    def follow(self, op: MigrateOperation) -> None:
        """Note what an operation does to names."""
        if isinstance(op, ops.CreateTableOp):
            self._tables[op.table_name] = ""
        elif isinstance(op, ops.RenameTableOp):
            self._tables[str(op.new_table_name)] = self._tables.pop(op.table_name, op.table_name)
        elif isinstance(op, ops.AddColumnOp):
            self._columns[self.table(op.table_name), op.column.name] = ""
        elif isinstance(op, ConvertColumnOp):
            self._rename(op.table_name, op.old.name, op.former.name)
            self._columns[self.table(op.table_name), op.new.name] = ""
        elif isinstance(op, RestoreColumnOp):
            self._columns.pop((self.table(op.table_name), op.new.name), None)
            self._rename(op.table_name, op.former.name, op.old.name)
        elif isinstance(op, ops.AlterColumnOp) and op.modify_name is not None:
            self._rename(op.table_name, op.column_name, op.modify_name)

    def _rename(self, table: str, old: str, new: str) -> None:
        table = self.table(table)
        self._columns[table, new] = self._columns.pop((table, old), old)
