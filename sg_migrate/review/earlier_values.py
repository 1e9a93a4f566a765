"""Values that a field kept from when it had the type that it gets again, and the statement that has them back."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import sqlalchemy as sa

from sg_migrate.database.reserved import quote_reserved
from sg_migrate.warehouse.state import ColumnState, State, TableState
from sg_migrate.warehouse.transition import Change
from sg_migrate.warehouse.type_change import type_change


@dataclass(frozen=True, slots=True)
class EarlierValues:
    """What the field kept: columns of its entity type's table, or a link table; beside what holds its values now."""

    table: str
    kept: tuple[ColumnState, ...] | TableState
    present: tuple[ColumnState, ...] | TableState

    @property
    def names(self) -> tuple[str, ...]:
        """The names of the columns, or of the table."""
        return (self.kept.name,) if isinstance(self.kept, TableState) else tuple(c.name for c in self.kept)

    @property
    def column(self) -> str:
        """The first column; empty for a link table."""
        return "" if isinstance(self.kept, TableState) else self.kept[0].name

    def statement(self, dialect: str) -> str:
        """SQL that gives what is empty its earlier value; what has one now keeps it."""
        found = sa.make_url(f"{dialect}://").get_dialect()()
        quote_reserved(found)
        text = str(self._statement().compile(dialect=found, compile_kwargs={"literal_binds": True}))
        return " ".join(text.split())

    def _statement(self) -> sa.Insert | sa.Update:
        if isinstance(self.kept, TableState) or isinstance(self.present, TableState):
            assert isinstance(self.kept, TableState)
            assert isinstance(self.present, TableState)
            kept = sa.table(self.kept.name, *map(_column, self.kept.columns.values()))
            present = sa.table(self.present.name, *map(_column, self.present.columns.values()))
            has_links = sa.select(present.c.owner_id).where(present.c.owner_id == kept.c.owner_id).exists()
            return sa.insert(present).from_select(list(kept.c.keys()), sa.select(kept).where(~has_links))
        kept_columns, columns = map(_column, self.kept), map(_column, self.present)
        pairs = dict(zip(columns, kept_columns, strict=True))
        first, kept_first = next(iter(pairs.items()))
        table = sa.table(self.table, *pairs.keys(), *pairs.values())
        return sa.update(table).where(first.is_(None), kept_first.is_not(None)).values(pairs)


def _column(state: ColumnState) -> sa.ColumnClause[Any]:
    return sa.column(state.name, state.type)


def earlier_values(after: State, change: Change) -> EarlierValues | None:
    """What a converted field kept under the type that it gets; of several the last, of none ``None``."""
    own = next((t for t in after.values() if t.mark.entity_type == change.entity_type and not t.mark.field), None)
    if own is None or change.new is None:
        return None
    links = [t for t in after.values() if (t.mark.entity_type, t.mark.field) == (change.entity_type, change.field)]
    for table in sorted(links, key=_age, reverse=True):
        present = next((t for t in links if not t.mark.former), None)
        if present and table.mark.former and table.mark.data_type == change.new.data_type:
            return EarlierValues(table.name, table, present)
    columns = [c for c in own.columns.values() if c.mark.field == change.field]
    present_columns = tuple(c for c in columns if not c.mark.former)
    for column in sorted(columns, key=_age, reverse=True):
        kept = tuple(c for c in columns if c.mark.former == column.mark.former)
        if column.mark.former and column.mark.data_type == change.new.data_type and _fit(kept, present_columns):
            return EarlierValues(own.name, _by_role(kept), _by_role(present_columns))
    return None


def _by_role(columns: tuple[ColumnState, ...]) -> tuple[ColumnState, ...]:
    return tuple(sorted(columns, key=lambda column: column.mark.role))


def _fit(kept: tuple[ColumnState, ...], present: tuple[ColumnState, ...]) -> bool:
    """Whether each column has its counterpart, which holds every value of it."""
    pairs = list(zip(_by_role(kept), _by_role(present), strict=False))
    return len(kept) == len(present) > 0 and all(
        old.mark.role == new.mark.role and type_change(old.type, new.type) != "convert" for old, new in pairs
    )


def _age(item: TableState | ColumnState) -> tuple[int, str]:
    """``text`` before ``text_2`` before ``text_10``."""
    return len(item.mark.former), item.mark.former
