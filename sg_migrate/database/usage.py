"""How full the fields of a warehouse are: what nobody uses, and what trashing it would hit. Only reads."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import sqlalchemy as sa

from sg_migrate.site.schema import SiteSchema
from sg_migrate.text import clean
from sg_migrate.warehouse.mark import CATALOG, RETIRED_AT
from sg_migrate.warehouse.state import State, TableState, to_metadata

MOST_VALUES = 100
"""Values of a list that are told, those with the most records."""


LISTS = ("list", "status_list")


@dataclass(frozen=True, slots=True)
class Use:
    """How an entity type, or an active field of it, is used among the records that are not in the trash.

    Attributes:
        place: ``Shot``, ``Shot.sg_old``.
        name: its display name.
        records: how many records of the entity type there are.
        filled: how many of them have a value; of an entity type all of them.
        projects: by project id, how many of its records have a value; ``None`` stands for no project.
        last_written: the newest ``updated_at`` of a record with a value, as text; empty where nothing tells.
        values: of a list, how many records have which value, the most first.
    """

    place: str
    name: str
    records: int
    filled: int
    projects: dict[int | None, int]
    last_written: str = ""
    values: tuple[tuple[str, int], ...] = ()

    @property
    def could_go(self) -> bool:
        """Whether it is empty, or used in one project only; of a field where there are records at all."""
        in_one = len(self.projects) == 1 and None not in self.projects
        return (bool(self.records) or "." not in self.place) and (self.filled == 0 or in_one)

    @property
    def is_custom(self) -> bool:
        """Whether people made it, as far as its code tells."""
        entity_type, _, field = self.place.partition(".")
        return field.startswith("sg_") if field else entity_type.startswith("Custom")


def usage(
    connection: sa.Connection, built: State, site: SiteSchema, entity_types: Collection[str] | None = None
) -> Iterator[Use]:
    """The use of entity types and of their active fields.

    It takes one query for each table, of an entity type or of a list of links, and one more for all lists of values of
    an entity type.

    Args:
        connection: a warehouse that is loaded; its session reads the tables without a schema's name.
        built: the tables that its revisions have built.
        site: what the snapshot says of them.
        entity_types: only these; all of them where left out.
    """
    metadata = to_metadata(built)
    in_use = [one for one in built.values() if not one.mark.kept and one.mark.entity_type != CATALOG]
    lists: dict[str, list[TableState]] = defaultdict(list)
    for state in in_use:
        if state.mark.field:
            lists[state.mark.entity_type].append(state)
    for state in sorted(in_use, key=lambda state: state.mark):
        if not state.mark.field and (entity_types is None or state.mark.entity_type in entity_types):
            links = [(one, metadata.tables[one.name]) for one in lists[state.mark.entity_type]]
            yield from _of_table(connection, state, metadata.tables[state.name], links, site)


def _of_table(
    connection: sa.Connection, state: TableState, table: sa.Table, links: Iterable[tuple[TableState, sa.Table]],
    site: SiteSchema,
) -> Iterator[Use]:  # fmt: skip
    known = site.entity_types.get(state.mark.entity_type)
    names = {code: clean(field.name) for code, field in known.fields.items()} if known else {}
    columns = {
        one.mark.field: table.columns[one.name]
        for one in state.columns.values()
        if one.mark.field and not one.mark.kept and one.mark.role in ("", "id") and one.name != "id"
    }
    project, active = _project(state, table), _active(state, table)
    written = table.columns.get("updated_at")
    aggregates: list[Any] = [sa.func.count(), sa.func.max(written) if written is not None else sa.null()]
    for column in columns.values():
        newest = sa.func.max(sa.case((column.is_not(None), written))) if written is not None else sa.null()
        aggregates += [sa.func.count(column), newest]
    groups = connection.execute(_by(project, *aggregates).select_from(table).where(active)).all()
    records = sum(row[1] for row in groups)
    of_project = _sorted({row[0]: row[1] for row in groups if row[1]})
    yield Use(state.mark.entity_type, clean(known.name) if known else "", records, records, of_project,
              max((_text(row[2]) for row in groups), default=""))  # fmt: skip
    values = _values(connection, state, columns, active)
    for number, code in enumerate(columns):
        found = [(row[0], row[3 + 2 * number], row[4 + 2 * number]) for row in groups]
        filled = _sorted({of: count for of, count, _ in found if count})
        last = max((_text(moment) for _, _, moment in found), default="")
        yield Use(
            f"{state.mark.entity_type}.{code}", names.get(code, ""), records, sum(filled.values()), filled, last,
            tuple(values.get(code, ())),
        )  # fmt: skip
    for of_list, rows in links:
        query = _by(project, sa.func.count(sa.distinct(rows.c.owner_id)))
        query = query.select_from(rows.join(table, rows.c.owner_id == table.c.id)).where(active)
        filled = _sorted({row[0]: row[1] for row in connection.execute(query) if row[1]})
        code = of_list.mark.field
        yield Use(f"{state.mark.entity_type}.{code}", names.get(code, ""), records, sum(filled.values()), filled)


def _sorted(projects: Mapping[int | None, int]) -> dict[int | None, int]:
    """By project id, no project last."""
    return dict(sorted(projects.items(), key=lambda item: (item[0] is None, item[0] or 0)))


def _values(
    connection: sa.Connection, state: TableState, columns: Mapping[str, sa.Column[Any]], active: Any
) -> dict[str, list[tuple[str, int]]]:
    """By field how many records have which value, for the fields that are lists."""
    lists = {one.mark.field for one in state.columns.values() if one.mark.data_type in LISTS and not one.mark.kept}
    queries = [
        sa.select(sa.literal(code).label("field"), column.label("value"), sa.func.count().label("number"))
        .where(active, column.is_not(None)).group_by(column)
        for code, column in columns.items() if code in lists
    ]  # fmt: skip
    found: dict[str, list[tuple[str, int]]] = {}
    if queries:
        for code, value, number in connection.execute(sa.union_all(*queries)):
            found.setdefault(code, []).append((clean(str(value)), number))
    return {code: sorted(ones, key=lambda one: (-one[1], one[0]))[:MOST_VALUES] for code, ones in found.items()}


def _by(project: Any, *aggregates: Any) -> Any:
    """Figures for each project, or where records belong to none for all of them at once."""
    if project is None:
        return sa.select(sa.null(), *aggregates)
    return sa.select(project, *aggregates).group_by(project)


def _project(state: TableState, table: sa.Table) -> Any:
    """What records belong to: their project's id; a project is its own, and some belong to none."""
    if state.mark.entity_type == "Project":
        return table.c.id
    for one in state.columns.values():
        if one.mark.field == "project" and one.mark.role == "id" and not one.mark.kept:
            return table.columns[one.name]
    return None


def _active(state: TableState, table: sa.Table) -> Any:
    for one in state.columns.values():
        if one.mark.data_type == RETIRED_AT and not one.mark.field:
            return table.columns[one.name].is_(None)
    return sa.true()


def _text(moment: Any) -> str:
    return moment.isoformat(" ", "seconds")[:19] if isinstance(moment, datetime) else str(moment or "")[:19]
