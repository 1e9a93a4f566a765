"""What a revision means on SQLite, which changes a table by building it anew."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import sqlalchemy as sa
from alembic.operations import ops
from sqlalchemy.types import TypeEngine

from sg_migrate.review.findings import Finding, Level, Rule
from sg_migrate.review.revision import Operation, RevisionUnderReview, table_of
from sg_migrate.warehouse.type_change import type_change

CASCADES = Rule(
    "SGM601", Level.DESTRUCTIVE, "A table is rebuilt while foreign keys may be on",
    "Dropping the old table deletes the rows of other tables that refer to it with ON DELETE CASCADE.",
    "Connect with `sg.connect()` in env.py: it turns foreign keys off and checks them before the commit.",
)  # fmt: skip
TRIGGERS = Rule(
    "SGM602", Level.UNSAFE, "A rebuilt table loses its triggers",
    "They are dropped with the old table, and with a stock env.py nothing creates them again.",
    "Pass `**sg.options()` to context.configure() in env.py, or create them again at the end of upgrade().",
)  # fmt: skip
SILENT_CAST = Rule(
    "SGM603", Level.UNSAFE, "SQLite casts without a word",
    "A text, a date or JSON becomes the number that it begins with, in a date column too: '12 frames' is 12, 'none' is"
    " 0, and 2026-01-02 is 2026.",
    "Use op.convert_column, which leaves NULL and keeps the old values.",
)  # fmt: skip
REBUILD = Rule(
    "SGM604", Level.LOCKING, "The whole table is rebuilt",
    "Every row is copied to a new table, and meanwhile nobody else can write to the database.",
    "Run it when nobody loads data.",
    needs="rows",
)  # fmt: skip

RULES = (CASCADES, TRIGGERS, SILENT_CAST, REBUILD)


def check(revision: RevisionUnderReview) -> Iterator[Finding]:
    """Every finding of these rules."""
    if revision.dialect != "sqlite":
        return
    env_py = _env_py(revision)
    ours = _configures(env_py)
    rebuilt = _rebuilt(revision, ours=ours)
    for table, step in rebuilt.items():
        place = {"mark": step.mark(table), "table": table, "line": step.call.line}
        yield REBUILD.finding("a batch builds it anew", **place)
        if not _connects(env_py):
            yield CASCADES.finding("env.py does not connect through sg_migrate", **place)
        names = revision.database.triggers.get(table, []) if revision.database else []
        if names and not ours:
            yield TRIGGERS.finding(f"loses {', '.join(names)}", **place)
    for table in rebuilt:
        yield from _silent_casts(revision, table)


def _rebuilt(revision: RevisionUnderReview, *, ours: bool) -> dict[str, Operation]:
    """Tables that a batch builds anew, with the first operation that makes it necessary.

    What SQLite can do without (adding a plain column, renaming, indexes) is left in place by Alembic's batches; longer
    text types and foreign keys are by ours (`sg_migrate.database.sqlite`), where env.py asks for it (``ours``).
    """
    found: dict[str, Operation] = {}
    for step in revision.steps:
        table = table_of(step.operation)
        in_place = ours and _is_in_place(step.operation)
        if step.call.batch and table not in step.created and _needs_rebuild(step.operation) and not in_place:
            found.setdefault(table, step)
    return found


def _needs_rebuild(operation: object) -> bool:
    """As Alembic's batches decide it; ``SQLiteImpl.requires_recreate_in_batch``."""
    if isinstance(operation, ops.AddColumnOp):
        default = operation.column.server_default
        computed = isinstance(default, sa.Computed) and bool(default.persisted)
        return computed or (isinstance(default, sa.DefaultClause) and isinstance(default.arg, sa.ClauseElement))
    return not isinstance(operation, ops.CreateIndexOp | ops.DropIndexOp | ops.RenameTableOp)


def _is_in_place(operation: object) -> bool:
    """Whether it is no matter of how rows are stored."""
    if isinstance(operation, ops.DropConstraintOp):
        return operation.constraint_type == "foreignkey"
    if not isinstance(operation, ops.AlterColumnOp):
        return isinstance(operation, ops.CreateForeignKeyOp)
    texts = isinstance(operation.modify_type, sa.String) and isinstance(operation.existing_type, sa.String)
    others = operation.modify_name is not None or operation.modify_nullable is not None
    return texts and not others and operation.modify_server_default is False


def _env_py(revision: RevisionUnderReview) -> list[ast.AST]:
    path = Path(revision.project.scripts.dir, "env.py")
    return list(ast.walk(ast.parse(path.read_text(encoding="utf-8"))))


def _connects(env_py: list[ast.AST]) -> bool:
    """Whether env.py takes its connection from `sg_migrate.Environment`."""
    environments = {
        target.id
        for node in env_py
        if isinstance(node, ast.Assign) and isinstance(node.value, ast.Call)
        and getattr(node.value.func, "id", getattr(node.value.func, "attr", "")) == "Environment"
        for target in node.targets
        if isinstance(target, ast.Name)
    }  # fmt: skip
    return any(
        isinstance(node, ast.Call)
        and isinstance(node.func, ast.Attribute)
        and node.func.attr == "connect"
        and isinstance(node.func.value, ast.Name)
        and node.func.value.id in environments
        for node in env_py
    )


def _configures(env_py: list[ast.AST]) -> bool:
    """Whether env.py gives Alembic more options than a connection: those of `sg_migrate.Environment`, presumably."""
    given = [{keyword.arg for keyword in node.keywords} for node in env_py if isinstance(node, ast.Call)]
    return all(None in names for names in given if "connection" in names)


def _becomes_a_number(old: TypeEngine[Any], new: TypeEngine[Any]) -> bool:
    """Whether SQLite casts what it stores as text to what it takes for a number: Alembic spares JSON the cast."""
    stored_as_text = isinstance(old, sa.String | sa.Date | sa.DateTime | sa.JSON)
    return stored_as_text and not isinstance(new, sa.String | sa.JSON) and type_change(old, new) == "convert"


def _silent_casts(revision: RevisionUnderReview, table: str) -> Iterator[Finding]:
    for step, name in revision.on_existing_tables(ops.AlterColumnOp):
        op = step.operation
        assert isinstance(op, ops.AlterColumnOp)
        known = step.column(name, op.column_name)
        old = known.type if known else op.existing_type
        if name == table and old is not None and op.modify_type is not None and _becomes_a_number(old, op.modify_type):
            place = {"mark": step.mark(name, op.column_name), "table": name, "column": op.column_name}
            yield SILENT_CAST.finding(f"{old!r} -> {op.modify_type!r}", line=step.call.line, **place)
