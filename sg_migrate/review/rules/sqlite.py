"""What a revision means on SQLite, which changes a table by building it anew."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from pathlib import Path

import sqlalchemy as sa
from alembic.operations import ops

from sg_migrate.review.findings import Finding, Level, Rule
from sg_migrate.review.revision import Operation, RevisionUnderReview, table_of

CASCADES = Rule(
    "SGM601", Level.DESTRUCTIVE, "A table is rebuilt while foreign keys may be on",
    "Dropping the old table deletes the rows of other tables that refer to it with ON DELETE CASCADE.",
    "Connect with `sg.connect()` in env.py: it turns foreign keys off and checks them before the commit.",
)  # fmt: skip
TRIGGERS = Rule(
    "SGM602", Level.LOSSY, "A rebuilt table loses its triggers",
    "They are dropped with the old table, and nothing creates them again.",
    "Create them again at the end of upgrade().",
)  # fmt: skip
SILENT_CAST = Rule(
    "SGM603", Level.LOSSY, "SQLite casts without a word",
    "A text in a number column becomes whatever it begins with: '12 frames' is 12, 'none' is 0.",
    "Use op.convert_column, which leaves NULL and keeps the old values.",
)  # fmt: skip
REBUILD = Rule(
    "SGM604", Level.LOCKING, "The whole table is rebuilt",
    "Every row is copied to a new table, and the database is locked meanwhile.",
    "Run it when nobody loads data.",
)  # fmt: skip

RULES = (CASCADES, TRIGGERS, SILENT_CAST, REBUILD)


def check(revision: RevisionUnderReview) -> Iterator[Finding]:
    """Every finding of these rules."""
    if revision.dialect != "sqlite":
        return
    rebuilt = _rebuilt(revision)
    for table, step in rebuilt.items():
        place = {"mark": step.mark(table), "table": table, "line": step.call.line}
        yield REBUILD.finding("a batch builds it anew", **place)
        if not _connects_safely(revision):
            yield CASCADES.finding("env.py does not connect through sg_migrate", **place)
        names = revision.database.triggers.get(table, []) if revision.database else []
        if names:
            yield TRIGGERS.finding(f"loses {', '.join(names)}", **place)
    for table in rebuilt:
        yield from _silent_casts(revision, table)


def _rebuilt(revision: RevisionUnderReview) -> dict[str, Operation]:
    """Tables that a batch builds anew, with the first operation that makes it necessary.

    What SQLite can do without (adding a plain column, renaming, indexes) is left in place by Alembic's batches.
    """
    found: dict[str, Operation] = {}
    for step in revision.steps:
        table = table_of(step.operation)
        if step.call.batch and table not in step.created and _needs_rebuild(step.operation):
            found.setdefault(table, step)
    return found


def _needs_rebuild(operation: object) -> bool:
    return not isinstance(operation, ops.AddColumnOp | ops.CreateIndexOp | ops.DropIndexOp | ops.RenameTableOp)


def _connects_safely(revision: RevisionUnderReview) -> bool:
    """Whether env.py takes its connection from `sg_migrate.Environment`."""
    path = Path(revision.project.scripts.dir, "env.py")
    tree = ast.parse(path.read_text(encoding="utf-8"))
    environments = {
        target.id
        for node in ast.walk(tree)
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
        for node in ast.walk(tree)
    )


def _silent_casts(revision: RevisionUnderReview, table: str) -> Iterator[Finding]:
    for step, name in revision.on_existing_tables(ops.AlterColumnOp):
        op = step.operation
        assert isinstance(op, ops.AlterColumnOp)
        known = step.column(name, op.column_name)
        old = known.type if known else op.existing_type
        if name == table and isinstance(old, sa.String) and not isinstance(op.modify_type, sa.String | None):
            place = {"mark": step.mark(name, op.column_name), "table": name, "column": op.column_name}
            yield SILENT_CAST.finding(f"{old!r} -> {op.modify_type!r}", line=step.call.line, **place)
