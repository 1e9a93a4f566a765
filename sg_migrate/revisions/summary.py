"""What a revision does, in site terms: the docstring of its file, and the review's first lines."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field

from alembic.operations import MigrateOperation, ops

from sg_migrate.revisions.operations import AlterOp, ConvertColumnOp, GroupOps, RenameOp, flat
from sg_migrate.site.schema import SiteSchema
from sg_migrate.text import clean, shorten
from sg_migrate.warehouse.comments import with_retired
from sg_migrate.warehouse.mapping import columns_for
from sg_migrate.warehouse.state import CATALOG, Mark, State, mark_of


@dataclass(frozen=True, slots=True)
class Change:
    """What happens to one field, or without one to an entity type itself; ``sign`` is ``+``, ``~`` or ``-``."""

    entity_type: str
    field: str
    sign: str
    kind: str
    note: str = ""


@dataclass
class _Facts:
    """What the operations say about one field or entity type."""

    added: str = ""
    was: str = ""
    now: str = ""
    kept_in: list[str] = field(default_factory=list)
    dropped: str = ""
    former_dropped: list[str] = field(default_factory=list)
    renamed: dict[str, tuple[str, str]] = field(default_factory=dict)
    retired: bool | None = None
    back_as: str = ""
    comment: bool = False
    widened: bool = False
    table: bool = False
    fields: int = 0

    def rename(self, thing: str, old: str, new: str) -> None:
        """Note a renaming; several steps count as one."""
        _, first = self.renamed.pop(old, (thing, old))
        self.renamed[new] = (thing, first)


class Summary:
    """The changes that a list of operations makes, by field."""

    def __init__(self, operations: Iterable[MigrateOperation], built: State, model: State) -> None:
        self._built = built
        self._tables = {**built, **model}
        self._facts: dict[tuple[str, str], _Facts] = {}
        self._created: set[str] = set()
        for operation in flat(operations):
            self._read(operation)
        self.comments = sum(1 for facts in self._facts.values() if facts.comment)
        """How many fields or entity types get another display name or description."""

    def _of(self, mark: Mark) -> _Facts:
        return self._facts.setdefault((mark.entity_type, mark.field), _Facts())

    def _read(self, op: MigrateOperation) -> None:
        if isinstance(op, ops.CreateTableOp):
            self._created_table(op)
        elif isinstance(op, ops.AddColumnOp):
            mark = mark_of(op.column)
            if mark is not None:
                self._of(mark).added = mark.data_type
        elif isinstance(op, ConvertColumnOp):
            self._converted(op)
        elif isinstance(op, AlterOp):
            self._altered(op)
        elif isinstance(op, RenameOp):
            self._renamed_table(op)
        elif isinstance(op, ops.DropColumnOp | ops.DropTableOp):
            self._dropped(op)
        elif isinstance(op, ops.CreateTableCommentOp | ops.DropTableCommentOp):
            self._table_comment(op)

    def _created_table(self, op: ops.CreateTableOp) -> None:
        table = op.to_table()
        mark = mark_of(table)
        if mark is None:
            return
        if mark.field:
            self._of(mark).added = mark.data_type
            if mark.entity_type in self._created:
                self._of(Mark(mark.entity_type)).fields += 1
        else:
            self._created.add(mark.entity_type)
            facts = self._of(mark)
            facts.added = "entity type"
            facts.fields += len({m.field for m in map(mark_of, table.columns) if m is not None})

    def _converted(self, op: ConvertColumnOp) -> None:
        facts = self._of(op.new.mark)
        facts.was, facts.now = op.old.mark.data_type, op.new.mark.data_type
        facts.kept_in.append(op.former_name)
        if op.old.retired:
            facts.back_as = _ANOTHER_TYPE

    def _altered(self, op: AlterOp) -> None:
        facts = self._of(op.new.mark)
        facts.widened = facts.widened or op.modify_type is not None
        if op.new.mark.was and not op.old.mark.was:
            facts.was = op.old.mark.data_type
            facts.kept_in.append(op.new.name)
        elif op.modify_name is not None:
            facts.rename("column", op.old.name, op.new.name)
        elif op.old.mark.data_type != op.new.mark.data_type:
            facts.was, facts.now = op.old.mark.data_type, op.new.mark.data_type
        if facts.was and op.old.retired and not op.old.mark.was:
            facts.back_as = _ANOTHER_TYPE
        if op.modify_comment is not False and not op.new.mark.was:
            if op.old.retired != op.new.retired:
                facts.retired = op.new.retired
            else:
                facts.comment = True

    def _renamed_table(self, op: RenameOp) -> None:
        table = self._tables.get(str(op.new_table_name)) or self._tables.get(op.table_name)
        if table is None:
            return
        facts = self._of(table.mark)
        if table.mark.was:
            facts.was = table.mark.data_type
            facts.kept_in.append(table.name)
            if self._built[op.table_name].retired:
                facts.back_as = _ANOTHER_TYPE
        else:
            facts.rename("table", op.table_name, str(op.new_table_name))

    def _dropped(self, op: ops.DropColumnOp | ops.DropTableOp) -> None:
        reverse = op.reverse()
        item = reverse.column if isinstance(reverse, ops.AddColumnOp) else reverse.to_table()
        mark = mark_of(item)
        if mark is not None and mark.was:
            self._of(mark).former_dropped.append(item.name)
        elif mark is not None:
            self._of(mark).dropped = "column" if isinstance(op, ops.DropColumnOp) else "table"

    def _table_comment(self, op: ops.CreateTableCommentOp | ops.DropTableCommentOp) -> None:
        table = self._tables.get(op.table_name)
        if table is None or table.mark.was:
            return
        facts = self._of(table.mark)
        was_retired = (op.existing_comment or "").startswith("[retired]")
        comment = op.comment if isinstance(op, ops.CreateTableCommentOp) else None
        is_retired = (comment or "").startswith("[retired]")
        facts.table = True
        if was_retired != is_retired:
            facts.retired = is_retired
        else:
            facts.comment = True
        before = with_retired(op.existing_comment, False)
        if was_retired and not is_retired and not table.mark.field and before != comment:
            facts.back_as = f'it was called "{clean(before or "")}": its meaning may have changed'

    def changes(self) -> Iterator[Change]:
        """The changes by entity type, the type itself first; comment changes are only counted."""
        for (entity_type, code), facts in sorted(self._facts.items()):
            if code and (entity_type in self._created or self._goes_with_its_type(entity_type, facts)):
                continue
            yield from _changes(entity_type, code, facts)

    def _goes_with_its_type(self, entity_type: str, facts: _Facts) -> bool:
        """Whether the line of the entity type says it already: its link tables retire, return and go with it."""
        whole = self._facts.get((entity_type, ""), _Facts())
        return bool(whole.dropped) or (
            whole.retired is not None
            and facts == _Facts(retired=whole.retired, comment=facts.comment, table=facts.table)
        )


_ANOTHER_TYPE = "it came back with another type: its meaning may have changed"


def _changes(entity_type: str, code: str, facts: _Facts) -> Iterator[Change]:
    former = ", ".join(facts.kept_in)
    if facts.was and (facts.kept_in or facts.was != (facts.now or facts.added)):
        kind = f"{facts.was} -> {facts.now or facts.added}"
        stays = "the column holds longer texts now" if facts.widened else "the column stays as it is"
        note = f"the old values stay in {former}" if former else stays
        yield Change(entity_type, code, "~", kind, "; ".join(filter(None, [note, facts.back_as])))
    elif facts.added and not facts.dropped:
        note = f"{facts.fields} fields" if facts.fields and not code else ""
        yield Change(entity_type, code, "+", facts.added, note)
    for new, (thing, old) in facts.renamed.items():
        yield Change(entity_type, code, "~", f"{thing} {old} is renamed to {new}")
    if facts.retired:
        yield Change(
            entity_type, code, "-", "retired on the site, " + ("kept in the warehouse" if code else "table kept")
        )
    elif facts.retired is False and not facts.was:
        thing = "table" if facts.table else "column"
        yield Change(
            entity_type, code, "+", f"back on the site; the {thing} and its values are still there", facts.back_as
        )
    if facts.dropped:
        yield Change(entity_type, code, "-", f"{facts.dropped} dropped with its values")
    elif facts.former_dropped:
        names = ", ".join(facts.former_dropped)
        yield Change(entity_type, code, "-", f"values of an earlier type dropped: {names}")


def render_summary(summary: Summary, site: SiteSchema, *, first: bool) -> str:
    """The summary as lines of text for a revision's docstring: cleaned, and unable to end the docstring.

    Args:
        summary: the changes.
        site: where display names are looked up.
        first: the first revision of a site is summarised by counts.
    """
    lines = _counts(summary, site) if first else _lines(list(summary.changes()), site)
    if summary.comments:
        lines.append(f"Comments: {summary.comments} display names or descriptions changed")
    text = "\n".join(lines)
    return re.sub(r'"{2,}', lambda match: '\\"' * len(match.group()), text.replace("\\", "\\\\"))


def _counts(summary: Summary, site: SiteSchema) -> list[str]:
    created = [c for c in summary.changes() if c.kind == "entity type" and c.entity_type != CATALOG]
    left_out = Counter(f.data_type for f in site.fields() if f.state == "active" and columns_for(f) is None)
    fields = sum(1 for f in site.fields() if f.state == "active")
    lines = [f"The first revision: {len(created)} entity types, {fields} fields"]
    if left_out:
        kinds = ", ".join(f"{count} {data_type}" for data_type, count in sorted(left_out.items()))
        lines.append(f"Left out, because the API returns nothing of them: {kinds}")
    return lines


def _lines(changes: Sequence[Change], site: SiteSchema) -> list[str]:
    lines: list[str] = []
    entity_type = ""
    width = max((len(change.field) for change in changes), default=0)
    for change in changes:
        if change.entity_type != entity_type:
            entity_type = change.entity_type
            lines.append("The catalog" if entity_type == CATALOG else title(entity_type, site))
        name = _display_name(change, site)
        words = f"{change.field:<{min(width, 30)}}  {change.kind}" if change.field else change.kind
        notes = "; ".join(note for note in (name, change.note) if note)
        lines.append(f"  {change.sign} {words}" + (f"  {notes}" if notes else ""))
    return lines


def title(entity_type: str, site: SiteSchema) -> str:
    """An entity type's name, with its display name where that says more: ``CustomEntity07 "Lens Kit"``."""
    known = site.entity_types.get(entity_type)
    name = shorten(clean(known.name), 60) if known else ""
    plain = re.sub(r"[\W_]", "", name).lower()
    return f'{entity_type} "{name}"' if name and plain != entity_type.replace("_", "").lower() else entity_type


def _display_name(change: Change, site: SiteSchema) -> str:
    known = site.entity_types.get(change.entity_type)
    found = known.fields.get(change.field) if known else None
    return f'"{shorten(clean(found.name), 60)}"' if found and found.name else ""


def titled(groups: Sequence[MigrateOperation], site: SiteSchema) -> None:
    """Give every group of operations the display name of its entity type in its comment line."""
    for group in groups:
        if isinstance(group, GroupOps):
            group.title = title(group.title, site)
