"""Data is removed, or nobody can tell what happens to it."""

from __future__ import annotations

from collections.abc import Iterator

import sqlalchemy as sa
from alembic.operations import ops

from sg_migrate.review.findings import Finding, Level, Rule
from sg_migrate.review.revision import Operation, RevisionUnderReview
from sg_migrate.warehouse.mark import Mark

DROP_TABLE = Rule(
    "SGM101", Level.DESTRUCTIVE, "A table is dropped with its rows",
    "No downgrade brings the rows back.",
    "Retired entity types keep their tables; decide a real drop with `sg-migrate prune`, and keep a backup.",
)  # fmt: skip
DROP_COLUMN = Rule(
    "SGM102", Level.DESTRUCTIVE, "A column is dropped with its values",
    "No downgrade brings the values back.",
    "Retired fields keep their columns; decide a real drop with `sg-migrate prune`, and keep a backup.",
)  # fmt: skip
NOT_OURS = Rule(
    "SGM103", Level.DESTRUCTIVE, "Something that no revision of the site's tables built is dropped or renamed",
    "It belongs to somebody else: another application, or a person.",
    "Take the operation out, or move it to a revision of its owner's.",
)  # fmt: skip
DOWNGRADE_LOSES = Rule(
    "SGM104", Level.DESTRUCTIVE, "The downgrade drops what the upgrade did not add",
    "Going back would lose data that was there before. Dropping again what the upgrade added is expected and not"
    " reported; op.restore_column refuses by itself when values would be lost.",
    "Let the downgrade undo the upgrade and nothing else.",
)  # fmt: skip
RAW_SQL = Rule(
    "SGM105", Level.DESTRUCTIVE, "Raw SQL cannot be judged",
    "op.execute with a text can do anything, and differs between engines.",
    "Use Alembic's operations or SQLAlchemy expressions; if the text must stay, read it and allow it with a reason.",
)  # fmt: skip
CANNOT_JUDGE = Rule(
    "SGM106", Level.DESTRUCTIVE, "The revision cannot be judged",
    "It asks for a database connection or fails without one, so its operations are unknown; with the line"
    " `sg_digest = ...` the upgrade refuses it.",
    "Write it with Alembic's operations, or take that line out, read it by hand and allow it with a reason.",
)  # fmt: skip
DELETE_ROWS = Rule(
    "SGM107", Level.DESTRUCTIVE, "Rows are deleted",
    "No downgrade brings the rows back.",
    "Leave deleting to whoever loads the data.",
)  # fmt: skip

OLD_VALUES = Rule(
    "SGM108", Level.DESTRUCTIVE, "Values that a field kept from before are dropped",
    "The field itself stays with its present values; no downgrade brings those old ones back.",
    "`sg-migrate prune NAME:LABEL` decided it; keep a backup.",
)  # fmt: skip

RULES = (DROP_TABLE, DROP_COLUMN, NOT_OURS, DOWNGRADE_LOSES, RAW_SQL, CANNOT_JUDGE, DELETE_ROWS, OLD_VALUES)


def check(revision: RevisionUnderReview) -> Iterator[Finding]:
    """Every finding of these rules."""
    for step in revision.steps:
        yield from _drops(revision, step)
        yield from _renames(revision, step)
        yield from _statements(step, downgrade=False)
    for step in revision.downgrade.steps:
        yield from _downgrade_drops(revision, step)
        yield from _statements(step, downgrade=True)
    yield from _cannot_judge(revision)


def _drops(revision: RevisionUnderReview, step: Operation) -> Iterator[Finding]:
    op = step.operation
    if not isinstance(op, ops.DropTableOp | ops.DropColumnOp) or op.table_name in step.created:
        return
    column = op.column_name if isinstance(op, ops.DropColumnOp) else ""
    mark = step.mark(op.table_name, column)
    place = {"mark": mark, "table": op.table_name, "column": column, "line": step.call.line}
    thing = "column" if column else "table"
    if mark is None and revision.ours and not _added_before(revision, step, op.table_name, column):
        yield NOT_OURS.finding(f"{thing} {op.table_name}{'.' if column else ''}{column} is dropped", **place)
    elif mark is not None and mark.former:
        yield OLD_VALUES.finding(
            f"those from when it was {mark.data_type}, in {thing} {column or op.table_name}", **place
        )
    elif column:
        yield DROP_COLUMN.finding(_state(revision, mark) + "dropped with its values", **place)
    else:
        yield DROP_TABLE.finding(_state(revision, mark) + "dropped with its rows", **place)


def _state(revision: RevisionUnderReview, mark: Mark | None) -> str:
    """Whether what goes was still in use on the site: the snapshot knows, and what was built before."""
    if mark is None:
        return ""
    entity_type = revision.site.entity_types.get(mark.entity_type)
    field = entity_type.fields.get(mark.field) if entity_type and mark.field else None
    gone = next((entry for entry in (entity_type, field) if entry and entry.state != "active"), None)
    if gone is not None:
        return f"gone from the site since {gone.since}{' or before' if gone.state == 'dropped' else ''}, "
    return "retired before, " if mark.retired else "still in use on the site, "


def _added_before(revision: RevisionUnderReview, step: Operation, table: str, column: str) -> bool:
    """Whether an earlier operation of the same revision added the column."""
    return any(
        isinstance(earlier.operation, ops.AddColumnOp)
        and (earlier.operation.table_name, earlier.operation.column.name) == (table, column)
        for earlier in revision.steps[: revision.steps.index(step)]
    )


def _renames(revision: RevisionUnderReview, step: Operation) -> Iterator[Finding]:
    op = step.operation
    if not revision.ours:
        return
    if isinstance(op, ops.RenameTableOp) and op.table_name not in step.before and op.table_name not in step.created:
        what = f"table {op.table_name} is renamed to {op.new_table_name}"
        yield NOT_OURS.finding(what, table=op.table_name, line=step.call.line)
    if isinstance(op, ops.AlterColumnOp) and op.modify_name and step.column(op.table_name, op.column_name) is None:
        what = f"column {op.table_name}.{op.column_name} is renamed to {op.modify_name}"
        if op.table_name not in step.created and not _added_before(revision, step, op.table_name, op.column_name):
            yield NOT_OURS.finding(what, table=op.table_name, column=op.column_name, line=step.call.line)


def _statements(step: Operation, *, downgrade: bool) -> Iterator[Finding]:
    op = step.operation
    if not isinstance(op, ops.ExecuteSQLOp):
        return
    statement = op.sqltext
    if isinstance(statement, sa.Delete):
        table = str(getattr(statement.table, "name", ""))
        what = f"rows of {table} are deleted" + ("" if statement.whereclause is not None else ", all of them")
        yield DELETE_ROWS.finding(what, mark=step.mark(table), table=table, line=step.call.line, downgrade=downgrade)
    elif not isinstance(statement, sa.Update | sa.Insert | sa.Select):
        text = " ".join(str(statement).split())
        yield RAW_SQL.finding(text, line=step.call.line, downgrade=downgrade)


def _downgrade_drops(revision: RevisionUnderReview, step: Operation) -> Iterator[Finding]:
    op = step.operation
    if not isinstance(op, ops.DropTableOp | ops.DropColumnOp):
        return
    column = op.column_name if isinstance(op, ops.DropColumnOp) else ""
    mark = step.mark(op.table_name, column)
    if op.table_name in step.created or not revision.added.isdisjoint({(op.table_name, ""), (op.table_name, column)}):
        return
    before = revision.before.get(op.table_name)
    if mark is not None and (before is None or (column and column not in before.columns)):
        return
    what = f"going back drops {op.table_name}{'.' if column else ''}{column}, which the upgrade did not add"
    place = {"mark": mark, "table": op.table_name, "column": column, "line": step.call.line}
    yield DOWNGRADE_LOSES.finding(what, downgrade=True, **place)


def _cannot_judge(revision: RevisionUnderReview) -> Iterator[Finding]:
    if revision.before_problem:
        yield CANNOT_JUDGE.finding(f"what was built before is unknown: {revision.before_problem}")
    if revision.upgrade.problem:
        yield CANNOT_JUDGE.finding(f"upgrade(): {revision.upgrade.problem}")
    if revision.downgrade.problem and not revision.downgrade.refuses:
        yield CANNOT_JUDGE.finding(f"downgrade(): {revision.downgrade.problem}", downgrade=True)
