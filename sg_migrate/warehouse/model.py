"""What the warehouse should look like: the snapshot, the settings, and the names that are built already."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from typing import Any

import sqlalchemy as sa
from sqlalchemy.types import TypeEngine

from sg_migrate.errors import BuiltOtherwiseError, SameNameError
from sg_migrate.settings import Settings
from sg_migrate.site.schema import EntityType, Field, SiteSchema
from sg_migrate.site.selection import Selection
from sg_migrate.warehouse import naming
from sg_migrate.warehouse.catalog import catalog_tables
from sg_migrate.warehouse.comments import UNSETTLED, comment_for, kept_comment, shown_comment
from sg_migrate.warehouse.mapping import ENTITY_TYPE, ID, JSON_VALUE, MAPPING, Link, columns_for
from sg_migrate.warehouse.mark import CATALOG, Mark, mark_for
from sg_migrate.warehouse.state import ColumnState, ForeignKeyState, State, TableState, to_metadata
from sg_migrate.warehouse.type_change import type_change

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
        SameNameError: the settings give two tables one name.
    """
    sources: dict[str, Any] = {str(entity_type): entity_type for entity_type in site.entity_types.values()}
    sources |= {str(field): field for field in site.fields()}
    return to_metadata(build_state(site, settings or Settings(), built or {}), sources)


def build_state(site: SiteSchema, settings: Settings, built: State) -> State:
    """What `build_metadata` builds, as values: tables by name, in the order of their names. Raises as that does."""
    _check_multi_entity(settings, built)
    model = _Model(site, settings, built)
    tables = _by_name(model.tables())
    if settings.foreign_keys:
        tables |= {table.name: table for table in model.foreign_keys(tables)}
    return dict(sorted(tables.items()))


def _by_name(tables: Iterable[TableState]) -> dict[str, TableState]:
    """Tables by name. Raises `SameNameError` for a second one of a name, which would take the first one's place."""
    found: dict[str, TableState] = {}
    owners = {name: f"the table {name} that Alembic or sg_migrate keeps for itself" for name in RESERVED_TABLES}
    for table in tables:
        name = table.name.lower()
        if name in owners:
            raise SameNameError(table.name, owners[name], _owner(table))
        owners[name] = _owner(table)
        found[table.name] = table
    return found


def _owner(table: TableState) -> str:
    """What a table is of, in words."""
    if table.mark.entity_type == CATALOG:
        return f"that of the setting catalog_{table.mark.field}"
    return f"that of {table.mark.place}"


def _check_multi_entity(settings: Settings, built: State) -> None:
    """Raise `BuiltOtherwiseError` if lists of links are built in another form than ``multi_entity`` asks for."""
    if settings.multi_entity == "json":
        others = [t.name for t in built.values() if MAPPING.get(t.mark.data_type) == "links" and not t.mark.former]
        form = "the link tables"
    else:
        others = [f"{t.name}.{c.name}" for t in built.values() if not t.mark.field for c in t.columns.values()
                  if MAPPING.get(c.mark.data_type) == "links" and not c.mark.former]  # fmt: skip
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
        return self.dropped or former.mark.former in self.field.pruned


class _Model:
    """One build of the model; holds the names taken so far."""

    def __init__(self, site: SiteSchema, settings: Settings, built: State) -> None:
        self.site = site
        self.settings = settings
        self.selection = Selection(settings.include, settings.exclude)
        self.built = built
        self.built_tables = {(t.mark.entity_type, t.mark.field): t for t in built.values() if not t.mark.former}
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
            if (table.mark.entity_type, table.mark.field) not in seen:
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
        mark = Mark(entity_type.code, retired=entity_type.state != "active")
        wanted_comment = comment_for(entity_type.name or entity_type.code)
        return TableState(
            name=name,
            mark=mark,
            columns=columns.in_order(),
            comment=_comment(wanted_comment, mark, built, self.settings.track, follow=active),
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
            if table.mark.former and of_field and not item.prunes(table):
                yield table
        built = self.built_tables.get((field.entity_type, field.code))
        if item.active and item.target == "links":
            yield self._link_table(field, owner, built)
        elif built is not None and item.active:
            yield self._former_link_table(built, field.pruned)
        elif built is not None:
            retired = item.retired or self.site.entity_types[field.entity_type].state == "retired"
            yield _only_kept(built, item.field, retired)

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
            _comment(comment, mark, built, self.settings.track),
            {index: index_columns},
        )

    def _former_link_table(self, built: TableState, pruned: Collection[str]) -> TableState:
        formers = {t.mark.former for t in self.built.values() if t.mark.place == built.mark.place}
        label, name = next(
            (label, name)
            for label, name in naming.former_names(built.name, built.mark.data_type)
            if label not in formers.union(pruned) and self.table_names.is_free(name)
        )
        self.table_names.take([name])
        comment = built.comment if built.mark.kept else kept_comment(built.comment)
        return replace(built, name=name, mark=built.mark.as_former(label), comment=comment)

    # --- foreign keys

    def foreign_keys(self, tables: Mapping[str, TableState]) -> Iterator[TableState]:
        """The entity tables with a foreign key for every active link that has one valid type.

        Names are unique in the whole database, as MariaDB wants; one that is built already keeps its name.
        """
        names = naming.Names(name for table in self.built.values() for name in table.foreign_keys)
        by_entity_type = {t.mark.entity_type: t for t in tables.values() if not t.mark.field and not t.mark.kept}
        for table in by_entity_type.values():
            built = self.built_tables.get((table.mark.entity_type, ""))
            known = {key.columns: name for name, key in built.foreign_keys.items()} if built else {}
            keys = {}
            for column, referred in self._references(table, by_entity_type):
                wanted = naming.foreign_key_name(table.name, column)
                other = naming.with_hash(wanted, f"{table.name} {column}")
                name = known.get((column,)) or names.take([wanted, other])
                keys[name] = ForeignKeyState(name, (column,), referred.name, ("id",))
            yield replace(table, foreign_keys=keys)

    def _references(
        self, table: TableState, by_entity_type: Mapping[str, TableState]
    ) -> Iterator[tuple[str, TableState]]:
        """The columns that lead to one entity type only, with its table."""
        entity_type = self.site.entity_types.get(table.mark.entity_type)
        for column in table.columns.values():
            field = entity_type.fields.get(column.mark.field) if entity_type else None
            if field is None or column.mark.kept or column.mark.role != "id" or len(field.valid_types) != 1:
                continue
            referred = by_entity_type.get(field.valid_types[0])
            if referred is not None:
                yield column.name, referred


def _comment(
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


def _only_kept(built: TableState, field: Field, retired: bool) -> TableState:
    """A link table that is out of use: as it is, but for its mark."""
    mark = built.mark.as_retired(retired)
    wanted = comment_for(field.name or field.code, field.description)
    return replace(built, mark=mark, comment=_comment(wanted, mark, built, "all", follow=False))


class _Columns:
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
        comment = comment_for(field.name, field.description) if field else None
        self._put(ColumnState("id", ID, mark, self._comment(comment, mark, built), nullable=False))

    def keep_former(self, item: _Wanted) -> None:
        """Columns that keep values of an earlier type stay, unless the field is dropped."""
        for column in self.built_columns:
            if column.mark.former and column.mark.field == item.field.code and not item.prunes(column):
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
                self._put(self._only_kept(column, item))
            return
        roles = (
            LINK_ROLES if item.target == "link" else {"": item.target} if isinstance(item.target, TypeEngine) else {}
        )
        stale = [c for c in built if c.mark.role not in roles or type_change(c.type, roles[c.mark.role]) == "convert"]
        if stale:
            self._make_former(stale, item.field.pruned)
        for role, type_ in roles.items():
            self._put(self._column(item.field, role, type_))

    def _only_kept(self, column: ColumnState, item: _Wanted) -> ColumnState:
        mark = column.mark.as_retired(item.retired)
        wanted = comment_for(item.field.name or item.field.code, item.field.description)
        return replace(column, mark=mark, comment=_comment(wanted, mark, column, self.settings.track, follow=False))

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
        return _comment(wanted, mark, built, self.settings.track)

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
