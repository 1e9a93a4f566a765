"""The classes of a warehouse in memory."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

import sqlalchemy as sa
from sqlalchemy.orm import DeclarativeBase
from sqlalchemy.types import TypeEngine

from sg_migrate.models import values
from sg_migrate.models.flushing import keep_links
from sg_migrate.models.layouts import Layout
from sg_migrate.models.links import Link
from sg_migrate.models.lists import Links
from sg_migrate.models.plan import ClassPlan, LinkPlan, Plan
from sg_migrate.models.records import Record
from sg_migrate.models.site_rows import record_of
from sg_migrate.models.sources import plan_for
from sg_migrate.settings import Settings
from sg_migrate.warehouse.mapping import FLOAT, JSON_VALUE, STRING, STRING_IN_INDEX, TEXT, TIMESTAMP
from sg_migrate.warehouse.state import State, to_metadata, type_text

MODEL_TYPES: Mapping[str, str] = {
    type_text(TEXT): "TEXT",
    type_text(STRING): "STRING",
    type_text(STRING_IN_INDEX): "STRING_IN_INDEX",
    type_text(FLOAT): "FLOAT",
    type_text(TIMESTAMP): "MOMENT",
    type_text(JSON_VALUE): "JSON_VALUE",
}
"""The model's types with variants -> what they are called in `values`, where their values are Python's."""


def model_type(type_: TypeEngine[Any]) -> TypeEngine[Any]:
    """The type of a column whose values are what Python wants; its DDL is the same."""
    name = MODEL_TYPES.get(type_text(type_))
    if name is not None:
        found: TypeEngine[Any] = getattr(values, name)
        return found
    if isinstance(type_, sa.Numeric) and not isinstance(type_, sa.Float):
        return values.Money(type_.precision, type_.scale)
    if isinstance(type_, sa.DateTime):
        return values.UtcDateTime(timezone=type_.timezone)
    return type_


def tables_of(plan: Plan, states: State) -> sa.MetaData:
    """These tables of a plan, with the values of lists in ``info["valid_values"]``."""
    metadata = to_metadata(states)
    for name, planned in plan.classes.items():
        for one in planned.columns:
            if one.valid_values:
                metadata.tables[name].columns[one.column.name].info["valid_values"] = one.valid_values
    return metadata


class Models(Mapping[str, Any]):
    """One set of classes: ``models["Shot"]``. Sets know nothing of each other.

    Attributes:
        Base: the declarative base of the set; ``models.Base.metadata`` has its tables.
    """

    def __init__(self, base: type[Any]) -> None:
        self.Base = base
        self.metadata: sa.MetaData = base.metadata

    def __getitem__(self, entity_type: str) -> Any:
        return self.Base.__classes__[entity_type]

    def __iter__(self) -> Iterator[str]:
        return iter(self.Base.__classes__)

    def __len__(self) -> int:
        return len(self.Base.__classes__)

    def record(self, row: Mapping[str, Any]) -> Any:
        """A new object of what the site's API returned for a record: ``models.record(sg.find_one("Shot", ...))``.

        Fields that the warehouse does not have are left out. Raises `RowError` for a row or a value that it cannot be.
        """
        return record_of(self.Base.__classes__, row)


def build_models(
    source: Any, settings: Settings | None = None, *, layout: Layout = "sg_migrate", retired: bool = False
) -> Models:
    """The classes of a warehouse: one for every entity type, with its fields as attributes and its links as objects.

    Args:
        source: a connection to a site (a ``shotgun_api3.Shotgun``, logged in as a script or as a user), the path of a
            file or folder that `load_schema` reads, JSON text, a `SiteSchema`, `Loaded` or `Snapshot`, or a `Project`:
            what its revisions have built.
        settings: how the tables are called and what they leave out, where the source is no project; the defaults when
            left out.
        layout: ``shotgrid_orm-0.2`` and ``shotgrid_orm-0.3`` are for warehouses that these versions made.
        retired: of a project, whether what the site has no longer, or with another type, is there too.

    Returns:
        A new set, which shares nothing with other sets. Nothing is created in a database.

    Raises:
        SourceError: the source cannot be read, or is no schema.
        SettingsError: the settings do not fit the schema.
    """
    return classes_of(plan_for(source, settings, layout=layout, retired=retired))


def classes_of(plan: Plan) -> Models:
    """The planned classes."""
    metadata = tables_of(plan, plan.tables)
    for table in metadata.tables.values():
        for column in table.columns:
            column.type = model_type(column.type)
    base: type[Any] = type("Base", (Record, DeclarativeBase), {"metadata": metadata, "__module__": __name__})
    keep_links(base)
    for planned in plan.classes.values():
        _class(planned, base, metadata.tables[planned.table.name])
    return Models(base)


def _class(planned: ClassPlan, base: type[Any], table: sa.Table) -> None:
    namespace: dict[str, Any] = {
        "__table__": table,
        "__entity_type__": planned.entity_type,
        "__doc__": planned.table.comment,
        "__module__": base.__module__,
    }
    for one in planned.columns:
        namespace[one.attribute] = table.columns[one.column.name]
    for link in planned.links:
        namespace[link.attribute] = _link(link)
    type(planned.name, (base,), namespace)


def _link(planned: LinkPlan) -> Link[Any] | Links[Any]:
    types = " ".join(planned.types)
    if planned.table:
        return Links(planned.table, types, planned.pairs)
    return Link(planned.id_attribute, planned.type_attribute, types, planned.pairs)
