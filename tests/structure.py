"""The structure of a whole database, read from its own catalogs, as plain dicts, lists and strings.

Neither SQLAlchemy's reflection nor its types take part: what is compared is what the engine says of itself.
SQLite, PostgreSQL and MariaDB (MySQL lacks a column of `CHECK_CONSTRAINTS` that is read here).
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from fnmatch import fnmatchcase
from typing import Any

import sqlalchemy as sa

Structure = dict[str, Any]
Rows = Iterable[Mapping[str, Any]]

NAMED_PARTS = ("columns", "indexes", "uniques", "foreign_keys", "checks", "triggers")


@contextmanager
def raw_connection(url: str | sa.URL) -> Iterator[sa.Connection]:
    """One connection in UTC, committed at the end, that leaves nothing open behind it."""
    engine = sa.create_engine(url, poolclass=sa.NullPool)
    try:
        with engine.begin() as connection:
            if family(connection) == "postgresql":
                connection.exec_driver_sql("SET TIME ZONE 'UTC'")
            elif family(connection) == "mysql":
                connection.exec_driver_sql("SET time_zone = '+00:00'")
            else:
                driver: Any = connection.connection.dbapi_connection
                driver.text_factory = lambda raw: raw.decode("utf-8", "surrogateescape")
            yield connection
    finally:
        engine.dispose()


def family(connection: sa.Connection) -> str:
    """`sqlite`, `postgresql` or `mysql` (which stands for MariaDB too)."""
    return "mysql" if connection.dialect.name == "mariadb" else connection.dialect.name


def snapshot_structure(url: str | sa.URL, *, ignore: Iterable[str] = (), schema: str | None = None) -> Structure:
    """Tables, views and sequences of the database (or of one PostgreSQL schema).

    `ignore` holds patterns of names (`sg_catalog_*`) and of names inside a table
    (`shot.sg_old*` for columns, indexes, constraints and triggers alike).
    """
    with raw_connection(url) as connection:
        return read_structure(connection, ignore=ignore, schema=schema)


def read_structure(connection: sa.Connection, *, ignore: Iterable[str] = (), schema: str | None = None) -> Structure:
    """`snapshot_structure` on an open connection."""
    readers = {"sqlite": _sqlite, "postgresql": _postgresql, "mysql": _mariadb}
    structure = readers[family(connection)](connection, schema)
    return _without(structure, tuple(ignore))


def diff_structure(a: Structure, b: Structure, *, column_order: bool = False) -> list[str]:
    """One line for each difference; empty when equal. The order of columns counts only on request."""
    return list(_differences(a, b, "", column_order))


def _differences(a: Any, b: Any, path: str, column_order: bool) -> Iterator[str]:
    if isinstance(a, dict) and isinstance(b, dict):
        for key in sorted(a.keys() | b.keys()):
            if key == "column_order" and not column_order:
                continue
            where = f"{path}.{key}" if path else key
            if key not in b:
                yield f"{where}: only in the first: {a[key]!r}"
            elif key not in a:
                yield f"{where}: only in the second: {b[key]!r}"
            else:
                yield from _differences(a[key], b[key], where, column_order)
    elif a != b or type(a) is not type(b):
        yield f"{path}: {a!r} != {b!r}"


def _without(structure: Structure, patterns: tuple[str, ...]) -> Structure:
    def ignored(name: str) -> bool:
        return any(fnmatchcase(name, pattern) for pattern in patterns)

    kept = {kind: {n: v for n, v in found.items() if not ignored(n)} for kind, found in structure.items()}
    for name, table in kept["tables"].items():
        for part in NAMED_PARTS:
            table[part] = {n: v for n, v in table[part].items() if not ignored(f"{name}.{n}")}
        table["column_order"] = [n for n in table["column_order"] if n in table["columns"]]
    return kept


def _query(connection: sa.Connection, statement: str, **values: object) -> Rows:
    return [dict(row) for row in connection.execute(sa.text(statement), values).mappings()]


def _empty_table(comment: str | None = None, **options: object) -> dict[str, Any]:
    parts: dict[str, Any] = {part: {} for part in NAMED_PARTS}
    return {"comment": comment, "options": options, "primary_key": [], "column_order": [], **parts}


def _add_column(table: dict[str, Any], name: str, **facts: object) -> None:
    table["columns"][name] = facts
    table["column_order"].append(name)


# --- SQLite


def _sqlite(connection: sa.Connection, schema: str | None) -> Structure:
    if schema is not None:
        raise ValueError("SQLite has no schemas here")
    master = list(_query(connection, "SELECT type, name, tbl_name, sql FROM sqlite_master"))
    tables: dict[str, Any] = {}
    for row in master:
        if row["type"] == "table" and not row["name"].startswith("sqlite_"):
            sql = row["sql"]
            tables[row["name"]] = table = _empty_table(
                autoincrement=bool(re.search(r"\bAUTOINCREMENT\b", sql, re.I)),
                tail=" ".join(sql[sql.rindex(")") + 1 :].split()).upper(),
            )
            table["checks"] = {text: text for text in _sqlite_checks(sql)}
    _sqlite_columns(connection, tables)
    _sqlite_indexes(connection, tables, {row["name"]: row["sql"] for row in master})
    _sqlite_foreign_keys(connection, tables)
    for row in master:
        if row["type"] == "trigger" and row["tbl_name"] in tables:
            tables[row["tbl_name"]]["triggers"][row["name"]] = row["sql"]
    views = {row["name"]: row["sql"] for row in master if row["type"] == "view"}
    return {"tables": tables, "views": views, "sequences": {}}


def _sqlite_columns(connection: sa.Connection, tables: dict[str, Any]) -> None:
    statement = """SELECT m.name AS "table", c.* FROM sqlite_master m, pragma_table_xinfo(m.name) c
                   WHERE m.type = 'table' ORDER BY m.name, c.cid"""
    keys: dict[str, list[tuple[int, str]]] = {}
    for row in _query(connection, statement):
        if row["table"] not in tables:
            continue
        _add_column(
            tables[row["table"]],
            row["name"],
            type=row["type"],
            nullable=not row["notnull"],
            default=row["dflt_value"],
            comment=None,
            generated=row["hidden"] or None,
        )
        if row["pk"]:
            keys.setdefault(row["table"], []).append((row["pk"], row["name"]))
    for name, found in keys.items():
        tables[name]["primary_key"] = [column for _, column in sorted(found)]


def _sqlite_indexes(connection: sa.Connection, tables: dict[str, Any], sql: dict[str, str | None]) -> None:
    statement = """SELECT m.name AS "table", i.name, i."unique", i.origin, x.name AS "column"
                   FROM sqlite_master m, pragma_index_list(m.name) i, pragma_index_info(i.name) x
                   WHERE m.type = 'table' ORDER BY m.name, i.name, x.seqno"""
    for row in _query(connection, statement):
        if row["table"] not in tables or row["origin"] == "pk":
            continue
        part = "uniques" if row["origin"] == "u" else "indexes"
        definition = " ".join((sql[row["name"]] or "").replace('"', "").split())
        fresh = {"columns": [], "unique": bool(row["unique"]), "definition": definition}
        entry = tables[row["table"]][part].setdefault(row["name"], fresh)
        entry["columns"].append(row["column"])
    for table in tables.values():  # sqlite_autoindex_t_1 is numbered, not named
        table["uniques"] = {",".join(map(str, u["columns"])): u for u in table["uniques"].values()}


def _sqlite_foreign_keys(connection: sa.Connection, tables: dict[str, Any]) -> None:
    statement = """SELECT m.name AS owner, f.* FROM sqlite_master m, pragma_foreign_key_list(m.name) f
                   WHERE m.type = 'table' ORDER BY m.name, f.id, f.seq"""
    found: dict[tuple[str, int], dict[str, Any]] = {}
    for row in _query(connection, statement):
        actions = {"on_update": row["on_update"], "on_delete": row["on_delete"]}
        fresh = {"columns": [], "table": row["table"], "referred": [], **actions}
        entry = found.setdefault((row["owner"], row["id"]), fresh)
        entry["columns"].append(row["from"])
        entry["referred"].append(row["to"])
    for (owner, _), entry in found.items():
        if owner in tables:
            name = f"{','.join(entry['columns'])}->{entry['table']}"
            tables[owner]["foreign_keys"][name] = entry


def _sqlite_checks(sql: str) -> Iterator[str]:
    """The text of each CHECK (...), whose brackets are counted with strings and quoted names blanked out."""
    quoted = r"'(?:[^']|'')*'|\"(?:[^\"]|\"\")*\"|`[^`]*`|\[[^\]]*\]|--[^\n]*|/\*.*?\*/"
    blank = re.sub(quoted, lambda match: "_" * len(match.group()), sql, flags=re.S)
    for match in re.finditer(r"\bCHECK\s*\(", blank, re.I):
        depth, end = 1, match.end()
        while depth:
            depth += {"(": 1, ")": -1}.get(blank[end], 0)
            end += 1
        yield " ".join(sql[match.end() : end - 1].split())


# --- PostgreSQL

PG_COLUMNS = """
    SELECT c.relname AS "table", obj_description(c.oid, 'pg_class') AS table_comment, a.attname AS name,
           format_type(a.atttypid, a.atttypmod) AS type, NOT a.attnotnull AS nullable,
           pg_get_expr(d.adbin, d.adrelid) AS "default", col_description(c.oid, a.attnum) AS comment,
           NULLIF(a.attgenerated, '') AS generated, NULLIF(a.attidentity, '') AS identity,
           CASE WHEN a.attcollation <> t.typcollation THEN a.attcollation::regcollation::text END AS collation
    FROM pg_class c
    LEFT JOIN pg_attribute a ON a.attrelid = c.oid AND a.attnum > 0 AND NOT a.attisdropped
    LEFT JOIN pg_type t ON t.oid = a.atttypid
    LEFT JOIN pg_attrdef d ON d.adrelid = c.oid AND d.adnum = a.attnum
    WHERE c.relnamespace = CAST(:schema AS regnamespace) AND c.relkind IN ('r', 'p')
    ORDER BY c.relname, a.attnum"""
PG_CONSTRAINTS = """
    SELECT c.relname AS "table", k.conname AS name, k.contype::text AS kind, f.relname AS referred_table,
           pg_get_constraintdef(k.oid) AS definition, ARRAY(SELECT a.attname::text
             FROM unnest(k.conkey) WITH ORDINALITY u(n, i)
             JOIN pg_attribute a ON a.attrelid = c.oid AND a.attnum = u.n ORDER BY u.i) AS columns,
           ARRAY(SELECT a.attname::text FROM unnest(k.confkey) WITH ORDINALITY u(n, i)
             JOIN pg_attribute a ON a.attrelid = f.oid AND a.attnum = u.n ORDER BY u.i) AS referred
    FROM pg_constraint k JOIN pg_class c ON c.oid = k.conrelid LEFT JOIN pg_class f ON f.oid = k.confrelid
    WHERE c.relnamespace = CAST(:schema AS regnamespace) AND k.contype IN ('p', 'u', 'f', 'c', 'x')"""
PG_INDEXES = """
    SELECT c.relname AS "table", i.relname AS name, x.indisunique AS "unique", x.indisvalid AS valid,
           pg_get_indexdef(i.oid) AS definition,
           ARRAY(SELECT pg_get_indexdef(i.oid, n, true) FROM generate_series(1, x.indnkeyatts) n) AS columns
    FROM pg_index x JOIN pg_class i ON i.oid = x.indexrelid JOIN pg_class c ON c.oid = x.indrelid
    WHERE c.relnamespace = CAST(:schema AS regnamespace) AND c.relkind IN ('r', 'p')
      AND NOT EXISTS (SELECT 1 FROM pg_constraint k
                      WHERE k.conindid = i.oid AND k.contype IN ('p', 'u', 'x'))"""
PG_TRIGGERS = """
    SELECT c.relname AS "table", t.tgname AS name, pg_get_triggerdef(t.oid) AS definition
    FROM pg_trigger t JOIN pg_class c ON c.oid = t.tgrelid
    WHERE c.relnamespace = CAST(:schema AS regnamespace) AND NOT t.tgisinternal"""
PG_OTHERS = """
    SELECT relname AS name, relkind::text AS kind,
           CASE WHEN relkind IN ('v', 'm') THEN pg_get_viewdef(oid) ELSE '' END AS definition
    FROM pg_class WHERE relnamespace = CAST(:schema AS regnamespace) AND relkind IN ('v', 'm', 'S')"""


def _postgresql(connection: sa.Connection, schema: str | None) -> Structure:
    schema = schema or connection.exec_driver_sql("SELECT current_schema()").scalar_one()
    quoted = connection.execute(sa.select(sa.func.quote_ident(schema))).scalar_one()

    def bare(text: str) -> str:
        return text.replace(f" {quoted}.", " ").replace(f"'{quoted}.", "'")

    tables: dict[str, Any] = {}
    for row in _query(connection, PG_COLUMNS, schema=quoted):
        table = tables.setdefault(row["table"], _empty_table(row["table_comment"]))
        facts = {k: v for k, v in row.items() if k not in ("table", "table_comment", "name")}
        facts["default"] = facts["default"] and bare(facts["default"])
        if row["name"] is not None:
            _add_column(table, row["name"], **facts)
    for row in _query(connection, PG_CONSTRAINTS, schema=quoted):
        definition = bare(row["definition"])
        if row["kind"] == "p":
            tables[row["table"]]["primary_key"] = row["columns"]
        elif row["kind"] in "cx":
            tables[row["table"]]["checks"][row["name"]] = definition
        else:
            part = "foreign_keys" if row["kind"] == "f" else "uniques"
            facts = {"columns": row["columns"], "table": row["referred_table"], "referred": row["referred"]}
            tables[row["table"]][part][row["name"]] = {**facts, "definition": definition}
    for row in _query(connection, PG_INDEXES, schema=quoted):
        entry = {key: row[key] for key in ("columns", "unique", "valid")}
        entry["definition"] = bare(row["definition"])
        tables[row["table"]]["indexes"][row["name"]] = entry
    for row in _query(connection, PG_TRIGGERS, schema=quoted):
        tables[row["table"]]["triggers"][row["name"]] = bare(row["definition"])
    others = list(_query(connection, PG_OTHERS, schema=quoted))
    views = {row["name"]: bare(row["definition"]) for row in others if row["kind"] in "vm"}
    sequences = {row["name"]: "" for row in others if row["kind"] == "S"}
    return {"tables": tables, "views": views, "sequences": sequences}


# --- MariaDB

MARIADB_COLUMNS = """
    SELECT TABLE_NAME AS `table`, COLUMN_NAME AS name, COLUMN_TYPE AS type, IS_NULLABLE = 'YES' AS nullable,
           COLUMN_DEFAULT AS `default`, NULLIF(COLUMN_COMMENT, '') AS comment, NULLIF(EXTRA, '') AS extra,
           GENERATION_EXPRESSION AS generated, COLLATION_NAME AS collation
    FROM information_schema.COLUMNS WHERE TABLE_SCHEMA = :db ORDER BY TABLE_NAME, ORDINAL_POSITION"""
MARIADB_INDEXES = """
    SELECT TABLE_NAME AS `table`, INDEX_NAME AS name, NON_UNIQUE = 0 AS `unique`, INDEX_TYPE AS definition,
           CONCAT(COLUMN_NAME, IFNULL(CONCAT('(', SUB_PART, ')'), ''),
                  IF(COLLATION = 'D', ' DESC', '')) AS `column`
    FROM information_schema.STATISTICS WHERE TABLE_SCHEMA = :db
    ORDER BY TABLE_NAME, INDEX_NAME, SEQ_IN_INDEX"""
MARIADB_FOREIGN_KEYS = """
    SELECT k.TABLE_NAME AS `table`, k.CONSTRAINT_NAME AS name, k.COLUMN_NAME AS `column`,
           k.REFERENCED_TABLE_NAME AS referred_table, k.REFERENCED_COLUMN_NAME AS referred,
           r.UPDATE_RULE AS on_update, r.DELETE_RULE AS on_delete
    FROM information_schema.KEY_COLUMN_USAGE k JOIN information_schema.REFERENTIAL_CONSTRAINTS r
      ON r.CONSTRAINT_SCHEMA = :db AND r.TABLE_NAME = k.TABLE_NAME AND r.CONSTRAINT_NAME = k.CONSTRAINT_NAME
    WHERE k.TABLE_SCHEMA = :db ORDER BY k.TABLE_NAME, k.CONSTRAINT_NAME, k.ORDINAL_POSITION"""
MARIADB_TABLES = """
    SELECT TABLE_NAME AS name, TABLE_TYPE AS kind, NULLIF(TABLE_COMMENT, '') AS comment, ENGINE AS engine,
           TABLE_COLLATION AS collation FROM information_schema.TABLES WHERE TABLE_SCHEMA = :db"""
MARIADB_OTHERS = """
    SELECT 'checks' AS part, TABLE_NAME AS `table`, CONSTRAINT_NAME AS name, CHECK_CLAUSE AS definition
      FROM information_schema.CHECK_CONSTRAINTS WHERE CONSTRAINT_SCHEMA = :db
    UNION ALL SELECT 'triggers', EVENT_OBJECT_TABLE, TRIGGER_NAME,
        CONCAT_WS(' ', ACTION_TIMING, EVENT_MANIPULATION, ACTION_ORDER, ACTION_STATEMENT)
      FROM information_schema.TRIGGERS WHERE TRIGGER_SCHEMA = :db
    UNION ALL SELECT 'views', TABLE_NAME, TABLE_NAME, VIEW_DEFINITION
      FROM information_schema.VIEWS WHERE TABLE_SCHEMA = :db"""


def _mariadb(connection: sa.Connection, schema: str | None) -> Structure:
    db = schema or connection.exec_driver_sql("SELECT DATABASE()").scalar_one()
    listed = list(_query(connection, MARIADB_TABLES, db=db))
    tables = {
        row["name"]: _empty_table(row["comment"], engine=row["engine"], collation=row["collation"])
        for row in listed
        if row["kind"] == "BASE TABLE"
    }
    for row in _query(connection, MARIADB_COLUMNS, db=db):
        if row["table"] in tables:
            facts = {key: value for key, value in row.items() if key not in ("table", "name")}
            _add_column(tables[row["table"]], row["name"], **{**facts, "nullable": bool(row["nullable"])})
    for row in _query(connection, MARIADB_INDEXES, db=db):
        if row["name"] == "PRIMARY":
            tables[row["table"]]["primary_key"].append(row["column"])
            continue
        fresh = {"columns": [], "unique": bool(row["unique"]), "definition": row["definition"]}
        entry = tables[row["table"]]["indexes"].setdefault(row["name"], fresh)
        entry["columns"].append(row["column"])
    for row in _query(connection, MARIADB_FOREIGN_KEYS, db=db):
        actions = {"on_update": row["on_update"], "on_delete": row["on_delete"]}
        fresh = {"columns": [], "table": row["referred_table"], "referred": [], **actions}
        entry = tables[row["table"]]["foreign_keys"].setdefault(row["name"], fresh)
        entry["columns"].append(row["column"])
        entry["referred"].append(row["referred"])
    views: dict[str, str] = {}
    for row in _query(connection, MARIADB_OTHERS, db=db):
        found = views if row["part"] == "views" else tables[row["table"]][row["part"]]
        found[row["name"]] = row["definition"].replace(f"`{db}`.", "")
    sequences = {row["name"]: "" for row in listed if row["kind"] == "SEQUENCE"}
    return {"tables": tables, "views": views, "sequences": sequences}
