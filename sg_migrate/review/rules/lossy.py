"""Values may change or not convert, or the upgrade may stop at rows that are there."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import sqlalchemy as sa
from alembic.operations import ops
from sqlalchemy.types import TypeEngine

from sg_migrate.conversion.operations import CarryLinksOp, ConvertColumnOp
from sg_migrate.conversion.rules import RULES as CONVERSIONS
from sg_migrate.conversion.rules import ColumnKind, always_converts, kind_of
from sg_migrate.review.findings import Finding, Level, Rule
from sg_migrate.review.revision import Operation, RevisionUnderReview
from sg_migrate.revisions.summary import display_name
from sg_migrate.warehouse.comments import is_comment_of, shown_comment
from sg_migrate.warehouse.transition import Change
from sg_migrate.warehouse.type_change import type_change

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
    "The database casts the old values, each engine in its own way: some change, some no longer fit, some stop the"
    " upgrade.",
    "Use op.convert_column, which keeps the old values; only a longer text or a wider integer is safe in place.",
)  # fmt: skip
NOT_NULL = Rule(
    "SGM204", Level.LOSSY, "A column becomes NOT NULL",
    "Rows without a value stop the upgrade, and the site can send such rows at any time, of mandatory fields too. A new"
    " column stops at any row, or on MySQL and MariaDB is filled with 0 or empty texts that nobody entered.",
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
    "The upgrade writes every row, and locks the table meanwhile. In a table of more than carry_inline_rows rows it"
    " writes none.",
    "Run it when nobody loads data, or set carry_inline_rows lower and run `sg-migrate carry` afterwards.",
)  # fmt: skip

RULES = (
    MAY_NOT_CONVERT, NOT_CARRIED, TYPE_IN_PLACE, NOT_NULL, OTHER_MEANING, OVERWRITES, UNIQUE, ALL_CARRIED
)  # fmt: skip


def check(revision: RevisionUnderReview) -> Iterator[Finding]:
    """Every finding of these rules."""
    for change in revision.transition.changes:
        if change.kind == "converted":
            yield _retyped(revision, change)
    yield from _types_in_place(revision)
    yield from _not_null(revision)
    yield from _other_meaning(revision)
    for step in revision.steps:
        yield from _overwrites(step)
    yield from _unique(revision)


def _retyped(revision: RevisionUnderReview, change: Change) -> Finding:
    """A field that gets another type, with what becomes of its values."""
    assert change.old is not None
    before, after = (mark.data_type if mark else "nothing that is kept" for mark in (change.old, change.new))
    words = f"{before} -> {after}"
    where = f"the old values stay in {', '.join(change.new_names)}"
    kinds, conversion = _carried(revision, change)
    if kinds is None:
        rule, what = NOT_CARRIED, f"{words}; starts empty; {where}"
    elif always_converts(kinds):
        rule, what = ALL_CARRIED, f"{words}; every value converts; {where}"
    else:
        rule, what = MAY_NOT_CONVERT, f"{words}; converts: {CONVERSIONS[kinds].converts}; {where}".replace("`", "")
    return rule.finding(
        what,
        mark=change.old,
        table=change.old_names[0] if change.thing == "table" else change.table,
        column=change.old_names[0] if change.thing == "column" else "",
        line=revision.line_of(change),
        conversion=conversion,
    )


def _carried(
    revision: RevisionUnderReview, change: Change
) -> tuple[tuple[ColumnKind, ColumnKind] | None, tuple[TypeEngine[Any], TypeEngine[Any]] | None]:
    """The kinds of columns that values are carried over between, and the columns' types; links have no types."""
    for step in revision.steps:
        op = step.operation
        if isinstance(op, ConvertColumnOp) and op.former.name in change.new_names and op.new.mark.place == change.place:
            kinds = kind_of(op.old.type), kind_of(op.new.type)
            return (kinds, (op.old.type, op.new.type)) if kinds in CONVERSIONS else (None, None)
        if isinstance(op, CarryLinksOp) and op.mark.place == change.place:
            return (("link", "links") if op.to_table else ("links", "link")), None
    return None, None


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


def _other_meaning(revision: RevisionUnderReview) -> Iterator[Finding]:
    """What was retired before and is in use again, under another type or another display name."""
    for change in revision.transition.changes:
        if not change.was_retired or change.old is None or change.new is None:
            continue
        words = []
        if change.old.data_type != change.new.data_type:
            words.append(f"it was {change.old.data_type}, now it is {change.new.data_type}")
        name = display_name(revision.site, change.entity_type, change.field) or change.field or change.entity_type
        if not is_comment_of(name, change.old_comment, kept=True):
            before = shown_comment(change.old_comment, kept=True)
            words.append(f'it was called "{before}", now "{name}"')
        if words:
            thing = "field" if change.field else "entity type"
            of_table = change.thing == "table"
            yield OTHER_MEANING.finding(
                f"the {thing} came back: {' and '.join(words)}",
                mark=change.old,
                table=change.old_names[0] if of_table else change.table,
                column="" if of_table else change.old_names[0],
            )
