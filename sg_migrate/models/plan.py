"""What the classes of a warehouse are to be: decided once, for the classes in memory and for the script."""

from __future__ import annotations

import builtins
import keyword
import unicodedata
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from typing import TypeAlias

from sg_migrate.models.embedded import EMBEDDED
from sg_migrate.models.pairs import pairs_of
from sg_migrate.site.schema import EntityType, Field, SiteSchema
from sg_migrate.warehouse.mark import CATALOG
from sg_migrate.warehouse.state import ColumnState, State, TableState

IN_CLASSES = frozenset({
    "Any", "BigInteger", "Boolean", "Date", "Day", "Decimal", "Double", "FLOAT", "Float", "ForeignKeyConstraint",
    "Index", "Integer", "JSON_VALUE", "Link", "Links", "MOMENT", "Mapped", "Moment", "Money", "STRING",
    "STRING_IN_INDEX", "String", "TABLE_OPTIONS", "TEXT", "Text", "UtcDateTime", "bool", "float", "int",
    "mapped_column", "str",
})  # fmt: skip
"""Names that the classes of a script use."""
TAKEN_IN_CLASS = IN_CLASSES | set(keyword.kwlist) | {"metadata", "registry", "as_dict"}
TAKEN_IN_SCRIPT = (
    IN_CLASSES
    | set(keyword.kwlist)
    | {name for module in EMBEDDED for name in vars(module)}
    | set(dir(builtins))
    | {"Base", "CLASSES", "Column", "DeclarativeBase", "MappedAsDataclass", "MetaData", "Table"}
)


@dataclass(frozen=True, slots=True)
class ColumnPlan:
    """A column and the attribute that it is read by."""

    attribute: str
    column: ColumnState
    valid_values: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class LinkPlan:
    """A link, with the attributes of its columns, or a list of links, with its table.

    ``code`` is the field's, and empty where values of an earlier type are kept. ``pairs`` are the entity types that it
    leads to -> the attribute on their side that says the same.
    """

    attribute: str
    code: str
    types: tuple[str, ...]
    comment: str | None
    id_attribute: str = ""
    type_attribute: str = ""
    table: str = ""
    pairs: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class ClassPlan:
    """The class of an entity type."""

    entity_type: str
    name: str
    table: TableState
    columns: tuple[ColumnPlan, ...]
    links: tuple[LinkPlan, ...]


@dataclass(frozen=True, slots=True)
class Plan:
    """The classes by table, and every table, with those of lists of links and of the catalog."""

    classes: Mapping[str, ClassPlan]
    tables: State


def plan_models(built: State, site: SiteSchema | None = None, *, retired: bool = False) -> Plan:
    """What the classes of these tables are.

    Args:
        built: the tables.
        site: what the site says of links and lists; without it links may lead anywhere.
        retired: whether what is only kept (retired, or of an earlier type) is to be there too.
    """
    tables = dict(built) if retired else {name: _in_use(table) for name, table in built.items() if not table.mark.kept}
    entity_types = site.entity_types if site else {}
    lists: dict[str, list[TableState]] = {}
    own = []
    for table in tables.values():
        if table.mark.field:
            lists.setdefault(table.mark.entity_type, []).append(table)
        elif table.mark.entity_type != CATALOG:
            own.append(table)
    names = Names(TAKEN_IN_SCRIPT)
    classes = {}
    for table in sorted(own, key=lambda table: table.mark):
        code = table.mark.entity_type
        fields = entity_types[code].fields if code in entity_types else {}
        classes[table.name] = _class(names.take(code), table, lists.get(code, ()), fields)
    return Plan(_with_pairs(classes, entity_types), tables)


def _in_use(table: TableState) -> TableState:
    for name in [name for name, column in table.columns.items() if column.mark.kept]:
        table = table.without_column(name)
    return table


class Names:
    """Names that Python takes, each once: with a trailing underscore where one is taken."""

    def __init__(self, taken: Iterable[str]) -> None:
        self._taken = set(taken)

    def take(self, wanted: str) -> str:
        """A name as near to ``wanted`` as can be."""
        name = unicodedata.normalize("NFKC", wanted)
        name = "".join(character if f"_{character}".isidentifier() else "_" for character in name)
        if not name.isidentifier() or name.startswith(("__", "_sa_", "_held")):
            name = f"field_{name}"
        while name in self._taken:
            name += "_"
        self._taken.add(name)
        return name


def _class(name: str, table: TableState, lists: Iterable[TableState], fields: Mapping[str, Field]) -> ClassPlan:
    names = Names(TAKEN_IN_CLASS)
    link_columns = _link_columns(table)
    attributes = _attributes(table, link_columns, names)
    columns = tuple(
        ColumnPlan(attributes[column.name], column, _valid_values(column, fields)) for column in table.columns.values()
    )
    links = [*_links(link_columns, fields, attributes, names), *_lists(lists, fields, names)]
    return ClassPlan(table.mark.entity_type, name, table, columns, tuple(sorted(links, key=lambda one: one.attribute)))


LinkColumns: TypeAlias = Mapping[str, Mapping[str, ColumnState]]
"""The columns of links: by field, and by their role, which is ``id`` or ``type``."""


def _link_columns(table: TableState) -> LinkColumns:
    found: dict[str, dict[str, ColumnState]] = {}
    for column in table.columns.values():
        if column.mark.role in ("id", "type") and not column.mark.former:
            found.setdefault(column.mark.field, {})[column.mark.role] = column
    return found


def _attributes(table: TableState, link_columns: LinkColumns, names: Names) -> dict[str, str]:
    """By column, the attribute: the field's code where it may; the columns of links step aside for others."""
    of_links = {column.name for found in link_columns.values() for column in found.values()}
    attributes = {"id": "id"}
    for column in sorted(table.columns.values(), key=lambda column: (column.name in of_links, column.mark.kept)):
        if column.name != "id":
            is_field = column.mark.field and not column.mark.role and not column.mark.former
            attributes[column.name] = names.take(column.mark.field if is_field else column.name)
    return attributes


def _links(
    link_columns: LinkColumns, fields: Mapping[str, Field], attributes: Mapping[str, str], names: Names
) -> Iterator[LinkPlan]:
    for code, found in link_columns.items():
        types = _types(code, fields)
        if "id" in found and ("type" in found or len(types) == 1):
            type_attribute = attributes[found["type"].name] if "type" in found else ""
            yield LinkPlan(
                names.take(code), code, types, found["id"].comment, attributes[found["id"].name], type_attribute
            )


def _lists(tables: Iterable[TableState], fields: Mapping[str, Field], names: Names) -> Iterator[LinkPlan]:
    for table in sorted(tables, key=lambda table: (table.mark.kept, table.name)):
        code = "" if table.mark.former else table.mark.field
        types = _types(table.mark.field, fields)
        yield LinkPlan(names.take(code or table.name), code, types, table.comment, table=table.name)


def _types(code: str, fields: Mapping[str, Field]) -> tuple[str, ...]:
    return fields[code].valid_types if code in fields else ()


def _valid_values(column: ColumnState, fields: Mapping[str, Field]) -> tuple[str, ...]:
    of_site = fields.get(column.mark.field)
    if of_site is None or column.mark.kept or of_site.data_type not in ("list", "status_list"):
        return ()
    return of_site.valid_values


def _with_pairs(classes: Mapping[str, ClassPlan], entity_types: Mapping[str, EntityType]) -> dict[str, ClassPlan]:
    """The classes, with the attributes at the other ends of their links."""
    attributes = {
        (planned.entity_type, link.code): link.attribute
        for planned in classes.values()
        for link in planned.links
        if link.code
    }
    pairs = pairs_of(entity_types)
    found = {}
    for name, planned in classes.items():
        links = []
        for link in planned.links:
            ends = pairs.get((planned.entity_type, link.code), {})
            known = {code: attributes[code, field] for code, field in ends.items() if (code, field) in attributes}
            links.append(replace(link, pairs=known))
        found[name] = replace(planned, links=tuple(links))
    return found
