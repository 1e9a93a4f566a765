"""Carrying values over, as statements: what moves, what converted and what did not, what going back would lose.

A carry-over always runs over a range of ids of one entity type's table and fills only what is still empty, so that it
can be done at once or in batches, and again after an interruption.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, TypeAlias

import sqlalchemy as sa

from sg_migrate.conversion.rules import converted
from sg_migrate.warehouse.mapping import ENTITY_TYPE, ID
from sg_migrate.warehouse.state import ColumnState

Ids: TypeAlias = "tuple[int | None, int | None] | list[int]"
"""A range of ids: above the first, up to the second, ``None`` being no limit; or these ids."""

ALL: Ids = (None, None)


@dataclass(frozen=True, slots=True)
class ColumnCarryOver:
    """From a column to the one that takes its place."""

    table: str
    former: ColumnState
    new: ColumnState

    @property
    def source(self) -> str:
        """What the values come from."""
        return self.former.name

    @property
    def target(self) -> str:
        """What they go to."""
        return self.new.name

    @property
    def kept_in(self) -> str:
        """Where the old values stay."""
        return f"{self.table}.{self.former.name}"

    def move(self, dialect: str, ids: Ids = ALL) -> sa.Update | None:
        """Convert the values of these rows; ``None`` where no rule converts any."""
        table, old, new = self._table()
        value = converted(old, self.former.type, self.new.type, dialect)
        if value is None:
            return None
        return sa.update(table).where(old.is_not(None), new.is_(None), *_within(table.c.id, ids)).values({new: value})

    def left(self, dialect: str, ids: Ids = ALL) -> sa.Select[Any] | None:
        """The ids of the rows that `move` would fill; ``None`` where no rule converts any."""
        table, old, new = self._table()
        value = converted(old, self.former.type, self.new.type, dialect)
        if value is None:
            return None
        return sa.select(table.c.id).where(
            old.is_not(None), new.is_(None), value.is_not(None), *_within(table.c.id, ids)
        )

    def counts(self, dialect: str) -> sa.Executable:
        """How many values there are, and how many of them have one in the new column."""
        table, old, new = self._table()
        has_value = _has_value(old, dialect)
        return sa.select(_count(has_value), _count(sa.and_(has_value, new.is_not(None)))).select_from(table)

    def lost(self, dialect: str) -> sa.Executable:
        """How many values of the new column did not come from the old one."""
        table, old, new = self._table()
        value = converted(old, self.former.type, self.new.type, dialect)
        written: sa.ColumnElement[bool] = _has_value(new, dialect)
        if value is not None:
            same = _exact(new, self.new, dialect) == _exact(value, self.new, dialect)
            written = sa.and_(written, sa.or_(value.is_(None), sa.not_(same)))
        return sa.select(_count(written)).select_from(table)

    def _table(self) -> tuple[sa.TableClause, sa.ColumnClause[Any], sa.ColumnClause[Any]]:
        old: sa.ColumnClause[Any] = sa.column(self.former.name, self.former.type)
        new: sa.ColumnClause[Any] = sa.column(self.new.name, self.new.type)
        return sa.table(self.table, sa.column("id", ID), old, new), old, new


@dataclass(frozen=True, slots=True)
class LinkCarryOver:
    """Between the two columns of an entity field and the link table of a multi_entity field."""

    table: str
    id_column: str
    type_column: str
    link_table: str
    to_table: bool
    """Whether the links go from the columns to the link table; else the other way."""

    @property
    def source(self) -> str:
        """What the links come from."""
        return self.id_column if self.to_table else self.link_table

    @property
    def target(self) -> str:
        """What they go to."""
        return self.link_table if self.to_table else self.id_column

    @property
    def kept_in(self) -> str:
        """Where the old links stay."""
        return f"{self.table}.{self.id_column}" if self.to_table else self.link_table

    def move(self, dialect: str, ids: Ids = ALL) -> sa.Insert | sa.Update:
        """Move the links of these rows: one link is one row; of several into one, none moves."""
        table, links = self._tables()
        if self.to_table:
            rows = sa.select(table.c.id, table.c[self.type_column], table.c[self.id_column]).where(
                self._is_link(table), *_within(table.c.id, ids), ~_links_of(table, links).exists()
            )
            return sa.insert(links).from_select(["owner_id", "linked_type", "linked_id"], rows)
        values = {
            self.id_column: _links_of(table, links, links.c.linked_id).scalar_subquery(),
            self.type_column: _links_of(table, links, links.c.linked_type).scalar_subquery(),
        }
        one = _links_of(table, links, sa.func.count()).scalar_subquery() == 1
        return sa.update(table).where(table.c[self.id_column].is_(None), *_within(table.c.id, ids), one).values(values)

    def left(self, dialect: str, ids: Ids = ALL) -> sa.Select[Any]:
        """The ids of the records of which `move` would move a link."""
        table, links = self._tables()
        if self.to_table:
            wanted = sa.and_(self._is_link(table), ~_links_of(table, links).exists())
        else:
            one = _links_of(table, links, sa.func.count()).scalar_subquery() == 1
            wanted = sa.and_(table.c[self.id_column].is_(None), one)
        return sa.select(table.c.id).where(wanted, *_within(table.c.id, ids))

    def counts(self, dialect: str) -> sa.Executable:
        """How many records have links, and how many of them have them in the new place."""
        table, links = self._tables()
        linked = _links_of(table, links).exists()
        in_columns = table.c[self.id_column].is_not(None)
        values, carried = (in_columns, linked) if self.to_table else (linked, in_columns)
        return sa.select(_count(values), _count(sa.and_(values, carried))).select_from(table)

    def lost(self, dialect: str) -> sa.Executable:
        """How many links of the new place did not come from the old one."""
        table, links = self._tables()
        same = sa.and_(
            links.c.owner_id == table.c.id,
            links.c.linked_id == table.c[self.id_column],
            links.c.linked_type == table.c[self.type_column],
        )
        if self.to_table:
            known = sa.select(table.c.id).where(same).correlate(links).exists()
            return sa.select(sa.func.count()).select_from(links).where(~known)
        moved = sa.and_(
            sa.select(links.c.owner_id).where(same).correlate(table).exists(),
            _links_of(table, links, sa.func.count()).scalar_subquery() == 1,
        )
        return sa.select(sa.func.count()).select_from(table).where(table.c[self.id_column].is_not(None), ~moved)

    def _is_link(self, table: sa.TableClause) -> sa.ColumnElement[bool]:
        return sa.and_(table.c[self.id_column].is_not(None), table.c[self.type_column].is_not(None))

    def _tables(self) -> tuple[sa.TableClause, sa.TableClause]:
        columns = (sa.column("id", ID), sa.column(self.id_column, ID), sa.column(self.type_column, ENTITY_TYPE))
        links = (sa.column("owner_id", ID), sa.column("linked_type", ENTITY_TYPE), sa.column("linked_id", ID))
        return sa.table(self.table, *columns), sa.table(self.link_table, *links)


CarryOver: TypeAlias = ColumnCarryOver | LinkCarryOver


def _links_of(table: sa.TableClause, links: sa.TableClause, *what: Any) -> sa.Select[Any]:
    query = sa.select(*(what or (links.c.owner_id,))).select_from(links)
    return query.where(links.c.owner_id == table.c.id).correlate(table)


def _within(id_: sa.ColumnElement[int], ids: Ids) -> list[sa.ColumnElement[bool]]:
    if isinstance(ids, list):
        return [id_.in_(ids)]
    above, up_to = ids
    return [*([id_ > above] if above is not None else []), *([id_ <= up_to] if up_to is not None else [])]


def _count(condition: sa.ColumnElement[bool]) -> sa.ColumnElement[int]:
    return sa.func.count(sa.case((condition, 1)))


def _has_value(column: sa.ColumnElement[Any], dialect: str) -> sa.ColumnElement[bool]:
    """Whether there is a value; JSON's own null, which SQLAlchemy writes for ``None``, is none."""
    if not isinstance(column.type, sa.JSON):
        return column.is_not(None)
    text = sa.cast(column, sa.Text()) if dialect == "postgresql" else sa.type_coerce(column, sa.Text())
    return sa.and_(column.is_not(None), text != "null")


def _exact(value: sa.ColumnElement[Any], column: ColumnState, dialect: str) -> sa.ColumnElement[Any]:
    """``value`` for a comparison: most collations of MySQL ignore case, accents and spaces at the end."""
    if dialect in ("mysql", "mariadb") and isinstance(column.type, sa.String):
        return sa.cast(value, sa.LargeBinary())
    return value
