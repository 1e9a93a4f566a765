"""One real database held against what the revisions have built: clashes and drift. Reads, never writes."""

from __future__ import annotations

import warnings
from collections.abc import Iterable
from dataclasses import replace
from typing import Any

import sqlalchemy as sa
from alembic.autogenerate import produce_migrations
from alembic.operations import ops
from alembic.runtime.migration import MigrationContext

from sg_migrate.errors import ClashError
from sg_migrate.revisions.operations import BatchOp, RepairColumnOp, RepairOps, flat
from sg_migrate.revisions.recorder import quiet
from sg_migrate.warehouse.comments import UNSETTLED
from sg_migrate.warehouse.state import State, TableState, to_metadata


def check_clashes(connection: sa.Connection, built: State, model: State) -> None:
    """Raise `ClashError` if something that is not ours stands in the database under a name that the model wants."""
    inspector = sa.inspect(connection)
    built_names = {name.lower() for name in built}
    present = {name.lower() for name in _names(inspector)}
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


def _names(inspector: sa.Inspector) -> list[str]:
    """What stands in the database under a name that no table can have beside it."""
    names = [*inspector.get_table_names(), *inspector.get_view_names()]
    return names + (inspector.get_materialized_view_names() if inspector.dialect.name == "postgresql" else [])


def drift(connection: sa.Connection, built: State) -> list[ops.MigrateOperation]:
    """What it takes to bring the database's owned objects to what was built; nothing of anybody else's.

    Alembic's own comparison does the work; it sees only what the revisions have built. What it gives holds reflected
    types and comments, for messages; `repair` is what a revision may contain.
    """
    metadata = _unmarked({name: as_stored(table, connection.dialect.name) for name, table in built.items()})
    options = {
        "target_metadata": metadata,
        "compare_type": _type_differs,
        "compare_server_default": False,
        "include_name": lambda name, kind, parents: _is_ours(built, name, kind, parents),
    }
    with quiet(), warnings.catch_warnings():
        warnings.filterwarnings("ignore", "Skipped unsupported reflection of expression-based index")  # not ours
        script = produce_migrations(MigrationContext.configure(connection, opts=options), metadata)
    assert script.upgrade_ops is not None
    return [operation for operation in flat(script.upgrade_ops.ops) if not _is_unsettled(operation)]


def _is_unsettled(operation: ops.MigrateOperation) -> bool:
    """Whether it is about a comment that two branches have set: databases may have either."""
    comment = getattr(operation, "modify_comment", getattr(operation, "comment", None))
    return comment == UNSETTLED


def repair(found: Iterable[ops.MigrateOperation], built: State) -> RepairOps:
    """The operations of `drift` as a revision may hold them: with nothing in them that comes from reflection."""

    def mended(op: ops.MigrateOperation) -> ops.MigrateOperation:
        if isinstance(op, ops.AlterColumnOp):
            return RepairColumnOp(op.table_name, built[op.table_name].columns[op.column_name])
        if isinstance(op, ops.CreateTableCommentOp):
            return ops.CreateTableCommentOp(op.table_name, built[op.table_name].comment)
        if isinstance(op, ops.CreateForeignKeyOp):
            return BatchOp(op.source_table, [op])
        return op

    return RepairOps("Repairs of what was changed by hand in the database", [mended(op) for op in found])


def _unmarked(built: State) -> sa.MetaData:
    """The tables without their marks: the fold counts what carries one, and has counted these already."""
    metadata = to_metadata(built)
    for table in metadata.tables.values():
        table.info.clear()
        for column in table.columns:
            column.info.clear()
    return metadata


def _type_differs(context: MigrationContext, _: Any, column: sa.Column[Any], db_type: Any, type_: Any) -> bool | None:
    """Precision, which Alembic's comparison overlooks: ``real`` for ``double precision``, ``DATETIME`` for
    ``DATETIME(6)``. ``None`` leaves the rest to it."""
    kinds = (sa.Double, sa.Double | sa.Float), (sa.DateTime, sa.DateTime)
    if not any(isinstance(type_, kind) and isinstance(db_type, db_kind) for kind, db_kind in kinds):
        return None
    compiler = context.dialect.type_compiler_instance
    return bool(compiler.process(type_) != compiler.process(db_type)) or None


def as_stored(table: TableState, dialect: str) -> TableState:
    """``table`` with its comments as the engine keeps them.

    The catalogs of MySQL and MariaDB are in utf8mb3: a character beyond U+FFFF in a comment becomes a question mark.
    """
    if dialect not in ("mysql", "mariadb"):
        return table

    def stored(comment: str | None) -> str | None:
        return comment and "".join(character if character <= "\uffff" else "?" for character in comment)

    columns = {name: replace(column, comment=stored(column.comment)) for name, column in table.columns.items()}
    return replace(table, columns=columns, comment=stored(table.comment))


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
    if isinstance(operation, ops.DropIndexOp):
        return f"index {operation.index_name} on {operation.table_name} has other columns than were built"
    return " ".join(str(word) for word in operation.to_diff_tuple())


def _describe_column(operation: ops.AlterColumnOp) -> str:
    name = f"column {operation.table_name}.{operation.column_name}"
    if operation.modify_type is not None:
        return f"{name}: built as {operation.modify_type!r}, {operation.existing_type!r} in the database"
    if operation.modify_nullable is not None:
        return f"{name}: built as {'NULL' if operation.modify_nullable else 'NOT NULL'}, not so in the database"
    return f"{name}: comment built {operation.modify_comment!r}, database {operation.existing_comment!r}"
