"""The oracle must be able to fail: each kind of damage is done by plain SQL, and must be found."""

from __future__ import annotations

import json
import math
import unicodedata
from datetime import date, datetime, timedelta, timezone
from decimal import Decimal
from typing import Any

import pytest
from engines import Databases
from oracle import Json, Oracle
from oracle_values import DATES, DOCUMENTS, DOUBLES, EMOJI, QUOTES, TEXTS, TIMESTAMPS, tag, to_driver
from structure import snapshot_structure
from structures import build, run

ROWS = 24
"""So many that each column goes through all its values."""
VALUES = 13 + 3 + 3 + 2
"""The columns of all tables."""


@pytest.fixture
def oracle(engine_url: str) -> Oracle:
    build(engine_url)
    oracle = Oracle(engine_url, ignore=["sg_catalog_*"])
    oracle.fill(ROWS)
    return oracle


def address(oracle: Oracle) -> str:
    return oracle.url.render_as_string(hide_password=False)


def damage(oracle: Oracle, column: str, old: Any, new: Any) -> str:
    """Replace one such value by plain SQL and put it back; what the oracle said in between."""
    engine = oracle.url.get_backend_name().replace("mariadb", "mysql")
    found = [k for k, v in oracle.values("thing", column).items() if type(v) is type(old) and v == old]
    assert found, f"no row has such a value in {column}"
    name = f"`{column}`" if engine == "mysql" else f'"{column}"'
    cast = {"document": "CAST(:value AS jsonb)", "plain": "CAST(:value AS json)"} if engine == "postgresql" else {}
    update = f"UPDATE thing SET {name} = {cast.get(column, ':value')} WHERE id = {found[0]}"
    run(address(oracle), update, value=to_driver(engine, new))
    with pytest.raises(AssertionError) as caught:
        oracle.verify()
    run(address(oracle), update, value=to_driver(engine, old))
    message = str(caught.value)
    assert message.startswith("1 differences"), message
    assert f"thing [{found[0]}] {column}: written " in message
    return message


def test_undamaged(oracle: Oracle) -> None:
    assert oracle.verify() == ROWS * VALUES
    assert Oracle.load(oracle.url, oracle.dump()).verify() == oracle.verify()
    assert "sg_catalog_field" not in oracle.ledger


def test_every_value_is_written(oracle: Oracle) -> None:
    def written(column: str) -> list[Any]:
        return list(oracle.values("thing", column).values())

    def holds(column: str, values: list[Any]) -> bool:
        return all(tag(value) in map(tag, written(column)) for value in values)

    assert holds("group", TEXTS)
    assert max(len(text or "") for text in written("group")) == 255
    assert max(len((text or "").encode()) for text in written("body")) > 70_000
    assert holds("ratio %", DOUBLES)
    assert holds("day", DATES)
    assert holds("document", DOCUMENTS)
    assert {moment and moment.replace(tzinfo=None) for moment in written("moment")} == set(TIMESTAMPS)
    assert {2**63 - 1, -(2**63), 0, None} <= set(written("big"))
    assert {2**31 - 1, -(2**31), 0, None} <= set(written("small"))
    assert {Decimal("9999999999999.99"), Decimal("-9999999999999.99"), None} <= set(written("price"))
    assert set(written("flag")) == {True, False, None}
    assert max(written("id")) > 2**62
    assert len(set(written("owner_id"))) > 2
    assert set(oracle.values("attachment", "thing_id").values()) <= set(written("id"))


def test_same_plan_for_the_same_seed(databases: Databases) -> None:
    ledgers = []
    for seed in (1, 1, 2):
        build(url := databases.new("sqlite"))
        (oracle := Oracle(url, ignore=["sg_*"])).fill(seed=seed)
        ledgers.append(oracle.ledger)
    assert ledgers[0] == ledgers[1]
    assert ledgers[0] != ledgers[2]


def test_damaged_texts(oracle: Oracle) -> None:
    assert "written text '', read NULL" in damage(oracle, "body", "", None)
    assert "written NULL, read text ''" in damage(oracle, "body", None, "")
    huge = max(oracle.values("thing", "body").values(), key=lambda text: len(text or ""))
    for damaged in (huge[:-1], huge[:16_383], huge.encode()[:65_535].decode(errors="ignore"), huge + " "):
        assert "long)" in damage(oracle, "body", huge, damaged)
    full = max(oracle.values("thing", "group").values(), key=lambda text: len(text or ""))
    damage(oracle, "group", full, full[:-1])
    for column in ("group", "body"):
        damage(oracle, column, "  spaces  ", "  spaces")
        damage(oracle, column, EMOJI, EMOJI.replace("\U0001f600", "?"))
        damage(oracle, column, EMOJI, unicodedata.normalize("NFC", EMOJI))
        damage(oracle, column, QUOTES, QUOTES.replace("\r\n", "\n"))
        damage(oracle, column, QUOTES, QUOTES.replace("%", "%%"))
        damage(oracle, column, QUOTES, QUOTES.replace("\\\\", "\\"))
        damage(oracle, column, "12 frames", "12")
        damage(oracle, column, "-0.50", "-0.5")
        damage(oracle, column, "NULL", None)


def test_damaged_numbers(oracle: Oracle) -> None:
    for column, high in (("big", 2**63 - 1), ("small", 2**31 - 1)):
        damage(oracle, column, high, high - 1)
        damage(oracle, column, -high - 1, -high)
        damage(oracle, column, 0, None)
        damage(oracle, column, None, 0)
    for number in (0.1, -1 / 3, 1.7976931348623157e308, 2.2250738585072014e-308):
        damage(oracle, "ratio %", number, math.nextafter(number, 1.0))
    damage(oracle, "ratio %", 0.0, None)
    damage(oracle, "ratio %", None, 0.0)
    damage(oracle, "ratio %", 24.0, 25.0)
    most, least = Decimal("9999999999999.99"), Decimal("0.01")
    damage(oracle, "price", most, most - least)
    damage(oracle, "price", -most, least - most)
    damage(oracle, "price", least, Decimal(0))
    damage(oracle, "price", None, Decimal(0))
    damage(oracle, "flag", True, False)
    damage(oracle, "flag", False, None)
    damage(oracle, "flag", None, False)
    owner = next(filter(None, oracle.values("thing", "owner_id").values()))
    damage(oracle, "owner_id", owner, None)


def test_damaged_moments(oracle: Oracle) -> None:
    for day in filter(None, DATES):
        damage(oracle, "day", day, day + timedelta(days=1 if day.year < 9999 else -1))
        damage(oracle, "day", day, None)
    damage(oracle, "day", None, date(1970, 1, 1))
    damage(oracle, "moment", None, datetime(1970, 1, 1, tzinfo=timezone.utc))
    for naive in filter(None, TIMESTAMPS):
        moment = naive.replace(tzinfo=timezone.utc)
        damage(oracle, "moment", moment, moment + timedelta(microseconds=1))
        damage(oracle, "moment", moment, moment + timedelta(hours=1))
        if moment.microsecond:
            damage(oracle, "moment", moment, moment.replace(microsecond=0))
        if moment.microsecond % 1000:
            damage(oracle, "moment", moment, moment.replace(microsecond=moment.microsecond // 1000 * 1000))


@pytest.mark.parametrize("column", ["document", "plain"])
def test_damaged_documents(oracle: Oracle, column: str) -> None:
    nested, links = DOCUMENTS[0], DOCUMENTS[7]
    assert nested
    assert links
    damage(oracle, column, nested, Json({**nested.value, "name": "e"}))
    damage(oracle, column, nested, Json({**nested.value, "Name": 1}))
    damage(oracle, column, nested, Json({key: value for key, value in nested.value.items() if key}))
    damage(oracle, column, links, Json(links.value[::-1]))
    assert "written NULL, read json 'null'" in damage(oracle, column, None, Json(None))
    assert "written json 'null', read NULL" in damage(oracle, column, Json(None), None)
    damage(oracle, column, Json([]), Json({}))
    damage(oracle, column, Json({}), None)
    damage(oracle, column, Json(""), None)
    damage(oracle, column, Json("12"), Json(12))
    damage(oracle, column, Json(False), Json(0))


def test_rows_that_vanish_or_appear(oracle: Oracle) -> None:
    gone = next(iter(oracle.ledger["thing__links"]))
    owner = json.loads(gone)[0]
    run(address(oracle), f"DELETE FROM thing__links WHERE owner_id = {owner}")
    run(address(oracle), "INSERT INTO thing__links VALUES (77, 'Shot', 78)")
    with pytest.raises(AssertionError, match="2 differences") as caught:
        oracle.verify()
    assert 'thing__links [77, "Shot", 78]: the row appeared' in str(caught.value)
    assert f"thing__links {gone}: the row vanished" in str(caught.value)
    oracle.expect("thing__links", (77, "Shot", 78), "linked_id", 78)
    oracle.forget("thing__links", tuple(json.loads(gone)))
    assert oracle.verify()


def test_rows_that_were_there_before(engine_url: str) -> None:
    build(engine_url)
    run(engine_url, "INSERT INTO thing (id, small) VALUES (1, 7), (3, 8)")
    for learn, seen in ((True, "small: written integer 7, read integer 9"), (False, None)):
        oracle = Oracle(engine_url, ignore=["sg_*", "attachment", "owner", "thing__links"])
        oracle.fill(2, learn=learn)
        assert len(oracle.ledger["thing"]) == (4 if learn else 2)
        run(engine_url, "UPDATE thing SET small = 9 WHERE id = 1")
        if seen:
            with pytest.raises(AssertionError, match=seen):
                oracle.verify()
        else:
            oracle.verify()
        run(engine_url, "UPDATE thing SET small = 7 WHERE id = 1")
    run(engine_url, "DELETE FROM thing WHERE id = 1")
    with pytest.raises(AssertionError, match="was there before, vanished"):
        oracle.verify()


def test_names_that_change(oracle: Oracle) -> None:
    run(
        address(oracle),
        "ALTER TABLE thing RENAME TO item",
        "ALTER TABLE item RENAME COLUMN small TO small__was_number",
        "ALTER TABLE item RENAME COLUMN id TO item_id",
        "ALTER TABLE item ADD COLUMN small VARCHAR(20)",
        "ALTER TABLE item DROP COLUMN flag",
        "UPDATE item SET small = '12' WHERE small__was_number = 12",
    )
    table: dict[Any, Any] = {"thing": "item"}
    columns: dict[Any, Any] = {
        ("thing", "small"): ("item", "small__was_number"),
        ("thing", "id"): ("item", "item_id"),
    }
    for renamed, message in (({}, "thing: the table is gone"), (table, "key column id is gone")):
        with pytest.raises(AssertionError, match=message):
            oracle.verify(renamed=renamed)
    with pytest.raises(AssertionError, match="flag: the column is gone; written"):
        oracle.verify(renamed=table | columns)
    for key, value in oracle.values("thing", "small").items():
        oracle.expect("item", key, "small", "12" if value == 12 else None)
    changes: dict[str, Any] = {"renamed": table | columns, "dropped": {("thing", "flag")}}
    assert oracle.verify(**changes) == ROWS * VALUES
    with pytest.raises(RuntimeError, match="settle"):
        oracle.fill()
    oracle.settle(**changes)
    oracle.fill()
    assert oracle.verify() == (ROWS + 3) * VALUES
    run(address(oracle), "UPDATE item SET small = NULL WHERE small__was_number = 12")
    with pytest.raises(AssertionError, match="small: written text '12', read NULL"):
        oracle.verify()


def test_sqlite_storage(databases: Databases) -> None:
    """What a batch rebuild does: a date becomes its year, a text a number, though a reader may not notice."""
    build(url := databases.new("sqlite"))
    oracle = Oracle(url, ignore=["sg_*"])
    oracle.fill(ROWS)
    columns = [row["name"] for row in columns_of(url, "thing")]
    for column, type_ in (("day", "DATE"), ("body", "INTEGER"), ("price", "TEXT"), ("flag", "TEXT")):
        saved = Oracle.load(url, oracle.dump())
        taken = ", ".join(f"CAST({c} AS {type_})" if c == column == "day" else f'"{c}"' for c in columns)
        declared = ", ".join(
            f'"{row["name"]}" {type_ if row["name"] == column else row["type"]}' for row in columns_of(url, "thing")
        )
        run(url, f"CREATE TABLE new ({declared}, PRIMARY KEY (id))", f"INSERT INTO new SELECT {taken} FROM thing")
        run(url, "ALTER TABLE thing RENAME TO old", "ALTER TABLE new RENAME TO thing")
        with pytest.raises(AssertionError, match=f"{column}: written") as caught:
            saved.verify()
        assert column != "day" or "written date '9999-12-31', read integer 9999" in str(caught.value)
        run(url, "DROP TABLE thing", "ALTER TABLE old RENAME TO thing")
    assert oracle.verify()


def columns_of(url: str, table: str) -> list[dict[str, Any]]:
    columns = snapshot_structure(url)["tables"][table]["columns"]
    return [{"name": name, **facts} for name, facts in columns.items()]


def test_nothing_written_is_no_proof(sqlite_url: str) -> None:
    with pytest.raises(AssertionError, match="nothing"):
        Oracle(sqlite_url).verify()


def test_broken_utf8_is_a_difference(databases: Databases) -> None:
    build(url := databases.new("sqlite"))
    (oracle := Oracle(url, ignore=["sg_*"])).fill(ROWS)
    run(url, "UPDATE thing SET body = CAST(substr(CAST(body AS BLOB), 1, 3) AS TEXT) WHERE body LIKE '\U0001f600%'")
    with pytest.raises(AssertionError, match="2 differences, the first"):
        oracle.verify()
