"""Records of one entity type into its table, its link tables and the table of rejects; the caller commits."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

import sqlalchemy as sa
from sqlalchemy.dialects import mysql
from sqlalchemy.exc import DBAPIError

from sg_migrate.database.load_record import REJECTS
from sg_migrate.load.plan import LoadedField, TypePlan, value_columns
from sg_migrate.load.upserts import Row, adapters, copy_rows, insert_literals, upserts
from sg_migrate.load.values import Reject, is_id, link, links

_IF_THERE = " ON DUPLICATE KEY UPDATE owner_id = owner_id"
_AT_ONCE = 5_000
"""Ids in one statement."""


@dataclass(slots=True)
class Page:
    """Records as rows: what each table gets."""

    rows: dict[int, list[Any]] = field(default_factory=dict)
    links: dict[str, set[Row]] = field(default_factory=dict)
    """By link table: owner, entity type and id."""
    rejects: dict[tuple[int, str], tuple[str, str]] = field(default_factory=dict)
    """By id and field: the value as JSON, and the reason."""


class Writer:
    """Writes some fields of one entity type's records.

    Args:
        connection: in a transaction, or about to begin one.
        plan: the fields.
        retired_since: what retired records get that were not known to be.
        partial: write only records that the table has, and leave alone whether they are retired.
        has_rejects: whether the table of rejects may have any of this entity type.
    """

    def __init__(
        self,
        connection: sa.Connection,
        plan: TypePlan,
        retired_since: datetime,
        *,
        partial: bool = False,
        has_rejects: bool = True,
    ) -> None:
        self.connection = connection
        self.plan = plan
        columns = value_columns(plan)
        stamp_type = [(plan.retired_at, sa.DateTime(timezone=True))]
        self._adapters = adapters(connection.dialect.name, columns)
        stamp = adapters(connection.dialect.name, stamp_type)
        self._stamp = stamp[0][1](retired_since) if stamp else retired_since
        self._partial = partial
        self._upserts = upserts(connection, plan.table, columns, None if partial else plan.retired_at)
        self._link_tables = sorted(one.link_table for one in plan.fields if one.link_table)
        self._has_rejects = has_rejects
        self._insert_reject = sa.insert(REJECTS)
        if connection.dialect.name in ("mysql", "mariadb"):
            of_mysql = mysql.insert(REJECTS)
            self._insert_reject = of_mysql.on_duplicate_key_update(value=of_mysql.inserted.value)
        self._quote = connection.dialect.identifier_preparer.quote_identifier

    def write(self, page: Page, *, retired: bool) -> int:
        """Write records, and take away the links and rejects that they have no longer.

        Args:
            page: what `page` made of them.
            retired: whether they are in the trash.

        Returns:
            How many rows of all tables are new, other than before, or gone.
        """
        if not self.connection.in_transaction():
            self.connection.begin()  # what goes to the driver itself begins none
        counts = self.connection.dialect.name in ("mysql", "mariadb")  # the others say what is new
        known = self.known(page.rows) if self._partial or counts else set()
        if self._partial:
            page.rows = {record_id: row for record_id, row in page.rows.items() if record_id in known}
        if not page.rows:
            return self._write_rejects(page)
        last = () if self._partial else (self._stamp if retired else None,)
        rows = [(record_id, *row, *last) for record_id, row in page.rows.items()]
        with _refused_by_the_driver(self.connection, self.plan.table):
            changed = self._upserts.write(rows, len(page.rows.keys() - known))
        return changed + self._write_links(page) + self._write_rejects(page)

    # --- from records to rows

    def page(self, records: Iterable[dict[str, Any]]) -> Page:
        """Records as rows; of several with one id the last counts."""
        page = Page(links={table: set() for table in self._link_tables})
        fields = self.plan.fields
        scalars = [(one.code, one.convert or link, len(one.columns)) for one in fields if not one.link_table]
        lists = [one for one in fields if one.link_table]
        for record in records:
            record_id = record.get("id")
            if not is_id(record_id):
                page.rejects[0, "id"] = (_shown(record_id), "not an id")
                continue
            row: list[Any] = []
            for code, convert, width in scalars:
                value = record.get(code)
                try:
                    if width == 1:
                        row.append(None if value is None else convert(value))
                    else:
                        row += (None, None) if value is None else convert(value)
                except Reject as error:
                    page.rejects[record_id, code] = (_shown(value), str(error))
                    row += (None,) * width
            for position, adapt in self._adapters:
                if row[position] is not None:
                    row[position] = adapt(row[position])
            page.rows[record_id] = row
            for one in lists:
                _list(one, record.get(one.code), record_id, page)
        return page

    # --- what is there

    def known(self, ids: Iterable[int]) -> set[int]:
        """Those of some ids that the table has."""
        query = f"SELECT id FROM {self._quote(self.plan.table)} WHERE id IN "
        return {row[0] for part in in_parts(ids) for row in self._query(query + part)}

    def _query(self, statement: str) -> sa.CursorResult[Any]:
        return self.connection.exec_driver_sql(statement)

    def _write_links(self, page: Page) -> int:
        if not self._link_tables:
            return 0
        query = " UNION ALL ".join(
            f"SELECT {number}, owner_id, linked_type, linked_id FROM {self._quote(table)} WHERE owner_id IN {{0}}"
            for number, table in enumerate(self._link_tables)
        )
        present: list[set[Row]] = [set() for _ in self._link_tables]
        for part in in_parts(page.rows):
            for found in self._query(query.replace("{0}", part)):
                present[found[0]].add(tuple(found[1:]))
        changed = 0
        for table, there in zip(self._link_tables, present, strict=True):
            wanted = {row for row in page.links[table] if row[0] in page.rows}
            self._delete_links(table, there - wanted)
            with _refused_by_the_driver(self.connection, table):
                self._insert_links(table, wanted - there)
            changed += len(there ^ wanted)
        return changed

    def _delete_links(self, name: str, rows: set[Row]) -> None:
        if rows:
            table = _link_table(name)
            keys = ("owner_id", "linked_type", "linked_id")
            of_row = sa.and_(*(table.c[key] == sa.bindparam(f"key_{key}") for key in keys))
            values = [dict(zip([f"key_{key}" for key in keys], row, strict=True)) for row in sorted(rows)]
            self.connection.execute(sa.delete(table).where(of_row), values)

    def _insert_links(self, name: str, rows: set[Row]) -> None:
        if not rows:
            return
        dialect = self.connection.dialect.name
        driver: Any = self.connection.connection.dbapi_connection
        into = f"{self._quote(name)} (owner_id, linked_type, linked_id)"
        if dialect == "sqlite":
            driver.executemany(f"INSERT INTO {into} VALUES (?, ?, ?)", sorted(rows))
        elif dialect == "postgresql":
            with driver.cursor() as cursor:
                copy_rows(cursor, f"COPY {into} FROM STDIN", sorted(rows))
        else:
            # A load on another node of a cluster may have been faster.
            insert_literals(driver, f"INSERT INTO {into} VALUES ", sorted(rows), _IF_THERE)

    def _write_rejects(self, page: Page) -> int:
        """Make the rejects of these records and fields what they are now."""
        if not self._has_rejects and not page.rejects:
            return 0
        present = {}
        for part in in_parts([*page.rows, 0]):
            query = sa.select(REJECTS).where(REJECTS.c.entity_type == self.plan.entity_type)
            for row in self.connection.execute(query.where(sa.text(f"record_id IN {part}"))):
                if row.field_code in ("id", *self.plan.codes):
                    present[row.record_id, row.field_code] = (row.value, row.reason)
        gone = [key for key in present if page.rejects.get(key) != present[key] and key != (0, "id")]
        new = {key: reject for key, reject in page.rejects.items() if present.get(key) != reject}
        for record_id, code in {*gone, *(key for key in new if key in present)}:
            of_row = (REJECTS.c.entity_type == self.plan.entity_type, REJECTS.c.record_id == record_id)
            self.connection.execute(sa.delete(REJECTS).where(*of_row, REJECTS.c.field_code == code))
        if new:
            self._has_rejects = True
            names = ("entity_type", "record_id", "field_code", "value", "reason")
            rows = [(self.plan.entity_type, *key, *reject) for key, reject in new.items()]
            self.connection.execute(self._insert_reject, [dict(zip(names, row, strict=True)) for row in rows])
        return len({*gone, *new})


@contextmanager
def _refused_by_the_driver(connection: sa.Connection, table: str) -> Iterator[None]:
    """Inside, what the driver raises becomes what SQLAlchemy raises: the driver is spoken to without it."""
    driver = connection.dialect.loaded_dbapi
    try:
        yield
    except driver.Error as error:
        raise DBAPIError.instance(f"INSERT INTO {table}", None, error, driver.Error) from error


def in_parts(ids: Iterable[int], size: int = _AT_ONCE) -> Iterator[str]:
    """Ids as the lists of SQL's ``IN``; only numbers get in there."""
    ordered = sorted(ids)
    for first in range(0, len(ordered), size):
        yield f"({', '.join(str(int(one)) for one in ordered[first : first + size])})"


def _link_table(name: str) -> sa.TableClause:
    return sa.table(name, sa.column("owner_id"), sa.column("linked_type"), sa.column("linked_id"))


def _list(one: LoadedField, value: Any, record_id: int, page: Page) -> None:
    try:
        found, wrong = links(value) if value is not None else (set(), "")
    except Reject as error:
        found, wrong = set(), str(error)
    page.links[one.link_table].update((record_id, *pair) for pair in found)
    if wrong:
        page.rejects[record_id, one.code] = (_shown(value), wrong)


def _shown(value: Any) -> str:
    """A value as a text that every engine stores, and that says what it was."""
    return json.dumps(value, sort_keys=True)
