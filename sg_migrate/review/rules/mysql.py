"""What a revision means on MySQL and MariaDB."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import sqlalchemy as sa
from alembic.operations import ops
from sqlalchemy.types import TypeEngine

from sg_migrate.conversion.operations import ConvertColumnOp
from sg_migrate.review.findings import Finding, Level, Rule
from sg_migrate.review.revision import RevisionUnderReview, table_of
from sg_migrate.warehouse.state import TableState, type_text

COPIES = Rule(
    "SGM501", Level.LOCKING, "A type change copies the table",
    "MySQL writes every row to a new table (ALGORITHM=COPY), and writers wait.",
    "Run it when nobody loads data.",
    needs="rows",
)  # fmt: skip
NO_ROLLBACK = Rule(
    "SGM502", Level.SAFE, "Several statements, and MySQL cannot roll DDL back",
    "If one fails, those before it stay, and the revision counts as not run.",
    "Nothing to do; if it happens, `sg-migrate resume` finishes the revision.",
)  # fmt: skip
ROW_SIZE = Rule(
    "SGM503", Level.UNSAFE, "A row may grow beyond MySQL's limit",
    "A table may have 1,017 columns; they may take 65,535 bytes, of which a text column takes 12, and 8,126 bytes in a"
    " page, of which a text or a long VARCHAR may take 41. More is refused: the table, or on MariaDB one day a row.",
    "Leave fields out (exclude); or use text columns where the 65,535 bytes are the limit.",
)  # fmt: skip
LOST_COMMENT = Rule(
    "SGM504", Level.UNSAFE, "A changed column loses what is not repeated",
    "MySQL's MODIFY sets the whole column anew: a comment, a NOT NULL or a default that is not given is gone.",
    "Pass existing_comment=, existing_nullable= and existing_server_default=.",
)  # fmt: skip

RULES = (COPIES, NO_ROLLBACK, ROW_SIZE, LOST_COMMENT)

MAX_ROW_BYTES = 65_535
MAX_PAGE_BYTES = 8_126
MAX_COLUMNS = 1_017

_BYTES: tuple[tuple[type[TypeEngine[Any]], int], ...] = (
    (sa.Text, 12), (sa.JSON, 12), (sa.BigInteger, 8), (sa.Integer, 4), (sa.Boolean, 1), (sa.Double, 8),
    (sa.Numeric, 7), (sa.DateTime, 8), (sa.Date, 3),
)  # fmt: skip
"""Bytes in the row by type; what is none of these counts 12."""


def check(revision: RevisionUnderReview) -> Iterator[Finding]:
    """Every finding of these rules."""
    if revision.dialect not in ("mysql", "mariadb"):
        return
    yield from _copies(revision)
    yield from _no_rollback(revision)
    yield from _row_size(revision)
    yield from _lost_comments(revision)


def _copies(revision: RevisionUnderReview) -> Iterator[Finding]:
    for step, table in revision.on_existing_tables(ops.AlterColumnOp):
        op = step.operation
        assert isinstance(op, ops.AlterColumnOp)
        known = step.column(table, op.column_name)
        old = known.type if known else op.existing_type
        if op.modify_type is not None and not _in_place(old, op.modify_type):
            place = {"mark": step.mark(table, op.column_name), "table": table, "column": op.column_name}
            yield COPIES.finding(f"to {op.modify_type!r}", line=step.call.line, **place)


def _in_place(old: object, new: object) -> bool:
    """A longer VARCHAR stays in place while its length takes as many bytes: one up to 255 bytes, else two."""
    if isinstance(old, TypeEngine) and isinstance(new, TypeEngine) and type_text(old) == type_text(new):
        return True
    if not isinstance(old, sa.String) or not isinstance(new, sa.String) or isinstance(old, sa.Text):
        return False
    if isinstance(new, sa.Text) or not old.length or not new.length or new.length < old.length:
        return False
    return (old.length * 4 > 255) == (new.length * 4 > 255)


def _no_rollback(revision: RevisionUnderReview) -> Iterator[Finding]:
    statements = [step for step in revision.steps if not isinstance(step.operation, ops.BulkInsertOp)]
    if len(statements) > 1:
        yield NO_ROLLBACK.finding(f"{len(statements)} operations, each committed by itself")


def _row_size(revision: RevisionUnderReview) -> Iterator[Finding]:
    changed = {table_of(step.operation) for step in revision.steps
               if isinstance(step.operation, ops.CreateTableOp | ops.AddColumnOp | ops.AlterColumnOp
                             | ConvertColumnOp)}  # fmt: skip
    for name in sorted(changed & set(revision.after)):
        table = revision.after[name]
        size = row_bytes(table)
        if size > MAX_ROW_BYTES:
            yield ROW_SIZE.finding(f"{size:,} bytes of {MAX_ROW_BYTES:,}", mark=table.mark, table=name)
        size = page_bytes(table)
        if size > MAX_PAGE_BYTES:
            yield ROW_SIZE.finding(f"{size:,} bytes of {MAX_PAGE_BYTES:,} in a page", mark=table.mark, table=name)
        if len(table.columns) > MAX_COLUMNS:
            what = f"{len(table.columns):,} columns of {MAX_COLUMNS:,}"
            yield ROW_SIZE.finding(what, mark=table.mark, table=name)


def row_bytes(table: TableState) -> int:
    """The bytes that a row may take, as MySQL counts them, in utf8mb4."""
    return sum(_column_bytes(column.type) for column in table.columns.values()) + _null_bytes(table)


def page_bytes(table: TableState) -> int:
    """The bytes that a row may need in its page, as InnoDB counts them: a text is kept elsewhere beyond 40 bytes."""
    return 18 + sum(_bytes_in_page(column.type) for column in table.columns.values()) + _null_bytes(table)


def _null_bytes(table: TableState) -> int:
    return (sum(1 for column in table.columns.values() if column.nullable) + 7) // 8


def _bytes_in_page(type_: TypeEngine[Any]) -> int:
    if isinstance(type_, sa.Text | sa.JSON):
        return 41
    return min(41, _column_bytes(type_))


def _column_bytes(type_: TypeEngine[Any]) -> int:
    if isinstance(type_, sa.String) and not isinstance(type_, sa.Text) and type_.length:
        return type_.length * 4 + (2 if type_.length * 4 > 255 else 1)
    return next((size for kind, size in _BYTES if isinstance(type_, kind)), 12)


def _lost_comments(revision: RevisionUnderReview) -> Iterator[Finding]:
    for step, table in revision.on_existing_tables(ops.AlterColumnOp):
        op = step.operation
        assert isinstance(op, ops.AlterColumnOp)
        known = step.column(table, op.column_name)
        if known is None or not _modifies(op):
            continue
        lost = []
        if known.comment and op.existing_comment is None and op.modify_comment is False:
            lost.append("its comment")
        if not known.nullable and op.existing_nullable is None and op.modify_nullable is None:
            lost.append("its NOT NULL")
        if lost:
            place = {"mark": known.mark, "table": table, "column": op.column_name}
            yield LOST_COMMENT.finding(f"loses {' and '.join(lost)}", line=step.call.line, **place)


def _modifies(op: ops.AlterColumnOp) -> bool:
    """Whether Alembic writes MODIFY or CHANGE; a default alone is set by itself."""
    others = (op.modify_type, op.modify_nullable, op.modify_name)
    return op.modify_comment is not False or any(other is not None for other in others)
