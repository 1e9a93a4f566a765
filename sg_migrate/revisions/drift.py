"""One real database held against what the revisions have built: clashes and drift. Reads, never writes."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace
from typing import Any

import sqlalchemy as sa
from alembic.autogenerate import produce_migrations
from alembic.operations import ops
from alembic.runtime.migration import MigrationContext

from sg_migrate.errors import ClashError
from sg_migrate.revisions.operations import flat
from sg_migrate.revisions.recorder import quiet
from sg_migrate.warehouse.state import State, TableState, to_metadata


def check_clashes(connection: sa.Connection, built: State, model: State) -> None:
    """Raise `ClashError` if something that is not ours stands in the database under a name that the model wants."""
    inspector = sa.inspect(connection)
    built_names = {name.lower() for name in built}
    present = {name.lower() for name in (*inspector.get_table_names(), *inspector.get_view_names())}
    tables = [name for name in model if name.lower() in present - built_names]
    columns = []
    ours = {table.mark: table for table in built.values()}
    for table in model.values():
        old = ours.get(table.mark)
        if old is None or old.name.lower() not in present:
            continue
        known = {name.lower() for name in old.columns}
        foreign = {column["name"].lower() for column in inspector.get_columns(old.name)} - known
        columns += [f"{table.name}.{name}" for name in table.columns if name.lower() in foreign]
    if tables or columns:
        raise ClashError(tables, columns)


def drift(connection: sa.Connection, built: State) -> ops.UpgradeOps:
    """What it takes to bring the database's owned objects to what was built; nothing of anybody else's.

    Alembic's own comparison does the work; it sees only what the revisions have built.
    """
    metadata = to_metadata({name: _without_marks(table) for name, table in built.items()})
    options = {
        "target_metadata": metadata,
        "compare_type": True,
        "compare_server_default": False,
        "include_name": lambda name, kind, parents: _is_ours(built, name, kind, parents),
    }
    with quiet():
        script = produce_migrations(MigrationContext.configure(connection, opts=options), metadata)
    assert script.upgrade_ops is not None
    for operation in flat(script.upgrade_ops.ops):
        if isinstance(operation, ops.AlterColumnOp):  # a revision takes nothing from reflection
            column = built[operation.table_name].columns[operation.column_name]
            operation.existing_type, operation.existing_nullable = column.type, column.nullable
    return script.upgrade_ops


def _without_marks(table: TableState) -> TableState:
    """The fold counts what carries a mark: a repair restores what is counted already."""
    return replace(table, columns=dict(table.columns))


def _is_ours(built: State, name: str | None, kind: str, parents: Any) -> bool:
    if kind == "schema":
        return name is None
    table = built.get(name if kind == "table" and name else parents.get("table_name") or "")
    if table is None or kind == "table":
        return table is not None
    names: Iterable[str] = {
        "column": table.columns,
        "index": table.indexes,
        "foreign_key_constraint": table.foreign_keys,
    }.get(kind, ())
    return name is not None and name in names


def describe(operation: ops.MigrateOperation) -> str:
    """A difference as one line that names both sides."""
    if isinstance(operation, ops.AddColumnOp):
        return f"column {operation.table_name}.{operation.column.name} was built and is missing in the database"
    if isinstance(operation, ops.CreateTableOp):
        return f"table {operation.table_name} was built and is missing in the database"
    if isinstance(operation, ops.CreateIndexOp):
        return f"index {operation.index_name} on {operation.table_name} was built and is missing in the database"
    if isinstance(operation, ops.CreateForeignKeyOp):
        return f"foreign key {operation.constraint_name} of {operation.source_table} is missing in the database"
    if isinstance(operation, ops.CreateTableCommentOp | ops.DropTableCommentOp):
        built = operation.comment if isinstance(operation, ops.CreateTableCommentOp) else None
        return f"comment of table {operation.table_name}: built {built!r}, database {operation.existing_comment!r}"
    if isinstance(operation, ops.AlterColumnOp):
        return _describe_column(operation)
    return " ".join(str(word) for word in operation.to_diff_tuple())


def _describe_column(operation: ops.AlterColumnOp) -> str:
    name = f"column {operation.table_name}.{operation.column_name}"
    if operation.modify_type is not None:
        return f"{name}: built as {operation.modify_type!r}, another type in the database"
    if operation.modify_nullable is not None:
        return f"{name}: built as {'NULL' if operation.modify_nullable else 'NOT NULL'}, not so in the database"
    return f"{name}: comment built {operation.modify_comment!r}, database {operation.existing_comment!r}"
