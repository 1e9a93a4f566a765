"""What becomes of values: carried over, changed, or in the way of the upgrade."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import sqlalchemy as sa
from alembic.operations import ops
from sqlalchemy.types import TypeEngine

from sg_migrate.conversion.operations import CarryLinksOp, ConvertColumnOp
from sg_migrate.conversion.rules import RULES as CONVERSIONS
from sg_migrate.conversion.rules import ColumnKind, always_converts, kind_of
from sg_migrate.review.earlier_values import earlier_values
from sg_migrate.review.findings import Finding, Level, Rule
from sg_migrate.review.revision import Operation, RevisionUnderReview
from sg_migrate.warehouse.transition import Change
from sg_migrate.warehouse.type_change import type_change

ALL_CARRIED = Rule(
    "SGM208", Level.LOCKING, "Every value is carried over to a new column",
    "The upgrade writes every row, and locks the table meanwhile. In a table of more than carry_inline_rows rows it"
    " writes none.",
    "Run it when nobody loads data, or set carry_inline_rows lower and run `sg-migrate carry` afterwards.",
    needs="values",
)  # fmt: skip
MAY_NOT_CONVERT = Rule(
    "SGM201", Level.VISIBLE, "Values change or do not convert under the field's new type",
    "A field got another data type; whoever reads its column sees the converted values only.",
    "Nothing is lost: the old values stay in the column named. Tell whoever reads the field.",
    needs="values",
    if_all_convert=ALL_CARRIED,
)  # fmt: skip
NOT_CARRIED = Rule(
    "SGM202", Level.VISIBLE, "A field starts empty under its new type",
    "There is no conversion between the two types, so no value is carried over.",
    "Nothing is lost: the old values stay where the finding says; loading from the site fills the new column.",
    needs="values",
)  # fmt: skip
TYPE_IN_PLACE = Rule(
    "SGM203", Level.UNSAFE, "A type changes in place",
    "The database casts the old values, each engine in its own way: some change, some no longer fit, some stop the"
    " upgrade.",
    "Use op.convert_column, which keeps the old values; only a longer text or a wider integer is safe in place.",
)  # fmt: skip
NOT_NULL = Rule(
    "SGM204", Level.UNSAFE, "A column becomes NOT NULL",
    "Rows without a value stop the upgrade, and the site can send such rows at any time, of mandatory fields too. A new"
    " column stops at any row, or on MySQL and MariaDB is filled with 0 or empty texts that nobody entered.",
    "Leave columns of the site nullable.",
)  # fmt: skip
OVERWRITES = Rule(
    "SGM206", Level.UNSAFE, "Values are overwritten",
    "No downgrade brings the old values back, and the next load from the site may undo it.",
    "Leave values to whoever loads the data.",
)  # fmt: skip
UNIQUE = Rule(
    "SGM207", Level.UNSAFE, "A UNIQUE constraint on a table that has rows",
    "Rows that repeat a value stop the upgrade; retired records on the site repeat names.",
    "Use a plain index.",
)  # fmt: skip
SET_ASIDE = Rule(
    "SGM211", Level.VISIBLE, "The values of a field are set aside",
    "`sg-migrate set-aside` asked for it: the field starts empty, and whoever reads its column sees no old value.",
    "Nothing is lost: the old values stay in the column named, and the downgrade puts them back.",
    needs="values",
)  # fmt: skip
EARLIER_VALUES = Rule(
    "SGM212", Level.SAFE, "The values that a field had under this type before are still there",
    "It had the type before, and what it held then stayed in a column of its own.",
    "To have them back where the field is empty now, run the statement after the upgrade.",
    needs="values",
)  # fmt: skip

RULES = (
    MAY_NOT_CONVERT, NOT_CARRIED, TYPE_IN_PLACE, NOT_NULL, OVERWRITES, UNIQUE, ALL_CARRIED, SET_ASIDE, EARLIER_VALUES
)  # fmt: skip


def check(revision: RevisionUnderReview) -> Iterator[Finding]:
    """Every finding of these rules."""
    for change in revision.transition.changes:
        if change.kind == "converted":
            yield _retyped(revision, change)
            yield from _earlier_values(revision, change)
        elif change.kind == "set_aside":
            yield SET_ASIDE.finding(_where(change), **_place(revision, change))
    yield from _types_in_place(revision)
    yield from _not_null(revision)
    for step in revision.steps:
        yield from _overwrites(step)
    yield from _unique(revision)


def _where(change: Change) -> str:
    return f"the old values stay in {', '.join(change.new_names)}"


def _place(revision: RevisionUnderReview, change: Change) -> dict[str, Any]:
    """Where the values are before the upgrade."""
    return {
        "mark": change.old,
        "table": change.old_names[0] if change.thing == "table" else change.table,
        "column": change.old_names[0] if change.thing == "column" else "",
        "line": revision.line_of(change),
    }


def _retyped(revision: RevisionUnderReview, change: Change) -> Finding:
    """A field that gets another type, with what becomes of its values."""
    before, after = (mark.data_type if mark else "nothing that is kept" for mark in (change.old, change.new))
    words, where = f"{before} -> {after}", _where(change)
    kinds, carried = _carried(revision, change)
    if kinds == ("timestamp", "date"):
        carried = {}  # every moment converts and loses its time of day: a count of what does not would hide that
    if kinds is None:
        rule, what = NOT_CARRIED, f"{words}; starts empty; {where}"
    elif always_converts(kinds):
        rule, what = ALL_CARRIED, f"{words}; every value converts; {where}"
    else:
        rule, what = MAY_NOT_CONVERT, f"{words}; converts: {CONVERSIONS[kinds].converts}; {where}".replace("`", "")
    return rule.finding(what, **_place(revision, change), **carried)


def _carried(
    revision: RevisionUnderReview, change: Change
) -> tuple[tuple[ColumnKind, ColumnKind] | None, dict[str, Any]]:
    """The kinds of columns that values are carried over between, and what a database needs to count them."""
    for step in revision.steps:
        op = step.operation
        if isinstance(op, ConvertColumnOp) and op.former.name in change.new_names and op.new.mark.place == change.place:
            kinds = kind_of(op.old.type), kind_of(op.new.type)
            return (kinds, {"conversion": (op.old.type, op.new.type)}) if kinds in CONVERSIONS else (None, {})
        if isinstance(op, CarryLinksOp) and op.mark.place == change.place:
            return (("link", "links") if op.to_table else ("links", "link")), {"links": op.carry_over()}
    return None, {}


def _earlier_values(revision: RevisionUnderReview, change: Change) -> Iterator[Finding]:
    """What the field kept of a time when it had the type that it gets now; of several the last."""
    found = earlier_values(revision.after, change)
    if found is not None:
        old = change.new.data_type if change.new else ""
        yield EARLIER_VALUES.finding(
            f"those from when it was {old} before are in {', '.join(found.names)}",
            mark=change.new,
            table=found.table,
            column=found.column,
            statement=found.statement(revision.dialect),
        )


def _types_in_place(revision: RevisionUnderReview) -> Iterator[Finding]:
    for step, table in revision.on_existing_tables(ops.AlterColumnOp):
        op = step.operation
        assert isinstance(op, ops.AlterColumnOp)
        known = step.column(table, op.column_name)
        old = known.type if known else op.existing_type
        if op.modify_type is None or (old is not None and _holds(op.modify_type, old)):
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


def _holds(new: TypeEngine[Any], old: TypeEngine[Any]) -> bool:
    """Whether a column of the new type can hold every value of the old one, as it is."""
    if isinstance(new, sa.String) and isinstance(old, sa.String) and new.length and not isinstance(new, sa.Text):
        return old.length is not None and new.length >= old.length
    return type_change(old, new) != "convert"


def _not_null(revision: RevisionUnderReview) -> Iterator[Finding]:
    for step, table in revision.on_existing_tables(ops.AlterColumnOp, ops.AddColumnOp):
        op = step.operation
        if isinstance(op, ops.AddColumnOp):
            column, hit = op.column.name, not op.column.nullable and op.column.server_default is None
            what = "a new column is NOT NULL without a default"
        else:
            assert isinstance(op, ops.AlterColumnOp)
            known = step.column(table, op.column_name)
            column, hit = op.column_name, op.modify_nullable is False and (known is None or known.nullable)
            what = "becomes NOT NULL: a row without a value stops the upgrade"
        if hit:
            place = {"mark": step.mark(table, column) or step.mark(table), "table": table, "column": column}
            yield NOT_NULL.finding(what, line=step.call.line, **place)


def _overwrites(step: Operation) -> Iterator[Finding]:
    op = step.operation
    if isinstance(op, ops.ExecuteSQLOp) and isinstance(op.sqltext, sa.Update):
        table = str(getattr(op.sqltext.table, "name", ""))
        what = f"values of {table} are overwritten"
        yield OVERWRITES.finding(what, mark=step.mark(table), table=table, line=step.call.line)


def _unique(revision: RevisionUnderReview) -> Iterator[Finding]:
    for step, table in revision.on_existing_tables(ops.CreateUniqueConstraintOp, ops.CreateIndexOp):
        op = step.operation
        if isinstance(op, ops.CreateIndexOp) and not op.unique:
            continue
        columns = getattr(op, "columns", ())
        names = ", ".join(str(getattr(column, "name", column)) for column in columns)
        yield UNIQUE.finding(f"unique over {names}", mark=step.mark(table), table=table, line=step.call.line)
