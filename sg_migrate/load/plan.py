"""What a load reads of one entity type: what is built and is on the site with the same data type now."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator
from dataclasses import dataclass, replace
from typing import Any

import sqlalchemy as sa

from sg_migrate.load.values import Converter, converter
from sg_migrate.settings import Settings
from sg_migrate.site.schema import EntityType, Field, SiteSchema
from sg_migrate.site.selection import Selection
from sg_migrate.warehouse.columns import LINK_ROLES
from sg_migrate.warehouse.mapping import columns_for
from sg_migrate.warehouse.mark import RETIRED_AT, mark_for
from sg_migrate.warehouse.state import ColumnState, State, TableState
from sg_migrate.warehouse.type_change import type_change

_PER_READER = "_current_user"
"""In the codes of fields that every reader sees another value of."""
_NO_FILTER = {"calculated", "summary", "serializable", "jsonb", "url", "addressing", "pivot_column", "password"}
"""Data types that the site filters nothing by."""
_LINKS = ("entity", "multi_entity", "addressing")
_WORKED_OUT = {"calculated", "summary"}
"""Data types whose values change without a trace on the record."""


@dataclass(frozen=True, slots=True)
class LoadedField:
    """A field of the site with its home in the warehouse: one column, a link's two, or a link table."""

    code: str
    data_type: str
    columns: tuple[ColumnState, ...] = ()
    link_table: str = ""
    valid_types: tuple[str, ...] = ()
    """Of a link: the entity types that it may lead to."""
    convert: Converter | None = None
    """Of a single column."""

    @property
    def is_worked_out(self) -> bool:
        """Whether the site works its values out, and no event or date tells of another one."""
        return self.data_type in _WORKED_OUT

    @property
    def is_link(self) -> bool:
        """Whether it leads to other records."""
        return self.data_type in _LINKS

    @property
    def can_be_filtered(self) -> bool:
        """Whether the site can be asked for the records where it is not empty."""
        return self.data_type not in _NO_FILTER


@dataclass(frozen=True, slots=True)
class TypePlan:
    """What is read of one entity type, and where it goes."""

    entity_type: str
    table: str
    fields: tuple[LoadedField, ...]
    retired_at: str
    has_updated_at: bool
    project_column: str
    """Where the id of a record's project is; empty where it has none."""

    @property
    def codes(self) -> list[str]:
        """The fields to ask for."""
        return [field.code for field in self.fields]

    def only(self, codes: Collection[str]) -> TypePlan:
        """The same for some of the fields."""
        return replace(self, fields=tuple(field for field in self.fields if field.code in codes))


def plans(
    built: State, site: SiteSchema, settings: Settings, pending: Collection[str] = ()
) -> tuple[list[TypePlan], list[str]]:
    """A plan for each entity type that has a table and is on the site, and what a person should know of the others.

    Args:
        built: the tables as the database has them.
        site: what the site says now.
        settings: ``include``, ``exclude`` and ``load_exclude`` matter here.
        pending: the fields (``Shot.sg_cut_in``) whose conversion is not finished; they wait for it.
    """
    notes: list[str] = []
    found = []
    chosen = Selection(settings.include, (*settings.exclude, *settings.load_exclude))
    for table in built.values():
        mark = table.mark
        if mark.field or mark.kept or not chosen.entity_type(mark.entity_type):
            continue
        on_site = site.entity_types.get(mark.entity_type)
        if on_site is None:
            notes.append(f"{mark.entity_type}: the site does not have it any more; its rows stay as they are")
            continue
        plan, about = _plan(table, built, on_site, chosen, pending)
        notes += about
        if plan is not None:
            found.append(plan)
    return sorted(found, key=lambda plan: plan.entity_type), notes


def _plan(
    table: TableState, built: State, on_site: EntityType, chosen: Selection, pending: Collection[str]
) -> tuple[TypePlan | None, list[str]]:
    retired_at = next((c.name for c in table.columns.values() if c.mark.data_type == RETIRED_AT), None)
    if retired_at is None:
        return None, [f"{on_site}: its table has no column for what is in the trash; write the next revision first"]
    fields, notes = [], []
    for code, columns, links in _built_fields(table, built):
        field = on_site.fields.get(code)
        problem = _problem(field, columns, links, pending)
        if field is None or problem:
            notes.append(f"{on_site}.{code}: {problem}")
        elif chosen.field(field) and _PER_READER not in code:
            fields.append(_field(field, columns, links))
    is_moment = "updated_at" in on_site.fields and on_site.fields["updated_at"].data_type == "date_time"
    project = next((one.columns[0].name for one in fields if one.code == "project" and len(one.columns) == 2), "")
    return TypePlan(on_site.code, table.name, tuple(fields), retired_at, is_moment, project), notes


def _built_fields(table: TableState, built: State) -> Iterator[tuple[str, list[ColumnState], TableState | None]]:
    """The fields that are in use: their columns, or their link table."""
    columns: dict[str, list[ColumnState]] = {}
    for column in table.columns.values():
        if column.mark.field and column.name != "id" and not column.mark.kept:
            columns.setdefault(column.mark.field, []).append(column)
    links = {
        other.mark.field: other
        for other in built.values()
        if other.mark.entity_type == table.mark.entity_type and other.mark.field and not other.mark.kept
    }
    for code in sorted({*columns, *links}):
        yield code, columns.get(code, []), links.get(code)


def _problem(
    field: Field | None, columns: Iterable[ColumnState], links: TableState | None, pending: Collection[str]
) -> str:
    """Why a field's values are left as they are; empty where they are not."""
    if field is None or field.state != "active":
        return "the site does not have it any more; its values stay as they are"
    if str(field) in pending:
        return "its conversion is not finished: run `sg-migrate carry`; it is loaded after that"
    marks = [column.mark for column in columns] + ([links.mark] if links else [])
    target = columns_for(field)
    wanted = LINK_ROLES if target == "link" else {"": target} if not isinstance(target, str) else {}
    types = [wanted.get(column.mark.role) for column in columns] if target != "links" else []
    fits = all(type_ and type_change(one.type, type_) != "convert" for one, type_ in zip(columns, types, strict=False))
    if not fits or any(mark.data_type != mark_for(field).data_type for mark in marks):
        return f"it is {field.data_type} on the site now; its values stay until a revision follows"
    return ""


def _field(field: Field, columns: list[ColumnState], links: TableState | None) -> LoadedField:
    if links is not None:
        return LoadedField(field.code, field.data_type, (), links.name, field.valid_types)
    ordered = tuple(sorted(columns, key=lambda column: column.mark.role))
    convert = converter(field.data_type, columns[0].type) if len(columns) == 1 else None
    return LoadedField(field.code, field.data_type, ordered, "", field.valid_types, convert)


def on_site(plan: TypePlan, projects: Collection[int]) -> list[Any]:
    """The filters that leave the records of some projects; none where all are meant, or the type knows no project."""
    if not projects:
        return []
    if plan.entity_type == "Project":
        return [["id", "in", list(projects)]]
    return [["project", "in", [{"type": "Project", "id": one} for one in projects]]] if plan.project_column else []


def here(plan: TypePlan, projects: Collection[int]) -> list[sa.ColumnElement[bool]]:
    """What leaves the rows of the same records."""
    name = "id" if plan.entity_type == "Project" else plan.project_column
    return [sa.column(name).in_(projects)] if projects and name else []


def value_columns(plan: TypePlan) -> list[tuple[str, Any]]:
    """The columns that a record's values go to, in order, with their types."""
    return [(column.name, column.type) for field in plan.fields for column in field.columns]
