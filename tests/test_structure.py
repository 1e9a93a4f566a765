"""Each change of structure is seen, on every engine; two databases built alike show no difference."""

from __future__ import annotations

import json

import sqlalchemy as sa
from engines import Databases
from oracle import Oracle
from structure import diff_structure, raw_connection, read_structure, snapshot_structure
from structures import build, run

CHANGES = [
    ("CREATE INDEX ix_new ON thing (day, moment)", "tables.thing.indexes.ix_new: only in the second"),
    ("DROP INDEX ix_new; CREATE INDEX ix_new ON thing (moment, day)", "indexes.ix_new.columns"),
    ("DROP INDEX ix_new; CREATE UNIQUE INDEX ix_new ON thing (moment, day)", "indexes.ix_new.unique: False != True"),
    ("DROP INDEX ix_new", "tables.thing.indexes.ix_new: only in the first"),
    ("ALTER TABLE thing ADD COLUMN extra INTEGER", "tables.thing.columns.extra: only in the second"),
    ("ALTER TABLE thing DROP COLUMN extra; ALTER TABLE thing ADD COLUMN extra BIGINT", "columns.extra.type"),
    ("ALTER TABLE thing DROP COLUMN extra; ALTER TABLE thing ADD extra BIGINT DEFAULT 5", "columns.extra.default"),
    ("ALTER TABLE thing RENAME COLUMN extra TO more", "tables.thing.columns.extra: only in the first"),
    ("ALTER TABLE thing DROP COLUMN flag", "tables.thing.columns.flag: only in the first"),
    ("ALTER TABLE thing ADD COLUMN n INTEGER CHECK (n > 5)", "tables.thing.checks."),
    ("ALTER TABLE thing ADD COLUMN twice BIGINT GENERATED ALWAYS AS (small * 2) STORED", "columns.twice"),
    ("CREATE VIEW seen AS SELECT id FROM thing", "views.seen: only in the second"),
    ("CREATE TABLE fresh (a INTEGER, b INTEGER, PRIMARY KEY (a, b))", "tables.fresh: only in the second"),
    ("DROP TABLE fresh; CREATE TABLE fresh (a INTEGER, b INTEGER, PRIMARY KEY (b, a))", "fresh.primary_key"),
    ("DROP TABLE fresh", "tables.fresh: only in the first"),
]
SERVER_CHANGES = [
    ("ALTER TABLE thing ADD CONSTRAINT few CHECK (small < 5)", "tables.thing.checks.few: only in the second"),
    ("ALTER TABLE thing__links ADD CONSTRAINT once UNIQUE (linked_id)", "once: only in the second"),
    ("ALTER TABLE thing DROP CONSTRAINT fk_thing_owner", "thing.foreign_keys.fk_thing_owner: only in the first"),
    (
        "ALTER TABLE thing ADD CONSTRAINT fk FOREIGN KEY (owner_id) REFERENCES owner (id) ON DELETE CASCADE",
        "tables.thing.foreign_keys.fk: only in the second",
    ),
]
ENGINE_CHANGES = {
    "sqlite": [
        ("ALTER TABLE thing DROP twice; ALTER TABLE thing ADD twice INT AS (small + 1) VIRTUAL", "twice.generated"),
        ("CREATE TRIGGER t AFTER INSERT ON thing BEGIN DELETE FROM owner; END", "tables.thing.triggers.t"),
        ("CREATE INDEX part ON thing (day) WHERE day > 5", "tables.thing.indexes.part"),
        ("DROP INDEX part; CREATE INDEX part ON thing (day) WHERE day > 6", "tables.thing.indexes.part.definition"),
        ("CREATE TABLE f (a INTEGER REFERENCES owner (id))", "tables.f: only in the second"),
        ("DROP TABLE f; CREATE TABLE f (a INTEGER REFERENCES owner (id) ON DELETE CASCADE)", "on_delete"),
        ("DROP TABLE f; CREATE TABLE f (a INTEGER UNIQUE)", "tables.f.uniques.a: only in the second"),
        ("DROP TABLE f; CREATE TABLE f (a INTEGER NOT NULL)", "tables.f.columns.a.nullable: True != False"),
        ("DROP TABLE f; CREATE TABLE f (a TEXT CHECK (a IN ('(', ')') AND a > ''))", "IN ('(', ')') AND a > ''"),
        ("DROP TABLE f; CREATE TABLE f (a INTEGER PRIMARY KEY)", "tables.f.primary_key"),
        ("DROP TABLE f; CREATE TABLE f (a INTEGER PRIMARY KEY AUTOINCREMENT)", "autoincrement: False != True"),
    ],
    "postgresql": [
        ("COMMENT ON COLUMN thing.big IS 'Other'", "columns.big.comment: 'A large number' != 'Other'"),
        ("COMMENT ON TABLE thing IS NULL", "tables.thing.comment: 'Things' != None"),
        ("ALTER TABLE thing ALTER moment TYPE timestamp", "columns.moment.type: 'timestamp with time zone' !="),
        ("ALTER TABLE thing ALTER plain TYPE jsonb", "columns.plain.type: 'json' != 'jsonb'"),
        ('ALTER TABLE thing ALTER "group" TYPE varchar(254)', "columns.group.type"),
        ('ALTER TABLE thing ALTER "group" TYPE varchar(254) COLLATE "C"', "columns.group.collation"),
        ("ALTER TABLE thing ALTER price TYPE numeric", "columns.price.type: 'numeric(15,2)' != 'numeric'"),
        ('ALTER TABLE thing ALTER "ratio %" TYPE real', "columns.ratio %.type: 'double precision' != 'real'"),
        ("ALTER TABLE thing ALTER big SET NOT NULL", "columns.big.nullable: True != False"),
        ("ALTER TABLE thing ALTER big ADD GENERATED ALWAYS AS IDENTITY", "columns.big.identity: None != 'a'"),
        ("ALTER TABLE thing__links DROP CONSTRAINT thing__links_pkey", "tables.thing__links.primary_key"),
        ("CREATE FUNCTION f() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN RETURN NEW; END'", ""),
        ("CREATE TRIGGER t BEFORE INSERT ON thing FOR EACH ROW EXECUTE FUNCTION f()", "tables.thing.triggers.t"),
        ("CREATE INDEX part ON thing (day) WHERE small > 5", "tables.thing.indexes.part"),
        ("CREATE SEQUENCE counter", "sequences.counter"),
    ],
    "mysql": [
        ("ALTER TABLE thing MODIFY big BIGINT COMMENT 'Other'", "columns.big.comment: 'A large number' !="),
        ("ALTER TABLE thing COMMENT ''", "tables.thing.comment: 'Things' != None"),
        ("ALTER TABLE thing MODIFY moment DATETIME", "columns.moment.type: 'datetime(6)' != 'datetime'"),
        ("ALTER TABLE thing MODIFY body TEXT", "columns.body.type: 'longtext' != 'text'"),
        ("ALTER TABLE thing MODIFY body TEXT CHARACTER SET latin1", "columns.body.collation"),
        ("ALTER TABLE thing MODIFY big BIGINT NOT NULL", "columns.big.nullable: True != False"),
        ("ALTER TABLE thing__links DROP PRIMARY KEY", "tables.thing__links.primary_key"),
        ("CREATE TRIGGER t BEFORE INSERT ON thing FOR EACH ROW SET NEW.small = 1", "tables.thing.triggers.t"),
        ("ALTER TABLE thing MODIFY document LONGTEXT", "tables.thing.checks.document: only in the first"),
        ("CREATE INDEX part ON thing (body(10))", "tables.thing.indexes.part"),
        ("CREATE SEQUENCE counter", "sequences.counter"),
    ],
}


def test_each_change_is_seen(databases: Databases, engine_name: str) -> None:
    engine = engine_name.split("-")[0].replace("mariadb", "mysql")
    build(url := databases.new(engine_name))
    build(other := databases.new(engine_name))
    before = snapshot_structure(url)
    assert diff_structure(before, snapshot_structure(other)) == []
    assert json.loads(json.dumps(before)) == before
    for change, seen in [*CHANGES, *(SERVER_CHANGES if engine != "sqlite" else []), *ENGINE_CHANGES[engine]]:
        if engine == "mysql":
            change = change.replace("DROP INDEX ix_new", "DROP INDEX ix_new ON thing")
        run(url, *([change] if "BEGIN" in change else change.split("; ")))
        with raw_connection(url) as connection:
            after, again = read_structure(connection), read_structure(connection)
        differences = diff_structure(before, after)
        assert any(seen in line for line in differences) or not seen, (change, differences)
        assert diff_structure(after, again, column_order=True) == []
        before = after


def test_structure_aside_from(engine_url: str) -> None:
    build(engine_url)
    before = snapshot_structure(engine_url)
    run(
        engine_url,
        "CREATE TABLE foreign_one (id INTEGER)",
        "ALTER TABLE thing ADD COLUMN sg_old INTEGER",
        "CREATE INDEX ix_foreign ON thing (sg_old)",
    )
    ignore = ["foreign_*", "thing.sg_old", "thing.ix_foreign"]
    assert len(diff_structure(before, snapshot_structure(engine_url))) == 3
    assert diff_structure(before, snapshot_structure(engine_url, ignore=ignore), column_order=True) == []


def test_column_order_counts_on_request(engine_url: str) -> None:
    build(engine_url)
    before = snapshot_structure(engine_url)
    run(engine_url, "ALTER TABLE thing DROP COLUMN small" if "sqlite" not in engine_url else "SELECT 1")
    run(engine_url, "ALTER TABLE owner ADD COLUMN a INTEGER", "ALTER TABLE owner ADD COLUMN b INTEGER")
    first = snapshot_structure(engine_url, ignore=["thing"])
    run(engine_url, "ALTER TABLE owner DROP COLUMN a", "ALTER TABLE owner ADD COLUMN a INTEGER")
    second = snapshot_structure(engine_url, ignore=["thing"])
    assert diff_structure(first, second) == []
    assert len(diff_structure(first, second, column_order=True)) == 1
    assert before["tables"]["owner"]["column_order"] == ["id", "name", "parent_id"]


def test_postgresql_schema(databases: Databases) -> None:
    url = databases.new("postgresql")
    build(url)
    run(url, 'CREATE SCHEMA "Site %"')
    inside = sa.make_url(url).update_query_dict({"options": '-csearch_path="Site\\ %"'})
    build(inside.render_as_string(hide_password=False))
    differences = diff_structure(snapshot_structure(url), snapshot_structure(url, schema="Site %"))
    assert differences == []
    oracle = Oracle(url, schema="Site %", ignore=["sg_*"])
    oracle.fill()
    oracle.verify()
    with raw_connection(url) as connection:
        assert connection.exec_driver_sql("SELECT count(*) FROM public.thing").scalar_one() == 0
