"""Every pair of kinds of columns with every value, on every engine, under several time zones of the session."""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime, timezone
from typing import Any

import pytest
import sqlalchemy as sa
from alembic.operations import Operations
from alembic.runtime.migration import MigrationContext
from conversioncases import CASES, Cases, storable
from engines import ENGINES, Databases

from sg_migrate.conversion.operations import ConvertColumnOp
from sg_migrate.database.connection import connect
from sg_migrate.settings import Settings
from sg_migrate.warehouse.mapping import BOOLEAN, DATE, DOUBLE, INTEGER, JSON_VALUE, MONEY, TEXT, TIMESTAMP

TYPES = {
    "text": TEXT, "integer": INTEGER, "double": DOUBLE, "money": MONEY, "boolean": BOOLEAN, "date": DATE,
    "timestamp": TIMESTAMP, "json": JSON_VALUE,
}  # fmt: skip

SETTINGS = {
    "sqlite": [""],
    "postgresql": [
        "SET TIME ZONE 'Pacific/Kiritimati'; SET DateStyle = 'SQL, DMY'; SET extra_float_digits = -3",
        "SET TIME ZONE 'America/New_York'",
    ],
    "mariadb": ["SET time_zone = '+13:00'", "SET time_zone = '-09:30', sql_mode = ''"],
}
"""What a session may have set that must not matter."""

SESSIONS = [
    pytest.param(engine, setting, id=f"{engine}-{number}")
    for engine in ENGINES
    for number, setting in enumerate(SETTINGS.get(engine.partition("-")[0].replace("mysql", "mariadb"), [""]))
]


@contextmanager
def settings_in_force(connection: sa.Connection, setting: str) -> Iterator[None]:
    """What a session may have set that must not matter; afterwards it is as the driver wants it for reading."""
    for statement in filter(None, setting.split("; ")):
        connection.exec_driver_sql(statement)
    yield
    if "DateStyle" in setting:
        connection.exec_driver_sql("SET DateStyle = ISO; SET extra_float_digits = 1")


def fill(connection: sa.Connection, name: str, column: sa.Column[Any], values: list[Any]) -> None:
    """A table with a column of values, as the warehouse has it."""
    table = sa.Table(
        name, sa.MetaData(), sa.Column("id", sa.BigInteger(), primary_key=True, autoincrement=False), column
    )
    table.create(connection)
    naive = isinstance(column.type, sa.DateTime) and not column.type.timezone
    rows = [{"id": number, "c": value if naive else _utc(value)} for number, value in enumerate(values)]
    if isinstance(column.type, sa.JSON):
        rows = [{**row, "c": sa.null() if row["c"] is None else row["c"]} for row in rows]
        for row in rows:
            connection.execute(table.insert().values(row))
    else:
        connection.execute(table.insert(), rows)


def _utc(value: Any) -> Any:
    return value.replace(tzinfo=timezone.utc) if isinstance(value, datetime) else value


def plain(value: Any) -> Any:
    """A value told apart from all others: 1 from True, 1.0 from 1, a moment with its zone from one without."""
    if isinstance(value, datetime):
        return value.astimezone(timezone.utc).replace(tzinfo=None) if value.tzinfo else value
    if isinstance(value, dict | list):
        return json.dumps(value, sort_keys=True)
    return None if value is None else (type(value).__name__, repr(value))


def convert(connection: sa.Connection, table: str, old: Any, new: Any) -> None:
    """What a revision does for a field that changes its type."""
    with Operations.context(MigrationContext.configure(connection)) as operations:
        ConvertColumnOp.convert_column(
            operations,
            table,
            sa.Column("c", old, info={"sg": "Shot.c before"}),
            sa.Column("c", new, info={"sg": "Shot.c after"}),
            former_name="c__was_before",
            label="before",
        )


@pytest.mark.parametrize(("engine", "setting"), SESSIONS)
@pytest.mark.parametrize("kind", list(TYPES))
def test_every_pair(databases: Databases, engine: str, setting: str, kind: str) -> None:
    wrong = []
    with connect({}, databases.new(engine), Settings()) as connection:
        for (old, new), cases in CASES.items():
            if old == kind:
                wrong += _wrong(connection, engine, setting, old, new, cases)
    assert wrong == []


@pytest.mark.parametrize(("engine", "setting"), SESSIONS)
def test_types_of_a_warehouse_that_was_taken_over(databases: Databases, engine: str, setting: str) -> None:
    """Tables that shotgrid_orm made have moments without a time zone, plain JSON and texts of no length."""
    wrong = []
    with connect({}, databases.new(engine), Settings()) as connection:
        for old, type_ in (("timestamp", sa.DateTime()), ("json", sa.JSON())):
            for new in ("text", "date"):
                fewer = [case for case in CASES[old, new] if getattr(case[0], "microsecond", 0) == 0]
                wrong += _wrong(connection, engine, setting, old, new, fewer, type_)
    assert wrong == []


def _wrong(
    connection: sa.Connection, engine: str, setting: str, old: str, new: str, cases: Cases, type_: Any = None
) -> list[str]:
    cases = [case for case in cases if storable(engine, case[0])]
    table = f"{old}_to_{new}"
    type_ = type_ or TYPES[old]
    fill(connection, table, sa.Column("c", type_), [value for value, _ in cases])
    with settings_in_force(connection, setting):
        convert(connection, table, type_, TYPES[new])
    columns = sa.column("c", TYPES[new]), sa.column("c__was_before", type_)
    rows = connection.execute(sa.select(*columns).select_from(sa.table(table)).order_by(sa.column("id"))).all()
    wrong = [
        f"{engine}, {table}: {value!r:.60} became {got!r}, not {expected!r}"
        for (value, expected), (got, _) in zip(cases, rows, strict=True)
        if plain(got) != plain(expected)
    ]
    return wrong + [
        f"{engine}, {table}: {value!r:.60} did not stay but is {kept!r:.60}"
        for (value, _), (_, kept) in zip(cases, rows, strict=True)
        if plain(kept) != plain(value) and kept != value  # some engines store minus zero as zero
    ]
