"""Fields and entity types that vanish and return: kept, marked, said once, and found again with their values."""

from __future__ import annotations

from datetime import date
from pathlib import Path

import pytest
from engines import Databases
from sites import changed, site, without
from studio import Studio, summary

FULL = site(
    Shot={
        "code": "text Code",
        "sg_old": "text Old Flag",
        "sg_lead": "entity:HumanUser Lead",
        "sg_plates": "multi_entity:Version Plates",
    },
    HumanUser={"login": "text Login"},
    Version={"code": "text"},
    CustomEntity07={"code": "text Kit", "sg_operators": "multi_entity:HumanUser Operators"},
)
GONE = ("CustomEntity07", "Shot.sg_old", "Shot.sg_lead", "Shot.sg_plates")
ROWS = (
    "INSERT INTO shot (id, code, sg_old, sg_lead_id, sg_lead_type) VALUES (1, 'a', 'x', 5, 'HumanUser')",
    "INSERT INTO shot__sg_plates (owner_id, linked_type, linked_id) VALUES (1, 'Version', 8)",
    "INSERT INTO custom_entity07 (id, code) VALUES (3, 'kit')",
    "INSERT INTO custom_entity07__sg_operators (owner_id, linked_type, linked_id) VALUES (3, 'HumanUser', 5)",
)
KEPT = {
    "SELECT code, sg_old, sg_lead_id, sg_lead_type FROM shot": [("a", "x", 5, "HumanUser")],
    "SELECT owner_id, linked_type, linked_id FROM shot__sg_plates": [(1, "Version", 8)],
    "SELECT id, code FROM custom_entity07": [(3, "kit")],
    "SELECT owner_id, linked_id FROM custom_entity07__sg_operators": [(3, 5)],
}


def check_values(studio: Studio) -> None:
    for query, rows in KEPT.items():
        assert studio.rows(query) == rows


def retired_comments(studio: Studio) -> set[str]:
    """What the database itself says is retired."""
    found = set()
    for name, table in studio.structure()["tables"].items():
        entries = {name: table.get("comment")} | {f"{name}.{c}": e.get("comment") for c, e in table["columns"].items()}
        found |= {name for name, comment in entries.items() if (comment or "").startswith("[retired] ")}
    return found


def catalog(studio: Studio, state: str) -> set[str]:
    fields = f"SELECT table_name, column_name FROM sg_catalog_field WHERE state = '{state}'"
    entities = f"SELECT table_name FROM sg_catalog_entity WHERE state = '{state}'"
    return {".".join(row) for query in (fields, entities) for row in studio.rows(query)}


@pytest.mark.parametrize("engine_name", ["sqlite", "postgresql"])
def test_vanished_and_returned(tmp_path: Path, databases: Databases, engine_name: str) -> None:
    studio = Studio(tmp_path / "project", databases.new(engine_name))
    studio.step(FULL)
    studio.execute(*ROWS)
    text = studio.step(without(FULL, *GONE), date(2025, 3, 1))
    assert summary(text) == [
        "CustomEntity07",
        "  - retired on the site, table kept",
        "Shot",
        '  - sg_lead    retired on the site, kept in the warehouse  "Lead"',
        '  - sg_old     retired on the site, kept in the warehouse  "Old Flag"',
        '  - sg_plates  retired on the site, kept in the warehouse  "Plates"',
    ]
    marked = {
        "custom_entity07", "custom_entity07__sg_operators", "shot.sg_old", "shot.sg_lead_id", "shot.sg_lead_type",
        "shot__sg_plates",
    }  # fmt: skip
    if engine_name == "postgresql":
        assert retired_comments(studio) == marked
    columns = {f"{table}.{column}" for table in ("custom_entity07", "custom_entity07__sg_operators", "shot__sg_plates")
               for column in studio.built[table].columns}  # fmt: skip
    assert catalog(studio, "retired") == marked | columns
    assert studio.rows("SELECT DISTINCT retired_since FROM sg_catalog_field WHERE state = 'retired'") == [
        ("2025-03-01",)
    ]
    check_values(studio)

    studio.take(without(FULL, *GONE), date(2026, 3, 1))
    assert studio.revise() is None  # never reported again

    text = studio.step(FULL)
    assert summary(text) == [
        "CustomEntity07",
        "  + back on the site; the table and its values are still there",
        "Shot",
        '  + sg_lead    back on the site; the column and its values are still there  "Lead"',
        '  + sg_old     back on the site; the column and its values are still there  "Old Flag"',
        '  + sg_plates  back on the site; the table and its values are still there  "Plates"',
    ]
    assert retired_comments(studio) == set()
    assert catalog(studio, "retired") == set()
    check_values(studio)


@pytest.mark.parametrize("engine_name", ["sqlite", "postgresql"])
def test_returned_with_another_type(tmp_path: Path, databases: Databases, engine_name: str) -> None:
    studio = Studio(tmp_path / "project", databases.new(engine_name))
    schema = site(
        Shot={
            "sg_bid": "text Bid",
            "sg_mood": "text Mood",
            "sg_lead": "entity:HumanUser Lead",
            "sg_notes": "multi_entity:Note Notes",
        },
        HumanUser={},
        Note={},
    )
    studio.step(schema)
    studio.execute("INSERT INTO shot (id, sg_bid, sg_mood, sg_lead_id) VALUES (1, '12', 'dark', 9), (2, 'x', NULL, 1)")
    studio.step(without(schema, "Shot.sg_bid", "Shot.sg_mood", "Shot.sg_lead", "Shot.sg_notes"))
    shot = {"sg_bid": "number Bid", "sg_mood": "list Mood", "sg_lead": "text Lead", "sg_notes": "entity:Note Note"}
    text = studio.step(site(Shot=shot, HumanUser={}, Note={}))
    again = "it came back with another type: its meaning may have changed"
    assert summary(text)[0] == '~ Shot.sg_notes  "Notes" -> "Note"'
    lines = {line.split()[1]: line for line in summary(text)[2:]}
    assert lines["sg_bid"].endswith(f'text -> number  "Bid"; the old values stay in sg_bid__was_text; {again}')
    assert lines["sg_mood"].endswith(f'text -> list  "Mood"; the column stays as it is; {again}')
    assert lines["sg_lead"].endswith(
        f'entity -> text  "Lead"; the old values stay in sg_lead_id__was_entity, sg_lead_type__was_entity; {again}'
    )
    assert lines["sg_notes"].endswith(
        f'multi_entity -> entity  "Note"; the old values stay in shot__sg_notes__was_multi_entity; {again}'
    )
    assert len(lines) == 4
    query = "SELECT sg_bid, sg_bid__was_text, sg_mood, sg_lead_id__was_entity FROM shot ORDER BY id"
    assert studio.rows(query) == [(12, "12", "dark", 9), (None, "x", None, 1)]


def test_an_entity_type_returns_as_something_else(tmp_path: Path, sqlite_url: str) -> None:
    studio = Studio(tmp_path / "project", sqlite_url)
    studio.step(changed(FULL, "CustomEntity07", name="Lens Kit"))
    studio.execute(*ROWS)
    studio.step(without(FULL, "CustomEntity07"))
    text = studio.step(changed(FULL, "CustomEntity07", name="Camera Report"))
    assert summary(text)[:3] == [
        '~ CustomEntity07  "Lens Kit" -> "Camera Report"',
        'CustomEntity07 "Camera Report"',
        "  + back on the site; the table and its values are still there",
    ]
    check_values(studio)


def test_a_field_that_came_and_went_between_two_revisions_gets_no_column(tmp_path: Path, sqlite_url: str) -> None:
    studio = Studio(tmp_path / "project", sqlite_url)
    studio.step(without(FULL, "CustomEntity07", "Shot.sg_old", "Shot.sg_plates"))
    studio.take(FULL)
    studio.take(without(FULL, "CustomEntity07", "Shot.sg_old", "Shot.sg_plates"))
    assert studio.revise() is None
    assert '"Shot.sg_old": {"type": "text", ' in studio.snapshot.read_text()
