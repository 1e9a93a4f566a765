"""What the warehouse should look like: the snapshot, the settings, and the names that are built already."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass, replace
from typing import Any

import sqlalchemy as sa
from sqlalchemy.types import TypeEngine

from sg_migrate.conversion.rules import change
from sg_migrate.errors import BuiltOtherwiseError
from sg_migrate.settings import Settings
from sg_migrate.site.schema import EntityType, Field, SiteSchema
from sg_migrate.site.selection import Selection
from sg_migrate.warehouse import naming
from sg_migrate.warehouse.catalog import catalog_tables
from sg_migrate.warehouse.comments import comment_for, with_retired
from sg_migrate.warehouse.mapping import ENTITY_TYPE, ID, JSON_VALUE, MAPPING, Link, columns_for
from sg_migrate.warehouse.naming import former_label
from sg_migrate.warehouse.state import (
    ColumnState,
    ForeignKeyState,
    Mark,
    State,
    TableState,
    mark_for,
    to_metadata,
)

RESERVED_TABLES = ("alembic_version", "sg_carry")
"""Names of tables that Alembic and sg_migrate keep for themselves."""

LINK_ROLES = {"id": ID, "type": ENTITY_TYPE}
LINK_TABLE_COLUMNS = {"owner_id": ID, "linked_type": ENTITY_TYPE, "linked_id": ID}


def build_metadata(site: SiteSchema, settings: Settings | None = None, built: State | None = None) -> sa.MetaData:
    """The warehouse of a site as a fresh ``MetaData``; pure: same arguments, equal tables.

    Args:
        site: a site's schema, or a snapshot's with its retired and dropped entries.
        settings: the settings; the defaults when left out.
        built: what the revisions have built so far; nothing when left out.

    Returns:
        Tables and columns with ``.info["shotgrid"]``, the `EntityType` or `Field` they stand for, and
        ``.info["sg"]``, its short form.

    Raises:
        BuiltOtherwiseError: a change of ``multi_entity`` on a warehouse that is built.
    """
    sources: dict[str, Any] = {str(entity_type): entity_type for entity_type in site.entity_types.values()}
    sources |= {str(field): field for field in site.fields()}
    return to_metadata(build_state(site, settings or Settings(), built or {}), sources)


def build_state(site: SiteSchema, settings: Settings, built: State) -> State:
    """What `build_metadata` builds, as values: tables by name, in the order of their names."""
    _check_multi_entity(settings, built)
    model = _Model(site, settings, built)
    tables = {table.name: table for table in model.tables()}
    if settings.foreign_keys:
        tables |= {table.name: table for table in model.foreign_keys(tables)}
    return dict(sorted(tables.items()))


def _check_multi_entity(settings: Settings, built: State) -> None:
    """Raise `BuiltOtherwiseError` if lists of links are built in another form than ``multi_entity`` asks for."""
    if settings.multi_entity == "json":
        others = [t.name for t in built.values() if MAPPING.get(t.mark.data_type) == "links" and not t.mark.was]
        form = "the link tables"
    else:
        others = [f"{t.name}.{c.name}" for t in built.values() if not t.mark.field for c in t.columns.values()
                  if MAPPING.get(c.mark.data_type) == "links" and not c.mark.was]  # fmt: skip
        form = "the columns"
    if others:
        raise BuiltOtherwiseError(f"multi_entity = {settings.multi_entity}", f"{form} {', '.join(others[:3])} …")


@dataclass(frozen=True, slots=True)
class _Wanted:
    """A field with what the model makes of it."""

    field: Field
    target: TypeEngine[Any] | Link | None
    active: bool
    dropped: bool

    @property
    def retired(self) -> bool:
        return self.field.state != "active"

    def prunes(self, former: ColumnState | TableState) -> bool:
        """Whether a person decided to drop this column or table, which keeps values of an earlier type."""
        return self.dropped or former_label(former.name, former.mark.data_type) in self.field.pruned


class _Model:
    """One build of the model; holds the names taken so far."""

    def __init__(self, site: SiteSchema, settings: Settings, built: State) -> None:
        self.site = site
        self.settings = settings
        self.selection = Selection(settings.include, settings.exclude)
        self.built = built
        self.built_tables = {(t.mark.entity_type, t.mark.field): t for t in built.values() if not t.mark.was}
        self.table_names = naming.Names((*built, *RESERVED_TABLES))
        self.index_names = naming.Names(name for table in built.values() for name in table.indexes)

    # --- tables

    def tables(self) -> Iterator[TableState]:
        """Every table of the model: the entity types', their link tables, the catalog's, and what is only kept."""
        seen: set[tuple[str, str]] = set()
        for catalog in catalog_tables(self.settings):
            seen.add((catalog.mark.entity_type, catalog.mark.field))
            yield catalog
        for entity_type in self.site.entity_types.values():
            for table in self._entity_type_tables(entity_type):
                seen.add((table.mark.entity_type, table.mark.field))
                yield table
            seen |= {(entity_type.code, "")} | {(entity_type.code, code) for code in entity_type.fields}
        for table in self.built.values():
            if not table.mark.was and (table.mark.entity_type, table.mark.field) not in seen:
                yield table  # the ledger does not know it: nothing is dropped but by prune

    def _entity_type_tables(self, entity_type: EntityType) -> Iterator[TableState]:
        built = self.built_tables.get((entity_type.code, ""))
        active = entity_type.state == "active" and self.selection.entity_type(entity_type.code)
        if self._dropped(entity_type) or not (built or active):
            return
        name = self._table_name(entity_type, built)
        wanted = [self._wanted(field, active) for field in entity_type.fields.values() if field.code != "id"]
        yield self._entity_table(entity_type, name, wanted, built, active=active)
        for item in wanted:
            yield from self._link_tables(item, name)

    def _dropped(self, entry: EntityType | Field) -> bool:
        return entry.state == "dropped" or (entry.state == "retired" and self.settings.retire == "drop")

    def _wanted(self, field: Field, table_active: bool) -> _Wanted:
        target = columns_for(field)
        if target == "links" and self.settings.multi_entity == "json":
            target = JSON_VALUE
        active = table_active and field.state == "active" and self.selection.field(field) and target is not None
        return _Wanted(field, target, active, self._dropped(field))

    def _table_name(self, entity_type: EntityType, built: TableState | None) -> str:
        candidates = naming.table_names(
            entity_type.code,
            naming=self.settings.naming,
            prefix=self.settings.table_prefix,
            alias=self.settings.entity_names.get(entity_type.code),
        )
        return self.table_names.take(candidates, built.name if built else None)

    def _entity_table(
        self, entity_type: EntityType, name: str, wanted: list[_Wanted], built: TableState | None, *, active: bool
    ) -> TableState:
        columns = _Columns(self.settings, built, entity_type)
        columns.add_id(entity_type)
        for item in wanted:
            columns.keep_former(item)
        for item in sorted(wanted, key=lambda item: item.target == "link"):  # own codes first, then generated names
            columns.add(item)
        columns.keep_unknown(entity_type)
        comment = comment_for(entity_type.name or entity_type.code) if active or not built else built.comment
        return TableState(
            name=name,
            mark=Mark(entity_type.code),
            columns=columns.in_order(),
            comment=self._comment(comment, entity_type.state != "active", built),
            indexes=self._indexes(name, columns, built),
        )

    def _indexes(self, table: str, columns: _Columns, built: TableState | None) -> dict[str, tuple[str, ...]]:
        """The index of every link's two columns; one that is built already keeps its name."""
        known = {tuple(columns.renamed.get(c, c) for c in cs): n for n, cs in (built.indexes if built else {}).items()}
        indexes: dict[str, tuple[str, ...]] = {}
        for pair in columns.links():
            name = known.get(pair) or self.index_names.take(
                [
                    naming.index_name(table, pair),
                    naming.with_hash(naming.index_name(table, pair), repr((table, pair))),
                ]
            )
            indexes[name] = pair
        return indexes

    def _link_tables(self, item: _Wanted, owner: str) -> Iterator[TableState]:
        """A field's link table, if it has or had one."""
        field = item.field
        if item.dropped:
            return
        for table in self.built.values():
            of_field = (table.mark.entity_type, table.mark.field) == (field.entity_type, field.code)
            if table.mark.was and of_field and not item.prunes(table):
                yield table
        built = self.built_tables.get((field.entity_type, field.code))
        if item.active and item.target == "links":
            yield self._link_table(field, owner, built)
        elif built is not None and item.active:
            yield self._former_link_table(built, field.pruned)
        elif built is not None:
            retired = item.retired or self.site.entity_types[field.entity_type].state == "retired"
            yield replace(built, comment=with_retired(built.comment, retired))

    def _link_table(self, field: Field, owner: str, built: TableState | None) -> TableState:
        candidates = naming.link_table_names(owner, field.code, naming=self.settings.naming)
        name = self.table_names.take(candidates, built.name if built else None)
        mark = mark_for(field)
        columns = {
            column: ColumnState(column, type_, replace(mark, role=column), nullable=False)
            for column, type_ in LINK_TABLE_COLUMNS.items()
        }
        index_columns = ("linked_type", "linked_id")
        known = {columns: index for index, columns in (built.indexes if built else {}).items()}
        index = known.get(index_columns) or self.index_names.take(
            [naming.index_name(name, ["linked"]), naming.with_hash(naming.index_name(name, ["linked"]), name)]
        )
        comment = comment_for(field.name or field.code, field.description)
        return TableState(
            name,
            mark,
            columns,
            tuple(LINK_TABLE_COLUMNS),
            self._comment(comment, False, built),
            {index: index_columns},
        )

    def _former_link_table(self, built: TableState, pruned: Collection[str]) -> TableState:
        candidates = naming.former_names(built.name, built.mark.data_type)
        name = self.table_names.take(name for name in candidates if former_label(name, "") not in pruned)
        columns = {n: replace(c, mark=c.mark.as_former()) for n, c in built.columns.items()}
        return replace(
            built, name=name, mark=built.mark.as_former(), columns=columns,
            comment=with_retired(built.comment, True),
        )  # fmt: skip

    def _comment(self, comment: str | None, retired: bool, built: TableState | None) -> str | None:
        if built is not None and self.settings.track == "structure":
            comment = built.comment
        return with_retired(comment, retired)

    # --- foreign keys

    def foreign_keys(self, tables: Mapping[str, TableState]) -> Iterator[TableState]:
        """The entity tables with a foreign key for every active link that has one valid type."""
        by_entity_type = {t.mark.entity_type: t for t in tables.values() if not t.mark.field and not t.retired}
        for table in by_entity_type.values():
            entity_type = self.site.entity_types.get(table.mark.entity_type)
            keys = {}
            for column in table.columns.values():
                field = entity_type.fields.get(column.mark.field) if entity_type else None
                if field is None or column.retired or column.mark.role != "id" or len(field.valid_types) != 1:
                    continue
                referred = by_entity_type.get(field.valid_types[0])
                if referred is not None:
                    name = naming.foreign_key_name(table.name, column.name)
                    keys[name] = ForeignKeyState(name, (column.name,), referred.name, ("id",))
            yield replace(table, foreign_keys=keys)


class _Columns:
    """The columns of one entity type's table."""

    def __init__(self, settings: Settings, built: TableState | None, entity_type: EntityType) -> None:
        self.settings = settings
        self.codes = {code.lower() for code in entity_type.fields}
        self.built = {column.mark.key: column for column in built.columns.values()
                      if not column.mark.was} if built else {}  # fmt: skip
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
        comment = comment_for(field.name, field.description) if field else None
        self._put(ColumnState("id", ID, mark, self._comment(comment, built), nullable=False))

    def keep_former(self, item: _Wanted) -> None:
        """Columns that keep values of an earlier type stay, unless the field is dropped."""
        for column in self.built_columns:
            if column.mark.was and column.mark.field == item.field.code and not item.prunes(column):
                self._put(column)

    def keep_unknown(self, entity_type: EntityType) -> None:
        """Columns of fields that the ledger does not know stay: nothing is dropped but by prune."""
        for column in self.built_columns:
            if column.mark.field not in entity_type.fields and column.mark.field != "id":
                self._put(column)

    def add(self, item: _Wanted) -> None:
        """The columns of a field: as wanted, or as built where it is only kept."""
        if item.dropped:
            return
        built = [column for column in self.built.values() if column.mark.field == item.field.code]
        if not item.active:
            for column in built:
                self._put(replace(column, comment=with_retired(column.comment, item.retired)))
            return
        roles = (
            LINK_ROLES if item.target == "link" else {"": item.target} if isinstance(item.target, TypeEngine) else {}
        )
        stale = [c for c in built if c.mark.role not in roles or change(c.type, roles[c.mark.role]) == "convert"]
        if stale:
            self._make_former(stale, item.field.pruned)
        for role, type_ in roles.items():
            self._put(self._column(item.field, role, type_))

    def _make_former(self, columns: list[ColumnState], pruned: Collection[str]) -> None:
        """Keep a field's columns beside the new ones, all under the same label, and never under one that was pruned."""
        for names in zip(*(naming.former_names(c.name, c.mark.data_type) for c in columns), strict=True):
            free = all(self.names.is_free(name) and name.lower() not in self.codes for name in names)
            if free and former_label(names[0], "") not in pruned:
                break
        for column, name in zip(columns, names, strict=True):
            self.names.take([name])
            self.names.free(column.name)
            self.renamed[column.name] = name
            del self.built[column.mark.key]
            former = replace(column, name=name, mark=column.mark.as_former())
            self._put(replace(former, comment=with_retired(column.comment, True)))

    def _column(self, field: Field, role: str, type_: TypeEngine[Any]) -> ColumnState:
        mark = mark_for(field, role)
        built = self.built.get(mark.key)
        comment = self._comment(comment_for(field.name or field.code, field.description), built)
        if built is not None and change(built.type, type_) == "none":
            type_ = built.type
        return ColumnState(self._name(field, role, built), type_, mark, comment)

    def _name(self, field: Field, role: str, built: ColumnState | None) -> str:
        candidates = naming.column_names(field.code, naming=self.settings.naming, role=role)
        name = self.names.take(candidates, built.name if built else None)
        if built is not None and built.name != name:
            self.renamed[built.name] = name
        return name

    def _comment(self, comment: str | None, built: ColumnState | None) -> str | None:
        return built.comment and with_retired(built.comment, False) if self._keeps(built) and built else comment

    def _keeps(self, built: ColumnState | None) -> bool:
        return built is not None and self.settings.track == "structure"

    def links(self) -> Iterator[tuple[str, str]]:
        """The two columns of every link, current or former."""

        def link(column: ColumnState) -> tuple[str, str]:
            return column.mark.field, former_label(column.name, column.mark.data_type) if column.mark.was else ""

        types = {link(column): column.name for column in self.columns.values() if column.mark.role == "type"}
        for column in self.columns.values():
            if column.mark.role == "id" and link(column) in types:
                yield column.name, types[link(column)]

    def in_order(self) -> dict[str, ColumnState]:
        """The id first, then by name."""
        return dict(sorted(self.columns.items(), key=lambda item: (item[0] != "id", item[0])))
