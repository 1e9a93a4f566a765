"""The columns of one entity type's table: as the site wants them, and as built where they are only kept."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator
from dataclasses import dataclass, replace
from typing import Any

from sqlalchemy.types import TypeEngine

from sg_migrate.settings import Settings
from sg_migrate.site.schema import EntityType, Field
from sg_migrate.warehouse import naming
from sg_migrate.warehouse.comments import UNSETTLED, comment_for, kept_comment, shown_comment
from sg_migrate.warehouse.mapping import ENTITY_TYPE, ID, TIMESTAMP, Link
from sg_migrate.warehouse.mark import RETIRED_AT, Mark, mark_for
from sg_migrate.warehouse.state import ColumnState, TableState
from sg_migrate.warehouse.type_change import type_change

LINK_ROLES = {"id": ID, "type": ENTITY_TYPE}
RETIRED_AT_COMMENT = "When a load first found it in the site's trash or gone; null for active records"


@dataclass(frozen=True, slots=True)
class WantedField:
    """A field with what the model makes of it."""

    field: Field
    target: TypeEngine[Any] | Link | None
    active: bool
    dropped: bool

    @property
    def retired(self) -> bool:
        """Whether the site no longer has it."""
        return self.field.state != "active"

    def prunes(self, former: ColumnState | TableState) -> bool:
        """Whether a person decided to drop this column or table, which keeps values of an earlier type."""
        return self.dropped or former.mark.former in self.field.pruned

    def sets_aside(self, formers: Iterable[str]) -> bool:
        """Whether a person asked to keep the values so far apart, and no former one with these labels does it."""
        return bool({*self.field.set_aside}.difference(formers, self.field.pruned))


def tracked_comment(
    wanted: str | None, mark: Mark, built: TableState | ColumnState | None, track: str, *, follow: bool = True
) -> str | None:
    """The comment of a table or column: as the site has it, or as first built.

    Args:
        wanted: what the site says.
        mark: the wanted mark; what is only kept says so in its comment.
        built: the present state, if there is one.
        track: the setting; ``structure`` keeps the texts that are built.
        follow: whether the site's texts are followed; not where something is out of use.
    """
    if built is not None and built.comment == UNSETTLED:
        built = None
    if built is not None and built.mark.kept == mark.kept and (track == "structure" or not follow):
        return built.comment
    if built is not None and mark.kept:
        return built.comment if built.mark.kept else kept_comment(built.comment)
    if built is not None and track == "structure":
        return shown_comment(built.comment, kept=True) or None
    return kept_comment(wanted) if mark.kept else wanted


class Columns:
    """The columns of one entity type's table."""

    def __init__(self, settings: Settings, built: TableState | None, entity_type: EntityType) -> None:
        self.settings = settings
        self.codes = {code.lower() for code in entity_type.fields}
        self.built = {column.mark.key: column for column in built.columns.values()
                      if not column.mark.former} if built else {}  # fmt: skip
        self.built_columns = list(built.columns.values()) if built else []
        self.names = naming.Names((*(built.columns if built else ()), "id"))
        self.columns: dict[str, ColumnState] = {}
        self.renamed: dict[str, str] = {}
        """Old name -> new name, of the columns that are built under another name."""

    def _put(self, column: ColumnState) -> None:
        self.columns[column.name] = column

    def add_id(self, entity_type: EntityType) -> None:
        """The primary key: ShotGrid's ids are kept."""
        field = entity_type.fields.get("id")
        mark = mark_for(field) if field else Mark(entity_type.code, "id", "number")
        built = self.built.get(mark.key)
        comment = comment_for(field.name or field.code, field.description) if field else None
        self._put(ColumnState("id", ID, mark, self._comment(comment, mark, built), nullable=False))

    def add_retired_at(self, entity_type: EntityType) -> None:
        """The column of ours that tells records in the site's trash from active ones: reports leave them out."""
        mark = Mark(entity_type.code, data_type=RETIRED_AT)
        built = self.built.get(mark.key)
        name = self.names.take(naming.own_column_names(RETIRED_AT), built.name if built else None)
        self._put(ColumnState(name, TIMESTAMP, mark, RETIRED_AT_COMMENT))

    def keep_former(self, item: WantedField) -> None:
        """Columns that keep values of an earlier type stay, unless the field is dropped."""
        for column in self.built_columns:
            if column.mark.former and column.mark.field == item.field.code and not item.prunes(column):
                self._put(column)

    def keep_unknown(self, entity_type: EntityType) -> None:
        """Columns of fields that the ledger does not know stay: nothing is dropped but by prune."""
        for column in self.built_columns:
            if column.mark.field not in entity_type.fields and column.mark.field != "id":
                self._put(column)

    def add(self, item: WantedField) -> None:
        """The columns of a field: as wanted, or as built where it is only kept."""
        if item.dropped:
            return
        built = [column for column in self.built.values() if column.mark.field == item.field.code]
        if not item.active:
            for column in built:
                self._put(self._only_kept(column, item))
            return
        roles = (
            LINK_ROLES if item.target == "link" else {"": item.target} if isinstance(item.target, TypeEngine) else {}
        )
        stale = [c for c in built if c.mark.role not in roles or type_change(c.type, roles[c.mark.role]) == "convert"]
        formers = {c.mark.former for c in self.built_columns if c.mark.field == item.field.code and c.mark.former}
        if item.sets_aside(formers):
            stale = built
        if stale:
            self._make_former(stale, item.field.pruned)
        for role, type_ in roles.items():
            self._put(self._column(item.field, role, type_))

    def _only_kept(self, column: ColumnState, item: WantedField) -> ColumnState:
        mark = column.mark.as_retired(item.retired)
        wanted = comment_for(item.field.name or item.field.code, item.field.description)
        return replace(
            column, mark=mark, comment=tracked_comment(wanted, mark, column, self.settings.track, follow=False)
        )

    def _make_former(self, columns: list[ColumnState], pruned: Collection[str]) -> None:
        """Keep a field's columns beside the new ones, all under the same label, and never under one that was pruned."""
        code = columns[0].mark.field
        taken = {column.mark.former for column in self.built_columns if column.mark.field == code}.union(pruned)
        for choices in zip(*(naming.former_names(c.name, c.mark.data_type) for c in columns), strict=True):
            label, names = choices[0][0], [name for _, name in choices]
            free = all(self.names.is_free(name) and name.lower() not in self.codes for name in names)
            if free and label not in taken:
                break
        for column, name in zip(columns, names, strict=True):
            self.names.take([name])
            self.names.free(column.name)
            self.renamed[column.name] = name
            del self.built[column.mark.key]
            comment = column.comment if column.mark.kept else kept_comment(column.comment)
            self._put(replace(column, name=name, mark=column.mark.as_former(label), comment=comment))

    def _column(self, field: Field, role: str, type_: TypeEngine[Any]) -> ColumnState:
        mark = mark_for(field, role)
        built = self.built.get(mark.key)
        comment = self._comment(comment_for(field.name or field.code, field.description), mark, built)
        if built is not None and type_change(built.type, type_) == "none":
            type_ = built.type
        return ColumnState(self._name(field, role, built), type_, mark, comment)

    def _name(self, field: Field, role: str, built: ColumnState | None) -> str:
        candidates = naming.column_names(field.code, naming=self.settings.naming, role=role)
        name = self.names.take(candidates, built.name if built else None)
        if built is not None and built.name != name:
            self.renamed[built.name] = name
        return name

    def _comment(self, wanted: str | None, mark: Mark, built: ColumnState | None) -> str | None:
        return tracked_comment(wanted, mark, built, self.settings.track)

    def links(self) -> Iterator[tuple[str, str]]:
        """The two columns of every link, current or former."""

        def link(column: ColumnState) -> tuple[str, str]:
            return column.mark.field, column.mark.former

        types = {link(column): column.name for column in self.columns.values() if column.mark.role == "type"}
        for column in self.columns.values():
            if column.mark.role == "id" and link(column) in types:
                yield column.name, types[link(column)]

    def in_order(self) -> dict[str, ColumnState]:
        """The id first, then by name."""
        return dict(sorted(self.columns.items(), key=lambda item: (item[0] != "id", item[0])))
