"""An independent witness of a warehouse's rows: writes them, remembers them, finds what became of them.

It shares no code with sg_migrate: it reads the engine's own catalogs (`structure`), hands plain values to the
driver and compares in Python (`oracle_values`).

    oracle = Oracle(url, ignore=["sg_catalog_*"])
    oracle.fill()                                    # rows into every table
    ...                                              # a migration that renames shot.cut_in
    renamed = {("shot", "cut_in"): ("shot", "cut_in__was_text")}
    oracle.expect("shot", 1, "cut_in", 12)           # by hand, in the names that the migration leaves
    oracle.verify(renamed=renamed)                   # AssertionError with the first differences
    oracle.settle(renamed=renamed)                   # these are the names from now on
    oracle.fill()                                    # the next rows
"""

from __future__ import annotations

import json
from collections.abc import Collection, Iterable, Iterator, Mapping
from fnmatch import fnmatchcase
from typing import Any
from zlib import crc32

import sqlalchemy as sa
from oracle_values import (
    Json,
    Kind,
    Tagged,
    distinct_value,
    from_driver,
    kind_of,
    planned,
    tag,
    to_driver,
    untag,
)
from structure import family, raw_connection, read_structure

__all__ = ["Json", "Oracle"]

Name = str | tuple[str, str]
"""A table, or a column as (table, column)."""
Key = int | str | tuple[Any, ...]
Row = dict[str, Tagged]
Ledger = dict[str, dict[str, Row]]
SHOWN = 20


class Oracle:
    """What was written into one database, by table, key and column (`ledger`), as `oracle_values.tag` puts it."""

    def __init__(self, url: str | sa.URL, *, ignore: Iterable[str] = (), schema: str | None = None) -> None:
        self.url = sa.make_url(url)
        self.schema = schema
        self.ignore = ["alembic_version", *ignore]
        self.ledger: Ledger = {}
        self.expected: Ledger = {}
        self.keys: dict[str, list[str]] = {}
        self.strangers: dict[str, list[str]] = {}

    def fill(
        self, rows_per_table: int = 3, tables: Iterable[str] | None = None, *, seed: int = 0, learn: bool = True
    ) -> int:
        """Insert rows into every table, or into those named; how many rows were written.

        With `learn`, tables that are new to it and the columns that known rows gained are remembered as they
        read now; without, what it did not write is no concern of `verify`, but for rows that vanish.
        """
        with raw_connection(self.url) as connection:
            database = _Database(connection, self.schema, self.ignore)
            if gone := self.ledger.keys() - database.tables.keys():
                raise RuntimeError(f"{sorted(gone)} are gone; verify and settle before filling")
            chosen = sorted(database.tables) if tables is None else list(tables)
            for table in chosen:
                self._learn(database, table, learn)
            later = []
            for table in database.in_order_of_references(chosen):
                first = len(self.ledger[table])
                rows = [self._new_row(database, table, n, seed) for n in range(first, first + rows_per_table)]
                database.insert(table, rows)
                later.append((table, rows, first))
            for table, rows, first in later:
                self._point(database, table, rows, first)
        return rows_per_table * len(chosen)

    def verify(self, *, renamed: Mapping[Name, Name] | None = None, dropped: Collection[Name] = ()) -> int:
        """Compare every remembered value with what is there now; how many values were compared.

        Tables and columns that appeared are of no interest; rows that appeared or vanished are differences.
        """
        wanted = self._moved(renamed or {}, dropped)
        with raw_connection(self.url) as connection:
            database = _Database(connection, self.schema, self.ignore)
            differences = list(wanted._differences(database))
        compared = sum(len(row) for rows in wanted._wanted().values() for row in rows.values())
        if differences:
            listed = "\n".join(f"  {line}" for line in differences[:SHOWN])
            raise AssertionError(f"{len(differences)} differences, the first are\n{listed}")
        if not compared:
            raise AssertionError("the oracle has nothing to compare: nothing was written")
        return compared

    def write(self, table: str, rows: Mapping[int, Mapping[str, Any]]) -> None:
        """Insert rows chosen by hand, by id; what they leave out is NULL."""
        with raw_connection(self.url) as connection:
            database = _Database(connection, self.schema, self.ignore)
            self._learn(database, table, True)
            columns = sorted({column for row in rows.values() for column in row})
            database.insert(table, [{"id": n, **{c: row.get(c) for c in columns}} for n, row in rows.items()])
            found = database.read(table, self.keys[table])
        self.ledger[table] |= {_key(number): found[_key(number)] for number in rows}

    def expect(self, table: str, key: Key, column: str, value: Any) -> None:
        """State what a value must be at the next `verify`, in the names that hold then; the row may be new."""
        self.expected.setdefault(table, {}).setdefault(_key(key), {})[column] = tag(value)

    def forget(self, table: str, key: Key) -> None:
        """A row that is meant to be gone."""
        del self.ledger[table][_key(key)]

    def settle(self, *, renamed: Mapping[Name, Name] | None = None, dropped: Collection[Name] = ()) -> None:
        """Take over the new names and the expected values, once `verify` has passed with them."""
        moved = self._moved(renamed or {}, dropped)
        self.ledger, self.expected = moved._wanted(), {}
        self.keys, self.strangers = moved.keys, moved.strangers

    def values(self, table: str, column: str) -> dict[Key, Any]:
        """The remembered values of a column, by key: an int for a key of one column, else a tuple."""
        found = {}
        for key, row in self.ledger[table].items():
            if column in row:
                parts = json.loads(key)
                found[parts[0] if len(parts) == 1 else tuple(parts)] = untag(row[column])
        return found

    def dump(self) -> str:
        """All that it remembers, as JSON, but for the address."""
        parts = ("ledger", "expected", "keys", "strangers", "ignore", "schema")
        return json.dumps({part: getattr(self, part) for part in parts})

    @classmethod
    def load(cls, url: str | sa.URL, text: str) -> Oracle:
        """The oracle that was dumped, for this or for a copied database."""
        oracle = cls(url)
        for part, value in json.loads(text).items():
            setattr(oracle, part, value)
        return oracle

    def _learn(self, database: _Database, table: str, learn: bool) -> None:
        key = self.keys.setdefault(table, database.primary_key(table))
        found = database.read(table, key)
        if table not in self.ledger:
            self.ledger[table] = found if learn else {}
            self.strangers[table] = [] if learn else list(found)
        known = self.ledger[table]
        for name, row in known.items() if learn else ():
            if gone := row.keys() - found.get(name, {}).keys():
                raise RuntimeError(f"{table} {name}: {sorted(gone)} are gone; verify and settle before filling")
            known[name] = found[name] | row

    def _new_row(self, database: _Database, table: str, number: int, seed: int) -> dict[str, Any]:
        """One row, entered into the ledger; references that may be NULL are still NULL."""
        facts, references = database.tables[table], database.references(table)
        key, unique = facts["primary_key"], database.unique_columns(table)
        huge = min(facts["columns"], key=lambda c: (not database.kinds[table][c].huge, crc32(c.encode())))
        row: dict[str, Any] = {}
        for column, about in facts["columns"].items():
            kind = database.kinds[table][column]
            if about["generated"]:
                continue
            if column in references and (column in key or not about["nullable"]):
                row[column] = self._target(references[column], number)
            elif column in references:
                row[column] = None
            elif column in key:
                row[column] = distinct_value(kind, number)
            else:
                name, nullable = f"{seed}.{table}.{column}", about["nullable"]
                plan = {"nullable": nullable, "distinct": column in unique, "huge": column == huge}
                row[column] = planned(kind, name, number, **plan)
        known, taken = self.ledger[table], self.strangers[table]
        name = _key(tuple(_payload(row[column]) for column in key))
        if name in known or name in taken:
            return self._new_row(database, table, number + 1000, seed)
        known[name] = {column: tag(value) for column, value in row.items()}
        return row

    def _target(self, reference: tuple[str, str], number: int) -> Any:
        table, column = reference
        rows = list(self.ledger.get(table, {}).values())
        return untag(rows[number % len(rows)][column]) if rows else None

    def _point(self, database: _Database, table: str, rows: list[dict[str, Any]], first: int) -> None:
        """Let two of three references that may be NULL point at a row that exists."""
        key = database.primary_key(table)
        for column, reference in database.references(table).items():
            if column in key or not database.tables[table]["columns"][column]["nullable"]:
                continue
            for number, row in enumerate(rows, first):
                target = self._target(reference, number) if (crc32(column.encode()) + number) % 3 else None
                if target is not None:
                    database.update(table, {name: row[name] for name in key}, column, target)
                    name = _key(tuple(_payload(row[part]) for part in key))
                    self.ledger[table][name][column] = tag(target)

    def _moved(self, renamed: Mapping[Name, Name], dropped: Collection[Name]) -> Oracle:
        """The same memory in the names that hold after a migration."""
        moved = Oracle(self.url, ignore=self.ignore, schema=self.schema)
        moved.expected = self.expected
        for table, rows in self.ledger.items():
            if table in dropped:
                continue
            new = _new_table(table, renamed)
            columns = {c for row in rows.values() for c in row} | set(self.keys[table])
            names = {c: _new_column(table, c, new, renamed) for c in columns}
            moved.ledger[new] = {
                key: {names[c]: value for c, value in row.items() if (table, c) not in dropped}
                for key, row in rows.items()
            }
            moved.keys[new] = [names[column] for column in self.keys[table]]
            moved.strangers[new] = self.strangers[table]
        return moved

    def _wanted(self) -> Ledger:
        """The ledger, overridden by what is expected."""
        wanted = {table: {key: dict(row) for key, row in rows.items()} for table, rows in self.ledger.items()}
        for table, rows in self.expected.items():
            for key, row in rows.items():
                wanted.setdefault(table, {}).setdefault(key, {}).update(row)
        return wanted

    def _differences(self, database: _Database) -> Iterator[str]:
        for table, rows in sorted(self._wanted().items()):
            if table not in database.tables:
                yield f"{table}: the table is gone ({len(rows)} rows were written)"
                continue
            key = self.keys.get(table) or database.primary_key(table)
            if missing := [c for c in key if c not in database.tables[table]["columns"]]:
                yield f"{table}: the key column {missing[0]} is gone"
                continue
            yield from _compare(table, rows, database.read(table, key), self.strangers.get(table, []))


class _Database:
    """One open connection with what its catalogs say."""

    def __init__(self, connection: sa.Connection, schema: str | None, ignore: list[str]) -> None:
        self.connection, self.schema = connection, schema
        self.engine = family(connection)
        found = read_structure(connection, schema=schema)["tables"]
        self.tables = {n: t for n, t in found.items() if not any(fnmatchcase(n, p) for p in ignore)}
        self.kinds = {name: self._kinds(table) for name, table in self.tables.items()}

    def _kinds(self, table: dict[str, Any]) -> dict[str, Kind]:
        checks = set(table["checks"].values()) if self.engine == "mysql" else set()
        return {
            name: kind_of(self.engine, about["type"], is_json=f"json_valid(`{name}`)" in checks)
            for name, about in table["columns"].items()
        }

    def primary_key(self, table: str) -> list[str]:
        key: list[str] = self.tables[table]["primary_key"]
        if not key:
            raise ValueError(f"{table} has no primary key: the oracle cannot find its rows again; ignore it")
        return key

    def references(self, table: str) -> dict[str, tuple[str, str]]:
        """The foreign keys of one column: column -> (table, column)."""
        found = {}
        for entry in self.tables[table]["foreign_keys"].values():
            if len(entry["columns"]) == 1:
                target = entry["referred"][0] or self.primary_key(entry["table"])[0]
                found[entry["columns"][0]] = (entry["table"], target)
        return found

    def unique_columns(self, table: str) -> set[str]:
        facts = self.tables[table]
        entries = [*facts["uniques"].values(), *(i for i in facts["indexes"].values() if i["unique"])]
        return {column for entry in entries for column in entry["columns"]}

    def in_order_of_references(self, tables: Iterable[str]) -> list[str]:
        """Referred tables first, where the reference may not be NULL."""
        ordered: list[str] = []
        chosen, seen = set(tables), set()

        def visit(table: str) -> None:
            if table in seen or table not in chosen:
                return
            seen.add(table)
            columns = self.tables[table]["columns"]
            for column, (target, _) in sorted(self.references(table).items()):
                if not columns[column]["nullable"]:
                    visit(target)
            ordered.append(table)

        for table in sorted(chosen):
            visit(table)
        return ordered

    def read(self, table: str, key: list[str]) -> dict[str, Row]:
        """Every row, by key, without any of SQLAlchemy's result processing."""
        kinds = self.kinds[table]
        columns: list[sa.ColumnElement[Any]] = []
        for name, kind in kinds.items():
            as_text = self.engine == "postgresql" and kind.name == "json"  # or JSON null would read as None
            columns.append(sa.cast(sa.column(name), sa.Text) if as_text else sa.column(name))
        rows: dict[str, Row] = {}
        for raw in self.connection.execute(sa.select(*columns).select_from(self._table(table))):
            pairs = zip(kinds.items(), raw, strict=True)
            row = {name: from_driver(self.engine, kind, value) for (name, kind), value in pairs}
            rows[_key(tuple((row[name] or [None, None])[1] for name in key))] = row
        return rows

    def insert(self, table: str, rows: list[dict[str, Any]]) -> None:
        statement = sa.insert(self._table(table))
        self.connection.execute(statement, [self._given(row) for row in rows])

    def update(self, table: str, key: dict[str, Any], column: str, value: Any) -> None:
        target = self._table(table)
        same = [target.c[name] == given for name, given in self._given(key).items()]
        self.connection.execute(sa.update(target).where(*same).values(self._given({column: value})))

    def _given(self, row: dict[str, Any]) -> dict[str, Any]:
        return {name: to_driver(self.engine, value) for name, value in row.items()}

    def _table(self, name: str) -> sa.TableClause:
        return sa.table(name, *map(sa.column, self.tables[name]["columns"]), schema=self.schema)


def _compare(table: str, wanted: dict[str, Row], found: dict[str, Row], strangers: list[str]) -> Iterator[str]:
    for key in sorted(found.keys() - wanted.keys() - set(strangers)):
        yield f"{table} {key}: the row appeared"
    for key in sorted(set(strangers) - found.keys()):
        yield f"{table} {key}: the row, which was there before, vanished"
    for key, row in wanted.items():
        if key not in found:
            yield f"{table} {key}: the row vanished"
            continue
        for column, written in row.items():
            if column not in found[key]:
                yield f"{table} {key} {column}: the column is gone; written {_show(written)}"
            elif found[key][column] != written:
                yield f"{table} {key} {column}: written {_show(written)}, read {_show(found[key][column])}"


def _show(tagged: Tagged) -> str:
    if tagged is None:
        return "NULL"
    text = repr(tagged[1])
    return f"{tagged[0]} {text if len(text) < 150 else f'{text[:60]}...{text[-60:]} ({len(tagged[1])} long)'}"


def _key(key: Key) -> str:
    return json.dumps(list(key) if isinstance(key, tuple) else [key], ensure_ascii=False)


def _payload(value: Any) -> Any:
    tagged = tag(value)
    return None if tagged is None else tagged[1]


def _new_table(table: str, renamed: Mapping[Name, Name]) -> str:
    new = renamed.get(table, table)
    if not isinstance(new, str):
        raise TypeError(f"{table} is a table, {new} is not")
    return new


def _new_column(table: str, column: str, new_table: str, renamed: Mapping[Name, Name]) -> str:
    new = renamed.get((table, column), (new_table, column))
    if isinstance(new, str) or new[0] != new_table:
        raise ValueError(f"{table}.{column} cannot become {new}: the table is {new_table}")
    return new[1]
