"""Fields whose data type changes: told by the built states before and after, however the revision is written."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import Any

from sqlalchemy.types import TypeEngine

from sg_migrate.conversion.rules import RULES as CONVERSIONS
from sg_migrate.conversion.rules import Kind, kind_of
from sg_migrate.review.revision import Subject
from sg_migrate.revisions.operations import CarryLinksOp, ConvertColumnOp
from sg_migrate.warehouse.state import ColumnState, Mark, TableState


@dataclass(frozen=True, slots=True)
class Retype:
    """A field with another data type: ``old`` and ``new`` are marks; the old values stay under the ``kept`` names.

    ``kinds`` are those of the columns where values are carried over, and ``conversion`` both columns' types: links
    have no types.
    """

    old: Mark
    new: Mark | None
    table: str
    column: str
    kept: tuple[str, ...]
    line: int | None = None
    kinds: tuple[Kind, Kind] | None = None
    conversion: tuple[TypeEngine[Any], TypeEngine[Any]] | None = None

    @property
    def words(self) -> str:
        """``text -> number``."""
        return f"{self.old.data_type} -> {self.new.data_type if self.new else 'nothing that is kept'}"


def retypes(subject: Subject) -> Iterator[Retype]:
    """The fields whose former column or table the revision makes, one each."""
    found: dict[tuple[str, str, str], list[tuple[TableState, ColumnState | None, str]]] = {}
    for table, column, old_name in _becoming_former(subject):
        mark = column.mark if column else table.mark
        found.setdefault((mark.entity_type, mark.field, mark.data_type), []).append((table, column, old_name))
    for (entity_type, code, data_type), items in sorted(found.items()):
        table, column, old_name = items[0]
        new = _active_mark(subject, entity_type, code)
        kept = tuple(item.name if item else owner.name for owner, item, _ in items)
        yield _carried(
            subject,
            Retype(
                Mark(entity_type, code, data_type),
                new,
                _name_before(subject, table) if column else old_name,
                old_name if column else "",
                kept,
            ),
        )


def _becoming_former(subject: Subject) -> Iterator[tuple[TableState, ColumnState | None, str]]:
    """Columns and tables that keep an earlier type's values from this revision on, with their names before it."""
    for table in subject.after.values():
        before = _before(subject, table)
        if table.mark.was:
            old = next((t for t in subject.before.values() if t.mark == _without_was(table.mark)), None)
            if old is not None and table.name not in subject.before:
                yield table, None, old.name
            continue
        for column in table.columns.values():
            if column.mark.was and before is not None and column.name not in before.columns:
                names = [c.name for c in before.columns.values() if c.mark == _without_was(column.mark)]
                yield table, column, names[0] if names else column.name


def _before(subject: Subject, table: TableState) -> TableState | None:
    same = (t for t in subject.before.values() if t.mark == table.mark and not t.mark.was)
    return next(same, None)


def _name_before(subject: Subject, table: TableState) -> str:
    before = _before(subject, table)
    return before.name if before else table.name


def _without_was(mark: Mark) -> Mark:
    return Mark(mark.entity_type, mark.field, mark.data_type, mark.role)


def _active_mark(subject: Subject, entity_type: str, code: str) -> Mark | None:
    for table in subject.after.values():
        for mark in (table.mark, *(column.mark for column in table.columns.values())):
            if (mark.entity_type, mark.field) == (entity_type, code) and not mark.was:
                return mark
    return None


def _carried(subject: Subject, retype: Retype) -> Retype:
    """With the line of the operation that keeps the old values, and with the kinds if another carries them over."""
    former = retype.kept[0]
    for step in subject.steps:
        op = step.operation
        if isinstance(op, ConvertColumnOp) and op.former_name == former and op.new.mark == retype.new:
            kinds = kind_of(op.old.type), kind_of(op.new.type)
            if kinds not in CONVERSIONS:
                return replace(retype, line=step.call.line)
            return replace(retype, line=step.call.line, kinds=kinds, conversion=(op.old.type, op.new.type))
        if isinstance(op, CarryLinksOp) and op.mark.key[:2] == retype.old.key[:2]:
            kinds = ("link", "links") if op.to_table else ("links", "link")
            retype = replace(retype, kinds=kinds)
        elif former in (getattr(op, "modify_name", None), getattr(op, "new_table_name", None)):
            retype = replace(retype, line=step.call.line)
    return retype


_ALWAYS: frozenset[tuple[Kind, Kind]] = frozenset(
    {
        ("integer", "text"), ("integer", "double"), ("integer", "money"), ("money", "text"), ("money", "double"),
        ("boolean", "text"), ("boolean", "integer"), ("boolean", "double"), ("boolean", "money"), ("date", "text"),
        ("date", "timestamp"), ("timestamp", "text"), ("link", "links"),
    }
)  # fmt: skip
"""Between these kinds of columns every value converts and keeps what it says; a moment loses its time as a date."""


def always_converts(kinds: tuple[Kind, Kind]) -> bool:
    """Whether every value converts and says the same afterwards."""
    return kinds in _ALWAYS
