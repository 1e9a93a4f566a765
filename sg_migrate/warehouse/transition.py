"""From one state of the warehouse to another: which table and column became which, and what that means for the site.

The one place that matches two states. The plan turns a transition into operations; the summary, the message, the
review and the reports render its changes; for a revision that a person wrote it is made of the states around it.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from functools import cached_property
from typing import Generic, Literal, TypeAlias, TypeVar

from sg_migrate.warehouse.comments import name_in
from sg_migrate.warehouse.mark import CATALOG, Mark
from sg_migrate.warehouse.state import ColumnState, State, TableState

ChangeKind: TypeAlias = Literal[
    "added", "converted", "set_aside", "retyped", "renamed", "display_name", "retired", "revived", "dropped", "pruned",
    "comment",
]  # fmt: skip
"""What happens to a field or an entity type:

``added``: it gets a table or columns; ``converted``: it gets another type, and the old values are kept beside the new;
``set_aside``: a person had its values kept elsewhere, and it starts empty; ``retyped``: it gets another type, and its
column stays; ``renamed``: its table or column gets another name; ``display_name``: the site calls it something else;
``retired`` and ``revived``: the site has it no longer, or again; ``dropped``: its table or columns go with their
values; ``pruned``: kept values of an earlier type go; ``comment``: its description changes.
"""

_T = TypeVar("_T", TableState, ColumnState)
Key: TypeAlias = tuple[str, str, str, str]


@dataclass(frozen=True, slots=True)
class Pair(Generic[_T]):
    """A table or a column before and after; ``None`` where there is none."""

    old: _T | None
    new: _T | None

    @property
    def either(self) -> _T:
        """What it is after, or where it goes what it was."""
        found = self.new or self.old
        assert found is not None
        return found

    @property
    def becomes_former(self) -> bool:
        """Whether it only keeps values of an earlier type from now on."""
        return self.old is not None and self.new is not None and self.new.mark.former != self.old.mark.former


@dataclass(frozen=True, slots=True)
class TablePair(Pair[TableState]):
    """A table before and after, with its columns."""

    columns: tuple[Pair[ColumnState], ...] = ()

    @property
    def conversions(self) -> list[tuple[Pair[ColumnState], ColumnState]]:
        """The columns that become former ones, each with the new column that takes over from it."""
        new = {pair.new.mark.key: pair.new for pair in self.columns if pair.new and not pair.old}
        keys = [(pair, (*pair.new.mark.key[:3], "")) for pair in self.columns if pair.new and pair.becomes_former]
        return [(pair, new[key]) for pair, key in keys if key in new]

    @property
    def renamed_columns(self) -> Mapping[str, str]:
        """The names after by the names before, of all columns that stay."""
        return {pair.old.name: pair.new.name for pair in self.columns if pair.old and pair.new}


@dataclass(frozen=True, slots=True)
class LinkMove:
    """The links of a field that go from two columns to a link table, or back."""

    mark: Mark
    table: str
    id_column: str
    type_column: str
    link_table: str
    to_table: bool


@dataclass(frozen=True, slots=True)
class Change:
    """What happens to one field, or with an empty ``field`` to an entity type itself.

    Attributes:
        kind: what happens.
        entity_type: its code.
        field: the field's code.
        old: the mark before, if there was one.
        new: the mark after, if there is one.
        thing: what holds it: ``column`` or ``table``.
        old_names: the names of its columns, or of its table, before; of what is added none.
        new_names: the names after; of what is converted those that keep the old values.
        was_retired: the site did not have it before.
        old_comment: the comment before.
        new_comment: the comment after.
        fields: how many fields a new entity type has.
        widened: the column holds longer texts now.
    """

    kind: ChangeKind
    entity_type: str
    field: str = ""
    old: Mark | None = None
    new: Mark | None = None
    thing: Literal["column", "table"] = "column"
    old_names: tuple[str, ...] = ()
    new_names: tuple[str, ...] = ()
    was_retired: bool = False
    old_comment: str | None = None
    new_comment: str | None = None
    fields: int = 0
    widened: bool = False
    table: str = ""
    """The entity type's own table before, or where there was none after."""

    @property
    def place(self) -> str:
        """``Shot`` or ``Shot.sg_cut_in``."""
        return f"{self.entity_type}.{self.field}" if self.field else self.entity_type

    @property
    def old_display_name(self) -> str:
        """What the site called it before, as the comment has it; empty where that is not known."""
        return name_in(self.old_comment, kept=self.old.kept if self.old else False)

    @property
    def new_display_name(self) -> str:
        """What the site calls it, as the comment has it; empty where that is not known."""
        return name_in(self.new_comment, kept=self.new.kept if self.new else False)


@dataclass(frozen=True)
class Transition:
    """Two states with what became of what; see `transition`."""

    before: State
    after: State
    tables: tuple[TablePair, ...]

    @cached_property
    def changes(self) -> tuple[Change, ...]:
        """The changes in site terms, by entity type and field; the entity type itself first."""
        return tuple(_changes(self))

    @cached_property
    def link_moves(self) -> tuple[LinkMove, ...]:
        """The links that move between columns and link tables."""
        return tuple(_link_moves(self.tables))


def transition(before: State, after: State) -> Transition:
    """Match two states by their marks; pure.

    What becomes a former table or column is found by its label, which is new, and by its data type. New and changed
    tables come in the order of ``after``, those that go behind them.
    """
    return Transition(before, after, tuple(_table_pairs(before, after)))


def _table_pairs(before: State, after: State) -> Iterator[TablePair]:
    for pair in _pairs(before.values(), after.values()):
        if pair.old is pair.new:
            yield TablePair(pair.old, pair.new)
            continue
        old = pair.old.columns.values() if pair.old else ()
        new = pair.new.columns.values() if pair.new else ()
        yield TablePair(pair.old, pair.new, tuple(_pairs(old, new)))


def _pairs(before: Iterable[_T], after: Iterable[_T]) -> Iterator[Pair[_T]]:
    current: dict[Key, _T] = {old.mark.key: old for old in before}
    after = list(after)
    become = dict(_becoming_former(after, current))
    formers = {source: key for key, source in become.items()}
    for item in after:
        key: Key = item.mark.key
        source = become.get(key, key)
        found = current.get(source)
        if found is not None and key in become and found.mark.data_type != item.mark.data_type:
            found = None
        elif found is not None and key not in become and source in formers:
            found = None  # what was here is a former one now
        if found is not None:
            del current[source]
        yield Pair(found, item)
    for gone in current.values():
        yield Pair(gone, None)


def _becoming_former(after: Iterable[_T], current: Mapping[Key, _T]) -> Iterator[tuple[Key, Key]]:
    """The keys of new former items, each with the key of what they were."""
    for item in after:
        mark: Mark = item.mark
        if mark.former and mark.key not in current:
            yield mark.key, (mark.entity_type, mark.field, mark.role, "")


def _link_moves(tables: Iterable[TablePair]) -> Iterator[LinkMove]:
    """The links that have another home from now on, with where they were and where they are."""
    tables = list(tables)
    former_tables = {pair.new.mark.place: pair.new for pair in tables if pair.new and pair.becomes_former}
    new_tables = {pair.new.mark.place: pair.new for pair in tables if pair.new and not pair.old and pair.new.mark.field}
    for pair in tables:
        if pair.old is None or pair.new is None or pair.new.mark.field:
            continue
        former = {(c.new.mark.place, c.new.mark.role): c.new.name for c in pair.columns if c.new and c.becomes_former}
        added = {(c.new.mark.place, c.new.mark.role): c.new.name for c in pair.columns if c.new and not c.old}
        for columns, links, to_table in ((former, new_tables, True), (added, former_tables, False)):
            for place in [place for place, role in columns if role == "id"]:
                if place in links and (place, "type") in columns:
                    mark = next(m for m in _marks(pair.new, links[place]) if m.place == place and not m.former)
                    yield LinkMove(mark, pair.new.name, columns[place, "id"], columns[place, "type"],
                                   links[place].name, to_table)  # fmt: skip


def _marks(table: TableState, links: TableState) -> Iterator[Mark]:
    yield links.mark
    yield from (Mark(c.mark.entity_type, c.mark.field, c.mark.data_type) if not c.mark.former else c.mark
                for c in table.columns.values())  # fmt: skip


# --- changes in site terms


def _changes(found: Transition) -> Iterator[Change]:
    own = {pair.either.mark.entity_type: pair for pair in found.tables if not pair.either.mark.field}
    links: dict[str, dict[str, list[TablePair]]] = {}
    for pair in found.tables:
        if pair.either.mark.field and pair.either.mark.entity_type != CATALOG:
            links.setdefault(pair.either.mark.entity_type, {}).setdefault(pair.either.mark.field, []).append(pair)
        elif pair.either.mark.entity_type == CATALOG:
            own[pair.either.mark.place] = pair
    for entity_type in sorted({*own, *links}, key=lambda code: (code.startswith(CATALOG + "."), code)):
        yield from _of_entity_type(own.get(entity_type), links.get(entity_type, {}))


def _of_entity_type(table: TablePair | None, links: Mapping[str, list[TablePair]]) -> Iterator[Change]:
    whole: list[Change] = []
    if table is not None:
        whole = list(_of_table(table, links))
        yield from whole
    kinds = {change.kind for change in whole}
    if "added" in kinds or "dropped" in kinds:
        return  # its fields come and go with it
    columns: dict[str, list[Pair[ColumnState]]] = {}
    for column in table.columns if table else ():
        columns.setdefault(column.either.mark.code, []).append(column)
    name = (table.old or table.either).name if table else ""
    for field in sorted({*columns, *links}):
        for change in _of_field(columns.get(field, []), links.get(field, []), name):
            if not (change.thing == "table" and change.kind in kinds and change.kind in ("retired", "revived")):
                yield change  # a link table retires and returns with its entity type


def _of_table(pair: TablePair, links: Mapping[str, list[TablePair]]) -> Iterator[Change]:
    old, new = pair.old, pair.new
    mark = pair.either.mark
    base = _Base(
        mark.entity_type, mark.field if mark.entity_type == CATALOG else "", "table", (old or pair.either).name
    )
    if old is None and new is not None:
        fields = {column.mark.field for column in new.columns.values() if column.mark.field} | {*links}
        yield base.change("added", new=new.mark, new_names=(new.name,), fields=len(fields), new_comment=new.comment)
    elif new is None and old is not None:
        yield base.change("dropped", old=old.mark, old_names=(old.name,), was_retired=old.mark.kept)
    elif old is not None and new is not None and old is not new:
        yield from _renamed_or_retired(base, old, new)


@dataclass(frozen=True, slots=True)
class _Base:
    """What all changes of one field or entity type have in common."""

    entity_type: str
    field: str
    thing: Literal["column", "table"]
    table: str

    def change(self, kind: ChangeKind, **more: object) -> Change:
        values = {"thing": self.thing, **more}
        return Change(kind, self.entity_type, self.field, table=self.table, **values)  # type: ignore[arg-type]


def _renamed_or_retired(base: _Base, old: TableState | ColumnState, new: TableState | ColumnState) -> Iterator[Change]:
    marks = {"old": old.mark, "new": new.mark, "old_names": (old.name,), "new_names": (new.name,)}
    comments = {"old_comment": old.comment, "new_comment": new.comment}
    if old.name != new.name:
        yield base.change("renamed", **marks)
    if new.mark.former:
        return
    if old.mark.retired != new.mark.retired:
        kind: ChangeKind = "retired" if new.mark.retired else "revived"
        yield base.change(kind, was_retired=old.mark.retired, **marks, **comments)
    yield from _called(base, old, new, **marks)


def _called(
    base: _Base, before: TableState | ColumnState, after: TableState | ColumnState, **marks: object
) -> Iterator[Change]:
    """Another display name, or another description only."""
    comments = {"old_comment": before.comment, "new_comment": after.comment}
    change = base.change("display_name", was_retired=before.mark.kept, **comments, **marks)
    old, new = change.old_display_name, change.new_display_name
    if old and new and old != new and base.entity_type != CATALOG:
        yield change
    elif before.comment != after.comment and before.mark.retired == after.mark.retired:
        yield replace(change, kind="comment")


def _of_field(columns: list[Pair[ColumnState]], links: list[TablePair], table: str) -> Iterator[Change]:
    """The changes of one field: of its columns, or of its link table, or from the one to the other."""
    items: list[Pair[ColumnState] | TablePair] = [*columns, *links]
    mark = items[0].either.mark
    thing: Literal["column", "table"] = "column" if columns and not _current(links) else "table"
    base = _Base(mark.entity_type, mark.code, thing, table)
    former = [pair for pair in items if pair.becomes_former]
    added = [pair for pair in items if pair.new and not pair.old and not pair.new.mark.former]
    gone = [pair for pair in items if pair.old and not pair.new]
    if former:
        yield from _converted(base, former, items)
    elif added:
        new = _field_mark(added[0].new)
        yield base.change("added", new=new, new_names=_names(pair.new for pair in added))
    stay = [pair for pair in items if pair.old and pair.new and pair.old is not pair.new and not pair.becomes_former]
    yield from _of_what_stays(base, stay)
    in_use = [pair for pair in gone if pair.old and not pair.old.mark.former]
    if in_use:
        old = in_use[0].old
        yield base.change("dropped", old=_field_mark(old), old_names=_names(pair.old for pair in in_use),
                          was_retired=bool(old and old.mark.kept))  # fmt: skip
    elif gone:
        yield base.change("pruned", old=_field_mark(gone[0].old), old_names=_names(pair.old for pair in gone))


def _current(pairs: Iterable[Pair[TableState] | Pair[ColumnState]]) -> bool:
    return any(not pair.either.mark.former for pair in pairs)


def _names(items: Iterable[TableState | ColumnState | None]) -> tuple[str, ...]:
    return tuple(item.name for item in items if item is not None)


def _field_mark(item: TableState | ColumnState | None) -> Mark | None:
    """The mark of the field: without the role of one of its columns."""
    if item is None:
        return None
    mark = item.mark
    return Mark(mark.entity_type, mark.field, mark.data_type, "", mark.retired, mark.former)


def _converted(
    base: _Base, former: list[Pair[ColumnState] | TablePair], items: list[Pair[ColumnState] | TablePair]
) -> Iterator[Change]:
    now = next((pair.new for pair in items if pair.new and not pair.new.mark.former), None)
    old = former[0].old
    assert old is not None
    thing = "table" if isinstance(old, TableState) else "column"
    marks = {"old": _field_mark(old), "new": _field_mark(now), "thing": thing}
    yield base.change(
        "set_aside" if now is not None and _holds_the_same(old, now) else "converted",
        old_names=_names(pair.old for pair in former),
        new_names=_names(pair.new for pair in former),
        was_retired=old.mark.kept,
        old_comment=old.comment,
        new_comment=now.comment if now else None,
        **marks,
    )
    if now is not None:
        for change in _called(base, old, now, old_names=(old.name,), new_names=(now.name,), **marks):
            if change.kind == "display_name":
                yield change


def _holds_the_same(old: TableState | ColumnState, new: TableState | ColumnState) -> bool:
    """Whether the new column or table is one like the old: then no type is the reason for it."""
    if isinstance(old, ColumnState) and isinstance(new, ColumnState) and old.type_text != new.type_text:
        return False
    return type(old) is type(new) and old.mark.data_type == new.mark.data_type


def _of_what_stays(base: _Base, pairs: list[Pair[ColumnState] | TablePair]) -> Iterator[Change]:
    seen: set[ChangeKind] = set()
    for pair in pairs:
        old, new = pair.old, pair.new
        assert old is not None
        assert new is not None
        widened = isinstance(old, ColumnState) and isinstance(new, ColumnState) and old.type_text != new.type_text
        if (old.mark.data_type != new.mark.data_type or widened) and "retyped" not in seen:
            seen.add("retyped")
            yield base.change("retyped", old=_field_mark(old), new=_field_mark(new), old_names=(old.name,),
                              new_names=(new.name,), widened=widened, was_retired=old.mark.kept,
                              old_comment=old.comment, new_comment=new.comment)  # fmt: skip
        for change in _renamed_or_retired(base, old, new):
            if change.kind == "revived" and "retyped" in seen:
                continue  # said already: it came back with another type
            if change.kind == "renamed" or change.kind not in seen:
                seen.add(change.kind)
                yield change
