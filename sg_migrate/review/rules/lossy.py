"""Values may change or not convert, or the upgrade may stop at rows that are there."""

from __future__ import annotations

from collections.abc import Iterator

import sqlalchemy as sa
from alembic.operations import ops

from sg_migrate.conversion.rules import RULES as CONVERSIONS
from sg_migrate.conversion.rules import change
from sg_migrate.review.findings import Finding, Level, Rule
from sg_migrate.review.retypes import Retype, always_converts, retypes
from sg_migrate.review.revision import Step, Subject
from sg_migrate.warehouse.state import ColumnState, Mark, State, TableState

MAY_NOT_CONVERT = Rule(
    "SGM201", Level.LOSSY, "Values that do not convert are NULL under the field's new type",
    "A field got another data type; whoever reads its column sees the converted values only.",
    "Nothing is lost: the old values stay in the column named. Review with --url to count what will not convert.",
)  # fmt: skip
NOT_CARRIED = Rule(
    "SGM202", Level.LOSSY, "A field starts empty under its new type",
    "There is no conversion between the two types, so no value is carried over.",
    "Nothing is lost: the old values stay where the finding says; loading from the site fills the new column.",
)  # fmt: skip
TYPE_IN_PLACE = Rule(
    "SGM203", Level.LOSSY, "A type changes in place",
    "The database casts the old values, each engine in its own way: some change, some stop the upgrade.",
    "Use op.convert_column, which keeps the old values; only a longer text type is safe in place.",
)  # fmt: skip
NOT_NULL = Rule(
    "SGM204", Level.LOSSY, "A column becomes NOT NULL",
    "Rows without a value stop the upgrade, and the site can send such rows at any time; mandatory fields too.",
    "Leave columns of the site nullable.",
)  # fmt: skip
OTHER_MEANING = Rule(
    "SGM205", Level.LOSSY, "A name came back with another meaning",
    "What returns on the site under an old code may be another thing, while the rows keep the old values.",
    "Ask who made it; if it is another thing, have the old values dropped with `sg-migrate prune`.",
)  # fmt: skip
OVERWRITES = Rule(
    "SGM206", Level.LOSSY, "Values are overwritten",
    "No downgrade brings the old values back, and the next load from the site may undo it.",
    "Leave values to whoever loads the data.",
)  # fmt: skip
UNIQUE = Rule(
    "SGM207", Level.LOSSY, "A UNIQUE constraint on a table that has rows",
    "Rows that repeat a value stop the upgrade; retired records on the site repeat names.",
    "Use a plain index.",
)  # fmt: skip
ALL_CARRIED = Rule(
    "SGM208", Level.LOCKING, "Every value is carried over to a new column",
    "Every row of the table is written once; it is locked meanwhile.",
    "Run it when nobody loads data.",
)  # fmt: skip

RULES = (
    MAY_NOT_CONVERT, NOT_CARRIED, TYPE_IN_PLACE, NOT_NULL, OTHER_MEANING, OVERWRITES, UNIQUE, ALL_CARRIED
)  # fmt: skip


def check(subject: Subject) -> Iterator[Finding]:
    """Every finding of these rules."""
    for retype in retypes(subject):
        yield _retyped(retype)
    yield from _types_in_place(subject)
    yield from _not_null(subject)
    yield from _other_meaning(subject)
    for step in subject.steps:
        yield from _overwrites(step)
    yield from _unique(subject)


def _retyped(retype: Retype) -> Finding:
    where = f"the old values stay in {', '.join(retype.kept)}"
    if retype.kinds is None:
        rule, what = NOT_CARRIED, f"{retype.words}; starts empty; {where}"
    elif always_converts(retype.kinds):
        rule, what = ALL_CARRIED, f"{retype.words}; every value converts; {where}"
    else:
        rule, what = (
            MAY_NOT_CONVERT,
            f"{retype.words}; converts: {CONVERSIONS[retype.kinds].converts}; {where}".replace("`", ""),
        )
    return rule.finding(
        what,
        mark=retype.old,
        table=retype.table,
        column=retype.column,
        line=retype.line,
        conversion=retype.conversion,
    )


def _types_in_place(subject: Subject) -> Iterator[Finding]:
    for step, table in subject.on_existing_tables(ops.AlterColumnOp):
        op = step.operation
        assert isinstance(op, ops.AlterColumnOp)
        known = step.column(table, op.column_name)
        old = known.type if known else op.existing_type
        if op.modify_type is None or (old is not None and change(old, op.modify_type) != "convert"):
            continue
        what = f"{old!r} -> {op.modify_type!r} in place" if old is not None else f"becomes {op.modify_type!r} in place"
        yield TYPE_IN_PLACE.finding(
            what,
            mark=step.mark(table, op.column_name),
            table=table,
            column=op.column_name,
            line=step.call.line,
            conversion=(old, op.modify_type) if old is not None else None,
        )


def _not_null(subject: Subject) -> Iterator[Finding]:
    for step, table in subject.on_existing_tables(ops.AlterColumnOp, ops.AddColumnOp):
        op = step.operation
        if isinstance(op, ops.AddColumnOp):
            column, hit = op.column.name, not op.column.nullable and op.column.server_default is None
            what = "a new column is NOT NULL without a default: any row stops the upgrade"
        else:
            assert isinstance(op, ops.AlterColumnOp)
            known = step.column(table, op.column_name)
            column, hit = op.column_name, op.modify_nullable is False and (known is None or known.nullable)
            what = "becomes NOT NULL: a row without a value stops the upgrade"
        if hit:
            place = {"mark": step.mark(table, column) or step.mark(table), "table": table, "column": column}
            yield NOT_NULL.finding(what, line=step.call.line, **place)


def _overwrites(step: Step) -> Iterator[Finding]:
    op = step.operation
    if isinstance(op, ops.ExecuteSQLOp) and isinstance(op.sqltext, sa.Update):
        table = str(getattr(op.sqltext.table, "name", ""))
        what = f"values of {table} are overwritten"
        yield OVERWRITES.finding(what, mark=step.mark(table), table=table, line=step.call.line)


def _unique(subject: Subject) -> Iterator[Finding]:
    for step, table in subject.on_existing_tables(ops.CreateUniqueConstraintOp, ops.CreateIndexOp):
        op = step.operation
        if isinstance(op, ops.CreateIndexOp) and not op.unique:
            continue
        columns = getattr(op, "columns", ())
        names = ", ".join(str(getattr(column, "name", column)) for column in columns)
        yield UNIQUE.finding(f"unique over {names}", mark=step.mark(table), table=table, line=step.call.line)


def _other_meaning(subject: Subject) -> Iterator[Finding]:
    """What was retired before and is in use again, under another type or another display name."""
    after = _active(subject.after)
    for key, (mark, name, table, column) in _retired(subject.before).items():
        if key not in after:
            continue
        now, name_now = after[key]
        words = []
        if mark.data_type != now.data_type:
            words.append(f"it was {mark.data_type}, now it is {now.data_type}")
        if name != name_now:
            words.append(f'it was called "{name}", now "{name_now}"')
        if words:
            thing = "field" if mark.field else "entity type"
            what = f"the {thing} came back: {' and '.join(words)}"
            yield OTHER_MEANING.finding(what, mark=mark, table=table, column=column)


def _retired(state: State) -> dict[tuple[str, str], tuple[Mark, str, str, str]]:
    """What is retired, though not because of its type, by entity type and field; with names of table and column."""
    found: dict[tuple[str, str], tuple[Mark, str, str, str]] = {}
    for table in state.values():
        if table.retired and not table.mark.was:
            key = (table.mark.entity_type, table.mark.field)
            found[key] = (table.mark, display_name(table.comment), table.name, "")
        for column in table.columns.values():
            if column.retired and not column.mark.was:
                key = (column.mark.entity_type, column.mark.field)
                found.setdefault(key, (column.mark, display_name(column.comment), table.name, column.name))
    return found


def _active(state: State) -> dict[tuple[str, str], tuple[Mark, str]]:
    """What is in use, by entity type and field; of a link, the column of the id."""
    found: dict[tuple[str, str], tuple[Mark, str]] = {}
    for table in state.values():
        items: list[TableState | ColumnState] = [c for c in table.columns.values() if c.mark.role in ("", "id")]
        for item in (*items, table):
            if not item.retired:
                found[(item.mark.entity_type, item.mark.field)] = (item.mark, display_name(item.comment))
    return found


def display_name(comment: str | None) -> str:
    """The display name in a comment: what stands before the description."""
    return (comment or "").removeprefix("[retired]").strip().partition(": ")[0]
