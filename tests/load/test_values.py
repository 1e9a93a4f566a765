"""Values of every kind in every data type: they arrive exactly, or are kept aside with the reason; nothing else."""

from __future__ import annotations

import json
from datetime import date, datetime, timezone
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa
from engines import Databases
from hypothesis import example, given
from hypothesis import strategies as st
from loads import loads
from sites import site

from sg_migrate.load.values import Reject, converter
from sg_migrate.warehouse.mapping import MAPPING

SCALARS = sorted(kind for kind, type_ in MAPPING.items() if type_ is not None and not isinstance(type_, str))

ARRIVES: dict[str, list[tuple[Any, Any]]] = {
    "text": [("a", "a"), ("", ""), ("é 🦋\n\t", "é 🦋\n\t"), ("&lt;b>", "&lt;b>"), ("2026-01-02T03:04:05Z",) * 2],
    "list": [("x" * 255, "x" * 255)],
    "number": [(2**31 - 1, 2**31 - 1), (-(2**31), -(2**31)), ("12", 12), (3.0, 3), (0, 0)],
    "float": [(1.5, 1.5), (3, 3.0), ("2.25", 2.25), (-999999999.999999, -999999999.999999)],
    "currency": [(1.5, Decimal("1.50")), ("12.34", Decimal("12.34")),
                 (-9999999999999.99, Decimal("-9999999999999.99"))],
    "checkbox": [(True, True), (False, False)],
    "date": [("2024-02-29", date(2024, 2, 29)), ("0001-01-01", date(1, 1, 1)), ("9999-12-31", date(9999, 12, 31))],
    "date_time": [
        ("2026-01-02T03:04:05Z", datetime(2026, 1, 2, 3, 4, 5, tzinfo=timezone.utc)),
        ("2026-01-02T03:04:05.25Z", datetime(2026, 1, 2, 3, 4, 5, 250000, tzinfo=timezone.utc)),
        ("2026-01-02T03:04:05+02:00", datetime(2026, 1, 2, 1, 4, 5, tzinfo=timezone.utc)),
    ],
    "serializable": [({"a": [1, None, "é"]},) * 2, ([],) * 2, (0,) * 2, ("x",) * 2, ([10**30],) * 2],
    "url": [
        ({"link_type": "upload", "url": "https://s3/x?sig=1", "name": "x"},
         {"link_type": "upload", "url": "https://s3/x", "name": "x"}),
        ({"link_type": "web", "url": "https://x/?q=1"},) * 2,
    ],
    "image": [("https://cdn/x.jpg?sig=1#a", "https://cdn/x.jpg"), ("no address?", "no address?")],
}  # fmt: skip
KEPT_ASIDE: dict[str, list[tuple[Any, str]]] = {
    "text": [(5, "not a text but a number"), ("a\x00b", "a NUL character in the text"), (["a"], "a list"),
             ("\ud800", "half a surrogate pair"), (True, "a truth value")],
    "list": [("x" * 256, "longer than 255 characters")],
    "number": [(2**31, "beyond 32 bits"), ("431.25", "not a whole number"), (1.5, "not a whole number"),
               (True, "a truth value"), ({}, "an object")],
    "float": [("x", "not a number"), (float("inf"), "not a finite number"), (2**53 + 1, "more digits"),
              (True, "truth")],
    "currency": [(1.005, "two digits"), (10.0**13, "15 digits"), ("nan", "not a finite number")],
    "checkbox": [(1, "neither true nor false"), ("true", "neither true nor false")],
    "date": [("0000-01-01", "year 0"), ("10000-01-01", "not a day"), ("2023-02-29", "day"), (20230101, "not a day"),
             ("2026-01-02T00:00:00Z", "not a day")],
    "date_time": [("0000-01-01T00:00:00Z", "year 0"), ("2026-01-02", "not a moment"), ("2026-01-02T03:04:05", "moment"),
                  ("0001-01-01T00:00:00+05:00", ""), ("2026-01-02T25:00:00Z", "hour"), (0, "not a moment")],
    "serializable": [({"a": "\x00"}, "a NUL character"), ({"\ud800": 1}, "surrogate"), ([float("nan")], "number"),
                     (10**30, "beyond 64 bits")],
    "image": [({"url": 1}, "an object")],
}  # fmt: skip


@pytest.mark.parametrize("data_type", ARRIVES)
def test_it_arrives(data_type: str) -> None:
    for value, expected in ARRIVES[data_type]:
        found = converter(data_type, MAPPING[data_type])(value)  # type: ignore[arg-type]
        assert (found, type(found)) == (expected, type(expected)), value


@pytest.mark.parametrize("data_type", KEPT_ASIDE)
def test_it_is_kept_aside(data_type: str) -> None:
    for value, reason in KEPT_ASIDE[data_type]:
        with pytest.raises(Reject) as caught:
            converter(data_type, MAPPING[data_type])(value)  # type: ignore[arg-type]
        assert reason in str(caught.value), value


ANY = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(st.characters(), max_size=20),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3),
    max_leaves=6,
)
LINKISH = st.fixed_dictionaries({}, optional={"type": ANY, "id": ANY, "name": ANY}) | ANY


@given(st.sampled_from(SCALARS), ANY)
@example("number", "-0")
def test_nothing_but_a_value_or_a_reject(data_type: str, value: Any) -> None:
    """No value of the site's makes a converter fail in another way, and one that arrives is storable text or plain."""
    if value is None:
        return
    try:
        found = converter(data_type, MAPPING[data_type])(value)  # type: ignore[arg-type]
    except Reject as error:
        found = str(error)
    assert found is not None
    if isinstance(found, str):
        assert "\x00" not in found
        found.encode()
        assert found or value == ""


FIELDS = {f"sg_{kind}": kind for kind in SCALARS} | {
    "sg_link": "entity:Asset", "sg_links": "multi_entity:Asset", "code": "text", "sg_unheard_of": "hologram",
}  # fmt: skip


def wild(records: Any) -> dict[int, dict[str, Any]]:
    """Records with one good and one bad value in every field, and what else sites send."""
    values: dict[int, dict[str, Any]] = {}
    for number in range(6):
        record: dict[str, Any] = {"code": f"r{number}"}
        for kind in SCALARS:
            good, bad = ARRIVES.get(kind, []), KEPT_ASIDE.get(kind, [])
            choices = [value for value, _ in good] + [value for value, _ in bad]
            if choices:
                record[f"sg_{kind}"] = choices[number % len(choices)]
        values[number + 1] = record
    links = [
        {"type": "Asset", "id": 1, "name": "x"}, {"type": "Gone", "id": 4}, {"type": "Asset"}, "Asset", 3,
        {"type": "Asset", "id": 2**63}, {"id": 7},
    ]  # fmt: skip
    for number, link in enumerate(links):
        values[10 + number] = {"code": "link", "sg_link": link, "sg_links": [link, {"type": "Asset", "id": 1}] * 2}
    values[2**62] = {"code": "far"}
    values[20] = {"code": "x" * 5_000_000, "sg_unheard_of": {"a": 1}, "sg_links": "none"}
    for record_id, record in values.items():
        records.put("Shot", record_id, record)
    return values


@pytest.mark.parametrize("engine", ["sqlite", "postgresql", "mariadb"])
def test_the_same_rows_on_every_engine(engine: str, tmp_path: Path, databases: Databases) -> None:
    url = databases.new(engine)
    with loads(tmp_path / "p", url, site(Shot=FIELDS, Asset={"code": "text"})) as studio:
        values = wild(studio.records)
        summary = studio.load()
        rows = read(url)
        assert set(rows) == set(values)
        rejects = {(row[1], row[2]): row for row in studio.rows("SELECT * FROM sg_load_rejects ORDER BY 1, 2, 3")}
        for record_id, record in values.items():
            for code, kind in FIELDS.items():
                sent = record.get(code, [] if kind == "tag_list" else None)
                check(record_id, code, kind, sent, rows[record_id], rejects)
        assert summary.rejects == len(rejects) > 30
        assert studio.changed(studio.load(full=True)) == {}
        links = set(studio.rows("SELECT owner_id, linked_type, linked_id FROM shot__sg_links"))
        assert links == {(10, "Asset", 1), (11, "Gone", 4), *((number, "Asset", 1) for number in range(11, 17))}
        studio.records.values["Shot"][20]["code"] = studio.records.values["Shot"][1]["sg_text"] = "short"
        studio.load(full=True)
        assert read(url)[20]["code"] == "short"


def check(record_id: int, code: str, kind: str, value: Any, row: Any, rejects: dict[Any, Any]) -> None:
    """One value: exactly in its column, or NULL and a reject that says what it was."""
    if code == "sg_links":
        return
    if code == "sg_link":
        found: Any = (row["sg_link_type"], row["sg_link_id"])
        good = isinstance(value, dict) and isinstance(value.get("id"), int) and value["id"] < 2**63 and "type" in value
        expected: Any = (value["type"], value["id"]) if good else (None, None)
    elif kind == "hologram":
        found, good, expected = row[code], True, json.dumps(value) if value is not None else None
    else:
        found, good = row[code], True
        bad = [(type(one), repr(one)) for one, _ in KEPT_ASIDE.get(kind, [])]
        if value is not None and (type(value), repr(value)) in bad:
            good, expected = False, None
        else:
            known = {repr(one): wanted for one, wanted in ARRIVES.get(kind, [])}
            expected = known.get(repr(value), value)
    if isinstance(found, datetime) and found.tzinfo is None:
        found = found.replace(tzinfo=timezone.utc)
    assert found == expected, (record_id, code, value)
    assert ((record_id, code) in rejects) == (not good and value is not None), (record_id, code, value)
    if (record_id, code) in rejects and value == value and value != float("inf"):
        assert json.loads(rejects[record_id, code][3]) == value or "nan" in repr(value)


def read(url: str) -> dict[int, Any]:
    engine = sa.create_engine(url, poolclass=sa.NullPool)
    with engine.connect() as connection:
        table = sa.Table("shot", sa.MetaData(), autoload_with=connection)
        for column in table.columns:
            if column.name in ("sg_url", "sg_serializable", "sg_jsonb", "sg_tag_list"):
                column.type = sa.JSON()  # on MariaDB it is a text that is checked
            elif column.name == "sg_float":
                column.type = sa.Double()  # which MariaDB's dialect reads as a decimal
        rows = {row["id"]: dict(row) for row in connection.execute(sa.select(table)).mappings()}
    engine.dispose()
    return rows
