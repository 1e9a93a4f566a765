"""What the warehouse should look like: the snapshot, the settings, and the names that are built already."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Mapping
from dataclasses import replace
from typing import Any

import sqlalchemy as sa

from sg_migrate.errors import BuiltOtherwiseError, SameNameError, UnknownNameError
from sg_migrate.settings import Settings
from sg_migrate.site.redaction import Redaction, redacted
from sg_migrate.site.schema import EntityType, Field, SiteSchema
from sg_migrate.site.selection import Selection
from sg_migrate.warehouse import naming
from sg_migrate.warehouse.catalog import catalog_tables
from sg_migrate.warehouse.columns import Columns, WantedField, tracked_comment
from sg_migrate.warehouse.comments import comment_for, kept_comment
from sg_migrate.warehouse.mapping import ENTITY_TYPE, ID, JSON_VALUE, MAPPING, columns_for
from sg_migrate.warehouse.mark import CATALOG, Mark, mark_for
from sg_migrate.warehouse.state import ColumnState, ForeignKeyState, State, TableState, to_metadata

RESERVED_TABLES = ("alembic_version", "sg_carry", "sg_load", "sg_load_rejects")
"""Names of tables that Alembic and sg_migrate keep for themselves."""

LINK_TABLE_COLUMNS = {"owner_id": ID, "linked_type": ENTITY_TYPE, "linked_id": ID}
LINK_TABLE_COMMENTS = {
    "owner_id": "The id of the record that has the link",
    "linked_type": "The entity type of the record that it leads to",
    "linked_id": "The id of the record that it leads to",
}


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
        UnknownNameError: ``entity_names`` gives a table a name that another one has.
        SameNameError: the settings give two tables one name.
    """
    settings = settings or Settings()
    site = redacted(site, settings.redact)
    sources: dict[str, Any] = {str(entity_type): entity_type for entity_type in site.entity_types.values()}
    sources |= {str(field): field for field in site.fields()}
    return to_metadata(build_state(site, settings, built or {}), sources)


def build_state(site: SiteSchema, settings: Settings, built: State) -> State:
    """What `build_metadata` builds, as values: tables by name, in the order of their names. Raises as that does."""
    _check_multi_entity(settings, built)
    model = _Model(site, settings, built)
    tables = _by_name(model.tables())
    if settings.foreign_keys:
        tables |= {table.name: table for table in model.foreign_keys(tables)}
    redaction = Redaction(settings.redact)
    return {name: _redacted(table, redaction) if settings.redact else table for name, table in sorted(tables.items())}


def _redacted(table: TableState, redaction: Redaction) -> TableState:
    """A table without the comments that would say what must not be said; what is only kept is still marked so."""

    def without(item: TableState | ColumnState) -> str | None:
        hides = item.mark.entity_type != CATALOG and redaction.hides(item.mark.entity_type, item.mark.field)
        return (kept_comment(None) if item.mark.kept else None) if hides else item.comment

    if table.mark.field:
        return replace(table, comment=without(table))
    own = {name: replace(column, comment=without(column)) if column.mark.field else column
           for name, column in table.columns.items()}  # fmt: skip
    return replace(table, comment=without(table), columns=own)


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


class _Model:
    """One build of the model; holds the names taken so far."""

    def __init__(self, site: SiteSchema, settings: Settings, built: State) -> None:
        self.site = site
        self.settings = settings
        self.selection = Selection(settings.include, settings.exclude)
        self.built = built
        self.built_tables = {(t.mark.entity_type, t.mark.field): t for t in built.values() if not t.mark.former}
        self.former_tables: dict[tuple[str, str], list[TableState]] = {}
        for table in built.values():
            if table.mark.former:
                self.former_tables.setdefault((table.mark.entity_type, table.mark.field), []).append(table)
        self.table_names = naming.Names((*built, *RESERVED_TABLES))
        self.index_names = naming.Names(name for table in built.values() for name in table.indexes)

    # --- tables

    def tables(self) -> Iterator[TableState]:
        """Every table of the model: the entity types', their link tables, the catalog's, and what is only kept."""
        seen: set[tuple[str, str]] = set()
        for catalog in catalog_tables(self.settings):
            seen.add((catalog.mark.entity_type, catalog.mark.field))
            yield catalog
        named = self.settings.entity_names
        # A name that a person gave comes last: it is refused where it is taken, and takes no other table's.
        for entity_type in sorted(self.site.entity_types.values(), key=lambda one: one.code in named):
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

    def _wanted(self, field: Field, table_active: bool) -> WantedField:
        target = columns_for(field)
        if target == "links" and self.settings.multi_entity == "json":
            target = JSON_VALUE
        active = table_active and field.state == "active" and self.selection.field(field) and target is not None
        return WantedField(field, target, active, self._dropped(field))

    def _table_name(self, entity_type: EntityType, built: TableState | None) -> str:
        candidates = naming.table_names(
            entity_type.code,
            naming=self.settings.naming,
            prefix=self.settings.table_prefix,
            alias=self.settings.entity_names.get(entity_type.code),
        )
        name = self.table_names.take(candidates, built.name if built else None)
        alias = self.settings.entity_names.get(entity_type.code)
        if alias and name != candidates[0]:
            raise UnknownNameError("entity_names", f"{entity_type.code}={alias}", "another table has that name")
        return name

    def _entity_table(
        self, entity_type: EntityType, name: str, wanted: list[WantedField], built: TableState | None, *, active: bool
    ) -> TableState:
        columns = Columns(self.settings, built, entity_type)
        columns.add_id(entity_type)
        for item in wanted:
            columns.keep_former(item)
        for item in sorted(wanted, key=lambda item: item.target == "link"):  # own codes first, then generated names
            columns.add(item)
        if active:
            columns.add_retired_at(entity_type)
        columns.keep_unknown(entity_type)
        mark = Mark(entity_type.code, retired=entity_type.state != "active")
        wanted_comment = comment_for(entity_type.name or entity_type.code)
        return TableState(
            name=name,
            mark=mark,
            columns=columns.in_order(),
            comment=tracked_comment(wanted_comment, mark, built, self.settings.track, follow=active),
            indexes=self._indexes(name, columns, built),
        )

    def _indexes(self, table: str, columns: Columns, built: TableState | None) -> dict[str, tuple[str, ...]]:
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

    def _link_tables(self, item: WantedField, owner: str) -> Iterator[TableState]:
        """A field's link table, if it has or had one."""
        field = item.field
        if item.dropped:
            return
        place = (field.entity_type, field.code)
        for table in self.former_tables.get(place, ()):
            if not item.prunes(table):
                yield table
        built = self.built_tables.get(place)
        if item.active and item.target == "links":
            formers = [table.mark.former for table in self.former_tables.get(place, ())]
            if built is not None and item.sets_aside(formers):
                yield self._former_link_table(built, field.pruned)
                self.table_names.free(built.name)
                built = None
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
            column: ColumnState(column, type_, replace(mark, role=column), LINK_TABLE_COMMENTS[column], nullable=False)
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
            tracked_comment(comment, mark, built, self.settings.track),
            {index: index_columns},
        )

    def _former_link_table(self, built: TableState, pruned: Collection[str]) -> TableState:
        formers = {t.mark.former for t in self.former_tables.get((built.mark.entity_type, built.mark.field), ())}
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


def _only_kept(built: TableState, field: Field, retired: bool) -> TableState:
    """A link table that is out of use: as it is, but for its mark."""
    mark = built.mark.as_retired(retired)
    wanted = comment_for(field.name or field.code, field.description)
    return replace(built, mark=mark, comment=tracked_comment(wanted, mark, built, "all", follow=False))
