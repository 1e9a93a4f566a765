"""What a revision means on PostgreSQL."""

from __future__ import annotations

import math
import re
from collections.abc import Iterator
from typing import Any

import sqlalchemy as sa
from alembic.operations import ops
from sqlalchemy.types import TypeEngine

from sg_migrate.conversion.operations import ConversionOp
from sg_migrate.review.findings import Finding, Level, Rule
from sg_migrate.review.revision import RevisionUnderReview
from sg_migrate.warehouse.state import type_text
from sg_migrate.warehouse.type_change import text_length

REWRITES = Rule(
    "SGM401", Level.LOCKING, "A type change rewrites the table",
    "PostgreSQL writes every row again and locks the table against readers too.",
    "Run it when nobody reads; or use op.convert_column with carry_inline_rows below the table's number of rows, and"
    " run `sg-migrate carry` afterwards.",
    needs="rows",
)  # fmt: skip
INDEX = Rule(
    "SGM402", Level.LOCKING, "An index is built on a table that has rows",
    "Writers wait until it is built; on most tables that is a moment.",
    "For a table of millions: postgresql_concurrently=True inside `with op.get_context().autocommit_block():`.",
    needs="rows",
)  # fmt: skip
CONCURRENTLY = Rule(
    "SGM403", Level.UNSAFE, "CONCURRENTLY inside a transaction",
    "PostgreSQL refuses it, and the upgrade stops.",
    "Put it inside `with op.get_context().autocommit_block():`, in a revision of its own.",
)  # fmt: skip
VALIDATED = Rule(
    "SGM404", Level.LOCKING, "A constraint is checked against every row at once",
    "Without NOT VALID every row is checked at once, and meanwhile writers of both tables of a foreign key wait, and"
    " readers and writers of a table that gets a CHECK.",
    "Add it with postgresql_not_valid=True, and ALTER TABLE ... VALIDATE CONSTRAINT in a later revision.",
    needs="rows",
)  # fmt: skip
SET_NOT_NULL = Rule(
    "SGM405", Level.LOCKING, "SET NOT NULL scans the table",
    "The table is locked against readers and writers while every row is checked.",
    "Add a CHECK (column IS NOT NULL) NOT VALID and validate it, each in a revision of its own; SET NOT NULL then scans"
    " nothing: allow this finding.",
    needs="rows",
)  # fmt: skip
VOLATILE = Rule(
    "SGM406", Level.LOCKING, "A new column with a default that may be volatile",
    "PostgreSQL computes a volatile default for every row and rewrites the table; of the functions that are not, only"
    " those that tell the time are known here.",
    "Add the column without a default and fill it afterwards.",
    needs="rows",
)  # fmt: skip
NO_TIMEOUT = Rule(
    "SGM407", Level.LOCKING, "No lock timeout is set",
    "While the upgrade waits for its lock, everybody else waits behind it.",
    "Set lock_timeout to a few seconds in the settings, and run the upgrade again when it gives up.",
)  # fmt: skip

RULES = (REWRITES, INDEX, CONCURRENTLY, VALIDATED, SET_NOT_NULL, VOLATILE, NO_TIMEOUT)

_LOCKS = (
    ops.AlterTableOp, ops.DropTableOp, ops.CreateIndexOp, ops.DropIndexOp, ops.AddConstraintOp, ops.DropConstraintOp,
    ConversionOp,
)  # fmt: skip
_STABLE = {"now", "current_timestamp", "current_date", "localtimestamp", "transaction_timestamp", "statement_timestamp"}


def check(revision: RevisionUnderReview) -> Iterator[Finding]:
    """Every finding of these rules."""
    if revision.dialect != "postgresql":
        return
    yield from _rewrites(revision)
    yield from _indexes(revision)
    yield from _constraints(revision)
    yield from _not_null(revision)
    yield from _volatile_defaults(revision)
    yield from _no_timeout(revision)


def _rewrites(revision: RevisionUnderReview) -> Iterator[Finding]:
    for step, table in revision.on_existing_tables(ops.AlterColumnOp):
        op = step.operation
        assert isinstance(op, ops.AlterColumnOp)
        known = step.column(table, op.column_name)
        old = known.type if known else op.existing_type
        if op.modify_type is None or (old is not None and _in_place(old, op.modify_type)):
            continue
        place = {"mark": step.mark(table, op.column_name), "table": table, "column": op.column_name}
        yield REWRITES.finding(f"to {op.modify_type!r}", line=step.call.line, **place)


def _in_place(old: TypeEngine[Any], new: TypeEngine[Any]) -> bool:
    """Whether every value is stored alike: the same type, a longer text, or more digits before the point."""
    if text_length(old) and text_length(new):
        return text_length(new) >= text_length(old)
    if type(old) is type(new) is sa.Numeric and new.scale == old.scale:
        return (new.precision or 0) >= (old.precision or math.inf)
    return type_text(old) == type_text(new)


def _indexes(revision: RevisionUnderReview) -> Iterator[Finding]:
    for step, table in revision.on_existing_tables(ops.CreateIndexOp):
        op = step.operation
        assert isinstance(op, ops.CreateIndexOp)
        columns = [str(getattr(column, "name", column)) for column in op.columns]
        mark = step.mark(table, columns[0]) or step.mark(table)
        place = {"mark": mark, "table": table, "line": step.call.line}
        if not op.kw.get("postgresql_concurrently"):
            yield INDEX.finding(f"index {op.index_name}", **place)
        elif not step.call.autocommit:
            yield CONCURRENTLY.finding(f"index {op.index_name}", **place)
    for step in revision.steps:
        op = step.operation
        if isinstance(op, ops.DropIndexOp) and op.kw.get("postgresql_concurrently") and not step.call.autocommit:
            yield CONCURRENTLY.finding(f"index {op.index_name}", table=op.table_name or "", line=step.call.line)


def _constraints(revision: RevisionUnderReview) -> Iterator[Finding]:
    for step, table in revision.on_existing_tables(ops.CreateForeignKeyOp, ops.CreateCheckConstraintOp):
        op = step.operation
        assert isinstance(op, ops.CreateForeignKeyOp | ops.CreateCheckConstraintOp)
        if not op.kw.get("postgresql_not_valid"):
            name = f"constraint {op.constraint_name}"
            yield VALIDATED.finding(name, mark=step.mark(table), table=table, line=step.call.line)


def _not_null(revision: RevisionUnderReview) -> Iterator[Finding]:
    for step, table in revision.on_existing_tables(ops.AlterColumnOp):
        op = step.operation
        assert isinstance(op, ops.AlterColumnOp)
        if op.modify_nullable is False:
            mark = step.mark(table, op.column_name)
            yield SET_NOT_NULL.finding(
                "every row is checked", mark=mark, table=table, column=op.column_name, line=step.call.line
            )


def _volatile_defaults(revision: RevisionUnderReview) -> Iterator[Finding]:
    for step, table in revision.on_existing_tables(ops.AddColumnOp):
        op = step.operation
        assert isinstance(op, ops.AddColumnOp)
        functions = _functions(op.column.server_default)
        if functions - _STABLE:
            what = f"default {', '.join(sorted(functions - _STABLE))}()"
            mark = step.mark(table)
            yield VOLATILE.finding(what, mark=mark, table=table, column=op.column.name, line=step.call.line)


def _functions(default: object) -> set[str]:
    """The names of the functions that a server default calls; a sequence or identity counts as ``nextval``."""
    if default is None:
        return set()
    if isinstance(default, sa.Identity | sa.Sequence):
        return {"nextval"}
    if isinstance(default, sa.DefaultClause):
        text = re.sub(r"'(?:[^']|'')*'", "", str(default.arg))
        return {name.lower() for name in re.findall(r"(\w+)\s*\(", text)}
    return set()


def _no_timeout(revision: RevisionUnderReview) -> Iterator[Finding]:
    if revision.project.settings.lock_timeout == 0 and any(revision.on_existing_tables(*_LOCKS)):
        yield NO_TIMEOUT.finding("lock_timeout = 0 in the settings")
