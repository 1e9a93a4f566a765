"""The oracle must be able to fail: each kind of damage is done by plain SQL, and must be found."""

from __future__ import annotations

import json
import math
import unicodedata
from collections.abc import Iterator, Sequence
from datetime import date, datetime, timedelta, timezone
from decimal import Decimal
from typing import Any

import pytest
from engines import ENGINES, Databases, RequestedDatabases, Servers
from oracle import SHOWN, Json, Oracle
from oracle_values import DATES, DOCUMENTS, DOUBLES, EMOJI, QUOTES, TEXTS, TIMESTAMPS, tag, to_driver
from structure import snapshot_structure
from structures import build, run

ROWS = 24
"""So many that each column goes through all its values."""
VALUES = 13 + 3 + 3 + 2
"""The columns of all tables."""


@pytest.fixture
def oracle(engine_url: str) -> Oracle:
    return filled(engine_url)


@pytest.fixture(scope="module", params=ENGINES)
def whole(
    request: pytest.FixtureRequest, servers: Servers, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Oracle]:
    """The oracle of a database that every test leaves as it was."""
    with RequestedDatabases(servers, tmp_path_factory.mktemp("whole")) as databases:
        yield filled(databases.new(request.param))


def filled(url: str) -> Oracle:
    build(url)
    oracle = Oracle(url, ignore=["sg_catalog_*"])
    oracle.fill(ROWS)
    return oracle


def address(oracle: Oracle) -> str:
    return oracle.url.render_as_string(hide_password=False)


Damage = tuple[str, Any, Any]
"""A column, a value that it has, and what becomes of it."""
Cell = tuple[Any, str]
"""A key and a column."""


def said(oracle: Oracle, damages: Sequence[Damage]) -> list[str]:
    """What the oracle says of each damage; it must find them all, and nothing else.

    Damages are done together, each to another value, as many as the oracle lists; then they are put back.
    """
    lines: dict[int, str] = {}
    while len(lines) < len(damages):
        together: dict[Cell, int] = {}
        for number, (column, old, _) in enumerate(damages):
            free = [cell for cell in cells(oracle, column, old) if cell not in together]
            if number not in lines and free and len(together) < SHOWN:
                together[free[0]] = number
        for cell, number in together.items():
            set_cell(oracle, cell, damages[number][2])
        with pytest.raises(AssertionError) as caught:
            oracle.verify()
        for cell, number in together.items():
            set_cell(oracle, cell, damages[number][1])
        first, *found = str(caught.value).splitlines()
        assert first.startswith(f"{len(together)} differences")
        assert len(found) == len(together)
        for (key, column), number in together.items():
            (lines[number],) = [line for line in found if f"thing [{key}] {column}: written " in line]
    return [lines[number] for number in range(len(damages))]


def cells(oracle: Oracle, column: str, value: Any) -> list[Cell]:
    """Where such a value is."""
    values = oracle.values("thing", column).items()
    found = [(key, column) for key, v in values if type(v) is type(value) and v == value]
    assert found, f"no row has such a value in {column}"
    return found


def set_cell(oracle: Oracle, cell: Cell, value: Any) -> None:
    """Plain SQL."""
    key, column = cell
    engine = oracle.url.get_backend_name().replace("mariadb", "mysql")
    name = f"`{column}`" if engine == "mysql" else f'"{column}"'
    cast = {"document": "CAST(:value AS jsonb)", "plain": "CAST(:value AS json)"} if engine == "postgresql" else {}
    update = f"UPDATE thing SET {name} = {cast.get(column, ':value')} WHERE id = {key}"
    run(address(oracle), update, value=to_driver(engine, value))


def test_undamaged(whole: Oracle) -> None:
    assert whole.verify() == ROWS * VALUES
    assert Oracle.load(whole.url, whole.dump()).verify() == whole.verify()
    assert "sg_catalog_field" not in whole.ledger


def test_every_value_is_written(whole: Oracle) -> None:
    def written(column: str) -> list[Any]:
        return list(whole.values("thing", column).values())

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
    assert set(whole.values("attachment", "thing_id").values()) <= set(written("id"))


def test_same_plan_for_the_same_seed(databases: Databases) -> None:
    ledgers = []
    for seed in (1, 1, 2):
        build(url := databases.new("sqlite"))
        (oracle := Oracle(url, ignore=["sg_*"])).fill(seed=seed)
        ledgers.append(oracle.ledger)
    assert ledgers[0] == ledgers[1]
    assert ledgers[0] != ledgers[2]


def test_damaged_texts(whole: Oracle) -> None:
    huge = max(whole.values("thing", "body").values(), key=lambda text: len(text or ""))
    full = max(whole.values("thing", "group").values(), key=lambda text: len(text or ""))
    cut = [huge[:-1], huge[:16_383], huge.encode()[:65_535].decode(errors="ignore"), huge + " "]
    both = [
        ("  spaces  ", "  spaces"),
        (EMOJI, EMOJI.replace("\U0001f600", "?")),
        (EMOJI, unicodedata.normalize("NFC", EMOJI)),
        (QUOTES, QUOTES.replace("\r\n", "\n")),
        (QUOTES, QUOTES.replace("%", "%%")),
        (QUOTES, QUOTES.replace("\\\\", "\\")),
        ("12 frames", "12"),
        ("-0.50", "-0.5"),
        ("NULL", None),
    ]
    vanished, appeared, *cuts = said(
        whole,
        [
            ("body", "", None),
            ("body", None, ""),
            *(("body", huge, shorter) for shorter in cut),
            ("group", full, full[:-1]),
            *((column, *pair) for column in ("group", "body") for pair in both),
        ],
    )
    assert "written text '', read NULL" in vanished
    assert "written NULL, read text ''" in appeared
    assert all("long)" in line for line in cuts[: len(cut)])


def test_damaged_numbers(whole: Oracle) -> None:
    most, least = Decimal("9999999999999.99"), Decimal("0.01")
    owner = next(filter(None, whole.values("thing", "owner_id").values()))
    damages: list[Damage] = []
    for column, high in (("big", 2**63 - 1), ("small", 2**31 - 1)):
        damages += [(column, high, high - 1), (column, -high - 1, -high), (column, 0, None), (column, None, 0)]
    for number in (0.1, -1 / 3, 1.7976931348623157e308, 2.2250738585072014e-308):
        damages.append(("ratio %", number, math.nextafter(number, 1.0)))
    damages += [("ratio %", 0.0, None), ("ratio %", None, 0.0), ("ratio %", 24.0, 25.0)]
    damages += [("price", most, most - least), ("price", -most, least - most)]
    damages += [("price", least, Decimal(0)), ("price", None, Decimal(0))]
    damages += [("flag", True, False), ("flag", False, None), ("flag", None, False), ("owner_id", owner, None)]
    assert said(whole, damages)


def test_damaged_moments(whole: Oracle) -> None:
    damages: list[Damage] = [
        ("day", None, date(1970, 1, 1)),
        ("moment", None, datetime(1970, 1, 1, tzinfo=timezone.utc)),
    ]
    for day in filter(None, DATES):
        damages += [("day", day, day + timedelta(days=1 if day.year < 9999 else -1)), ("day", day, None)]
    for naive in filter(None, TIMESTAMPS):
        moment = naive.replace(tzinfo=timezone.utc)
        others = [moment + timedelta(microseconds=1), moment + timedelta(hours=1)]
        if moment.microsecond:
            others.append(moment.replace(microsecond=0))
        if moment.microsecond % 1000:
            others.append(moment.replace(microsecond=moment.microsecond // 1000 * 1000))
        damages += [("moment", moment, other) for other in others]
    assert said(whole, damages)


def test_damaged_documents(whole: Oracle) -> None:
    nested, links = DOCUMENTS[0], DOCUMENTS[7]
    assert nested
    assert links
    damages = [
        (None, Json(None)),
        (Json(None), None),
        (nested, Json({**nested.value, "name": "e"})),
        (nested, Json({**nested.value, "Name": 1})),
        (nested, Json({key: value for key, value in nested.value.items() if key})),
        (links, Json(links.value[::-1])),
        (Json([]), Json({})),
        (Json({}), None),
        (Json(""), None),
        (Json("12"), Json(12)),
        (Json(False), Json(0)),
    ]
    for column in ("document", "plain"):
        appeared, vanished, *_ = said(whole, [(column, *pair) for pair in damages])
        assert "written NULL, read json 'null'" in appeared
        assert "written json 'null', read NULL" in vanished


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
