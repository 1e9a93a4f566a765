"""Changes in words a producer understands, in a stable order, and nothing that is no change."""

from __future__ import annotations

import itertools
import json
from dataclasses import replace
from datetime import date
from pathlib import Path
from typing import Any
from unicodedata import category

import pytest
from hypothesis import given, settings
from siteexamples import SMALL, shuffled, site_schemas, turned
from sites import REAL, field, site, site_of
from studio import Studio
from testsite import raw_schema

from sg_migrate.site.changes import SiteChange, changes
from sg_migrate.site.schema import Field, SiteSchema
from sg_migrate.site.snapshot import Snapshot, merge, write_snapshot
from sg_migrate.site.sources import load_schema, parse

CUT_IN = field("Shot.sg_cut_in", "text Cut In")


def said(old: Field, **attributes: Any) -> list[str]:
    """What a change of these attributes of one field is called."""
    new = replace(old, **attributes)
    return list(map(str, changes(site_of(field("Shot.code"), old), site_of(field("Shot.code"), new))))


@pytest.mark.parametrize(
    ("attributes", "words"),
    [
        ({"data_type": "number"}, 'Shot.sg_cut_in "Cut In": data type text -> number'),
        ({"name": "First Frame"}, 'Shot.sg_cut_in "First Frame": display name "Cut In" -> "First Frame"'),
        ({"name": "Cut In "}, "Shot.sg_cut_in \"Cut In\": display name 'Cut In' -> 'Cut In '"),
        ({"name": "\u202eCut\nIn\x1b[31m"}, 'Shot.sg_cut_in "Cut In [31m": display name "Cut In" -> "Cut In [31m"'),
        ({"name": ""}, 'Shot.sg_cut_in: display name "Cut In" -> (none)'),
        ({"description": "The first"}, 'Shot.sg_cut_in "Cut In": description (none) -> "The first"'),
        ({"valid_types": ("Asset", "Shot")}, 'Shot.sg_cut_in "Cut In": valid types +Asset, +Shot'),
        ({"valid_values": ("__b", "a")}, 'Shot.sg_cut_in "Cut In": valid values +__b, +a'),
        ({"default": "wtg"}, 'Shot.sg_cut_in "Cut In": default (none) -> "wtg"'),
        ({"default": False}, 'Shot.sg_cut_in "Cut In": default (none) -> false'),
        ({"mandatory": True}, 'Shot.sg_cut_in "Cut In": mandatory'),
        ({"unique": True}, 'Shot.sg_cut_in "Cut In": unique'),
        ({"editable": False}, 'Shot.sg_cut_in "Cut In": no longer editable'),
        ({"visible": False}, 'Shot.sg_cut_in "Cut In": no longer visible'),
        ({"properties": (("query", '{"a":1}'),)}, 'Shot.sg_cut_in "Cut In": query changed'),
        ({"properties": (("renderer", '"number"'),)}, 'Shot.sg_cut_in "Cut In": renderer (none) -> "number"'),
        (
            {"properties": (("calculated_function", '"{a}"'),)},
            'Shot.sg_cut_in "Cut In": calculation (none) -> "{a}"',
        ),
    ],
)
def test_each_kind_of_change_in_words(attributes: dict[str, object], words: str) -> None:
    assert said(CUT_IN, **attributes) == [words]


LONG = "Frames before the cut. " * 450
MOTH = "\U0001f98b"
ELSEWHERE = LONG[:9000] + "Handles are not counted." + LONG[9000:]


@pytest.mark.parametrize(
    ("old", "new", "shown"),
    [
        (LONG, ELSEWHERE, '-> …"ore the cut. Frames Handles are not counted.before the cut. Frames'),
        (LONG, LONG[:-1], "…'ames before the cut. ' -> …'ames before the cut.'"),
        (LONG, LONG.replace("cut", "Cut"), 'description "Frames before the cut. Frames before'),
        (LONG, "\u200b" + LONG, "-> '\\u200bFrames be'"),
        (LONG, LONG[:206] + "\n" + LONG[207:], "-> …'ames before the cut.\\nFrames be'"),
        (MOTH * 10_000, MOTH * 10_001, f'…"{MOTH * 20}" -> …"{MOTH * 21}"'),
        ("\x00" * 10_000, "\x00" * 10_001, r"\x00'"),
    ],
    ids=["inserted", "space", "at once", "unseen", "line", "picture", "control"],
)
def test_long_texts_are_shown_short_where_they_differ(old: str, new: str, shown: str) -> None:
    before, after = field("Shot.code", description=old), field("Shot.code", description=new)
    for found in (changes(site_of(before), site_of(after)), changes(site_of(after), site_of(before))):
        (words,) = map(str, found)
        assert len(words) < 260
        one, _, other = words.partition(": description ")[2].partition(" -> ")
        assert one != other
        if found[0].old == old:
            assert shown in words


def test_long_calculations_are_shown_where_they_differ() -> None:
    long = " + ".join(f"{{frames_{n}}}" for n in range(50))
    old, new = (replace(CUT_IN, properties=(("calculated_function", json.dumps(text)),)) for text in (long, long[:-3]))
    (words,) = said(old, properties=new.properties)
    assert words.endswith('calculation …rames_48} + {frames_49}" -> …rames_48} + {frames_"')


def test_commands_show_long_texts_short(tmp_path: Path) -> None:
    studio = Studio(tmp_path / "project")
    studio.take(site(Shot={"code": field("Shot.code", description=LONG)}))
    write_snapshot(tmp_path / "new.json", Snapshot(site(Shot={"code": field("Shot.code", description=ELSEWHERE)})))
    for command in (["diff", "snapshot"], ["snapshot", "--exit-code", "--from"]):
        result = studio.sg_migrate(*command, str(tmp_path / "new.json"))
        assert result.exit_code == 3, result.output
        assert "Handles are not counted" in result.output
        assert max(map(len, result.output.splitlines())) < 260


def test_fields_and_entity_types_that_come_and_go() -> None:
    lens = field("CustomEntity07.code"), field("CustomEntity07.sg_x")
    old = site_of(field("Shot.code"), CUT_IN)
    new = site_of(
        field("Shot.code"), field("Shot.sg_new", "date", name="New"), *lens, names={"CustomEntity07": "Lens Kit"}
    )
    assert list(map(str, changes(old, new))) == [
        'CustomEntity07 "Lens Kit": new entity type (2 fields)',
        'Shot.sg_cut_in "Cut In": no longer there',
        'Shot.sg_new "New": new field (date)',
    ]
    assert changes(new, old) == [
        SiteChange("CustomEntity07", None, "vanished", "Lens Kit", old=2),
        SiteChange("Shot", "sg_cut_in", "added", "Cut In", new="text"),
        SiteChange("Shot", "sg_new", "vanished", "New", old="date"),
    ]


def test_entity_types_change_too() -> None:
    old = site_of(field("Shot.code"), names={"Shot": "Shot"})
    shot = replace(old.entity_types["Shot"], name="Sequence Shot", visible=False)
    assert list(map(str, changes(old, SiteSchema({"Shot": shot})))) == [
        'Shot "Sequence Shot": display name "Shot" -> "Sequence Shot"',
        'Shot "Sequence Shot": no longer visible',
    ]


def test_states_of_a_ledger() -> None:
    full = site_of(field("Shot.code"), CUT_IN, field("Task.content"), *(field(f"Asset.a{n}") for n in range(40)))
    few = site_of(field("Shot.code"), *(field(f"Asset.a{n}") for n in range(40)))
    first = merge(None, full, today=date(2026, 1, 1))
    second = merge(first, few, today=date(2026, 2, 2), accept_retirements=True)
    assert list(map(str, changes(first.schema, second.schema))) == [
        'Shot.sg_cut_in "Cut In": retired: no longer on the site, kept in the warehouse',
        'Task "Task": retired: no longer on the site, kept in the warehouse',
    ]
    assert [(change.place, change.kind) for change in changes(second.schema, first.schema)] == [
        ("Shot.sg_cut_in", "revived"),
        ("Task", "revived"),
    ]
    dropped = replace(second.schema.entity_types["Task"], state="dropped")
    third = replace(second.schema, entity_types={**second.schema.entity_types, "Task": dropped})
    assert list(map(str, changes(second.schema, third))) == [
        'Task "Task": dropped: a person decided to remove it from the warehouse'
    ]


def test_lists_say_what_came_and_went() -> None:
    old = field("Shot.entity", "entity:Asset,Shot", name="", valid_values=("a", "b", "c"))
    new = replace(old, valid_types=("Cut", "Shot"), valid_values=("c", "b", "d"))
    assert changes(site_of(old), site_of(new)) == [
        SiteChange("Shot", "entity", "valid_types", added=("Cut",), removed=("Asset",)),
        SiteChange("Shot", "entity", "valid_values", added=("d",), removed=("a",)),
    ]
    other = replace(old, valid_values=("c", "b", "a"))
    assert list(map(str, changes(site_of(old), site_of(other)))) == ["Shot.entity: valid values in another order"]


def test_a_default_that_only_looks_equal_is_a_change() -> None:
    old, new = field("Shot.a", name="", default=1), field("Shot.a", name="", default=True)
    assert list(map(str, changes(site_of(old), site_of(new)))) == ["Shot.a: default 1 -> true"]


def test_what_is_no_change() -> None:
    entity = field("Shot.entity", "entity", valid_types=("Asset", "Shot"))
    assert changes(site_of(entity), site_of(replace(entity, valid_types=("Shot", "Asset", "Asset")))) == []
    assert changes(SMALL, replace(SMALL, host="elsewhere")) == []
    assert changes(SMALL, turned(SMALL)) == []
    retired = replace(entity, state="retired", since="2026-01-01")
    assert changes(site_of(retired), site_of(replace(retired, since="2025-01-01"))) == []


HIDDEN = {"Cc", "Cs", "Zl", "Zp"}


@settings(max_examples=40, deadline=None)
@given(site_schemas(), site_schemas())
def test_no_changes_exactly_when_the_snapshots_are_equal(one: SiteSchema, two: SiteSchema) -> None:
    found = changes(one, two)
    assert (found == []) is (Snapshot(one).text() == Snapshot(two).text())
    assert found == changes(turned(one), turned(two))
    assert len({(change.place, change.kind) for change in found}) == len(found)
    assert not HIDDEN & {category(character) for change in found for character in str(change)}
    assert changes(one, one) == []


def counts(found: list[SiteChange]) -> tuple[int, int, int, int]:
    """Entity types that came and went, fields that came and went in the others."""
    kinds = [(change.field is None, change.kind) for change in found]
    return (
        kinds.count((True, "added")),
        kinds.count((True, "vanished")),
        kinds.count((False, "added")),
        kinds.count((False, "vanished")),
    )


@pytest.mark.skipif(not REAL, reason="the real schemas are not on this machine")
def test_real_years_counted_another_way() -> None:
    schemas = [load_schema(path).schema for path in REAL]
    for old, new in itertools.pairwise(schemas):
        both = old.entity_types.keys() & new.entity_types.keys()
        old_fields = {str(one) for one in old.fields() if one.entity_type in both}
        new_fields = {str(one) for one in new.fields() if one.entity_type in both}
        assert counts(changes(old, new)) == (
            len(new.entity_types.keys() - both),
            len(old.entity_types.keys() - both),
            len(new_fields - old_fields),
            len(old_fields - new_fields),
        )


def test_shuffled_raw_sources_have_no_changes() -> None:
    fields, entities = raw_schema(SMALL)
    document = {"schema_read": fields, "schema_entity_read": entities}
    for seed in range(20):
        assert changes(SMALL, parse(json.dumps(shuffled(document, seed)), "text").schema) == []
