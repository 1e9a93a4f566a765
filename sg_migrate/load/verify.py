"""The proof: counts of the site against counts of the warehouse, and the values of a sample."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime, timezone
from decimal import Decimal
from typing import Any

import sqlalchemy as sa

from sg_migrate.errors import RefusedError
from sg_migrate.load.pages import beyond, highest, ids_of
from sg_migrate.load.plan import LoadedField, TypePlan, here, on_site
from sg_migrate.load.pool import Pool, Record
from sg_migrate.load.run import Warehouse, opened
from sg_migrate.load.session import Options
from sg_migrate.load.values import Reject, link, links
from sg_migrate.revisions.project import Project

SAMPLE = 100
"""Records of each entity type whose values are compared: spread over all of its ids."""


@dataclass(frozen=True, slots=True)
class Proof:
    """What was compared, and a line for each difference."""

    differences: tuple[str, ...]
    types: int
    records: int
    values: int


def verify(
    project: Project, pool: Pool, types: Sequence[str] = (), options: Options | None = None, *, url: str | None = None
) -> Proof:
    """Compare the warehouse with the site as it is now; writes nothing. Raises as `sg_migrate.load.run.load`.

    What people change while it compares shows up as a difference.
    """
    differences: list[str] = []
    counts = [0, 0]
    with opened(project, pool, types, url) as warehouse:
        for plan in warehouse.plans:
            compared = _Compared(warehouse, pool, plan, options or Options())
            try:
                differences += compared.differences()
            except RefusedError as error:
                differences.append(f"{plan.entity_type}: it cannot be compared: {error}")
            counts[0] += compared.records
            counts[1] += compared.values
    return Proof(tuple(differences), len(warehouse.plans), *counts)


class _Compared:
    """One entity type on both sides."""

    def __init__(self, warehouse: Warehouse, pool: Pool, plan: TypePlan, options: Options) -> None:
        self.connection, self.pool, self.plan, self.projects = warehouse.connection, pool, plan, options.projects
        self.records = self.values = 0
        columns = [(column.name, column.type) for field in plan.fields for column in field.columns]
        self.table = sa.table(
            plan.table, sa.column("id", sa.BigInteger()), sa.column(plan.retired_at),
            *(sa.column(name, type_) for name, type_ in columns),
        )  # fmt: skip
        self.active = self.table.c[plan.retired_at].is_(None)

    def differences(self) -> Iterator[str]:
        """A line for each difference."""
        yield from self._counts()
        yield from self._retired()
        yield from self._sample()

    def _counts(self) -> Iterator[str]:
        """Active records: in all, and for each project."""
        limits, ours = on_site(self.plan, self.projects), here(self.plan, self.projects)
        by = "project" if self.plan.project_column else ""
        count, groups = self.pool.count(self.plan.entity_type, limits, by)
        self.records += count
        query = sa.select(sa.func.count()).select_from(self.table).where(self.active, *ours)
        own = int(self.connection.execute(query).scalar_one())
        if own != count:
            yield f"{self.plan.entity_type}: {count:,} active records on the site, {own:,} here"
        elif by and groups:
            column = self.table.c[self.plan.project_column]
            grouped = sa.select(column, sa.func.count()).where(self.active, *ours).group_by(column)
            own_groups = {project: int(number) for project, number in self.connection.execute(grouped)}
            for project in sorted({*groups, *own_groups}, key=lambda one: one or 0):
                theirs, own = groups.get(project, 0), own_groups.get(project, 0)
                if theirs != own:
                    yield f"{self.plan.entity_type}, project {project}: {theirs:,} active on the site, {own:,} here"

    def _retired(self) -> Iterator[str]:
        """Retired records: those of the site's trash must be retired here; those deleted for ever are here alone."""
        limits, ours = on_site(self.plan, self.projects), here(self.plan, self.projects)
        last, missing = 0, 0
        while True:
            page = self.pool.find(self.plan.entity_type, [*limits, ["id", "greater_than", last]], ["id"], retired=True)
            ids = ids_of(page)
            if ids:
                query = sa.select(sa.func.count()).select_from(self.table)
                query = query.where(~self.active, self.table.c.id.in_(ids), *ours)
                missing += len(ids) - int(self.connection.execute(query).scalar_one())
            if len(page) < self.pool.page_size:
                break
            last = beyond(highest(page, last), last, self.plan.entity_type)
        if missing:
            yield f"{self.plan.entity_type}: {missing:,} records in the site's trash are not retired here"

    def _sample(self) -> Iterator[str]:
        """The values of some active records."""
        ids = self._sample_ids(here(self.plan, self.projects))
        if not ids or not self.plan.fields:
            return
        page = self.pool.find(self.plan.entity_type, [["id", "in", ids]], self.plan.codes)
        rows = {row["id"]: row for row in self.connection.execute(
            sa.select(self.table).where(self.table.c.id.in_(ids))).mappings()}  # fmt: skip
        linked = {field.code: self._links(field, ids) for field in self.plan.fields if field.link_table}
        for record in page:
            row = rows.get(record.get("id", 0))
            for field in self.plan.fields if row is not None else ():
                self.values += 1
                ours = linked[field.code].get(record["id"], set()) if field.link_table else _ours(field, row)
                if _theirs(field, record) != ours:
                    yield f"{self.plan.entity_type} {record['id']}, {field.code}: the values differ"

    def _sample_ids(self, scope: list[Any]) -> list[int]:
        query = sa.select(sa.func.min(self.table.c.id), sa.func.max(self.table.c.id)).where(self.active, *scope)
        low, high = self.connection.execute(query).one()
        if low is None:
            return []
        ids = set()
        for number in range(SAMPLE):
            start = low + (high - low) * number // SAMPLE
            first = sa.select(sa.func.min(self.table.c.id)).where(self.active, self.table.c.id >= start, *scope)
            ids.add(int(self.connection.execute(first).scalar_one()))
        return sorted(ids)

    def _links(self, field: LoadedField, ids: Sequence[int]) -> dict[int, set[tuple[str, int]]]:
        table = sa.table(field.link_table, *map(sa.column, ("owner_id", "linked_type", "linked_id")))
        found: dict[int, set[tuple[str, int]]] = {}
        for owner, entity_type, record_id in self.connection.execute(
            sa.select(table.c.owner_id, table.c.linked_type, table.c.linked_id).where(table.c.owner_id.in_(ids))
        ):
            found.setdefault(owner, set()).add((entity_type, record_id))
        return found


def _theirs(field: LoadedField, record: Record) -> Any:
    """A value of the site as the warehouse should have it; nothing where it is rejected."""
    value = record.get(field.code)
    try:
        if field.link_table:
            return links(value)[0] if value is not None else set()
        if value is None:
            return (None,) * len(field.columns)
        return tuple(map(_plain, link(value) if field.convert is None else (field.convert(value),)))
    except Reject:
        return set() if field.link_table else (None,) * len(field.columns)


def _ours(field: LoadedField, row: Any) -> tuple[Any, ...]:
    return tuple(_plain(row[column.name]) for column in field.columns)


def _plain(value: Any) -> Any:
    """A value in one form whatever the engine: moments in UTC without a zone, decimals of two digits."""
    if isinstance(value, datetime):
        return value.astimezone(timezone.utc).replace(tzinfo=None) if value.tzinfo else value
    return value.quantize(Decimal("0.01")) if isinstance(value, Decimal) else value
