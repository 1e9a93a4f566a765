"""The sample schemas are what their README says: checked with plain JSON, without the product."""

from __future__ import annotations

import json
import re
import unicodedata
from collections.abc import Callable
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest

SAMPLES = Path(__file__).parents[2] / "sample_schemas"
FILES = sorted(SAMPLES.glob("*.json"))
EXPECTED: dict[str, Any] = json.loads(Path(__file__).with_name("expected_changes.json").read_text("utf-8"))
STEPS: list[dict[str, Any]] = EXPECTED["steps"]
STATES: list[dict[str, Any]] = [json.loads(path.read_text("utf-8")) for path in FILES]

# The data types of the sites that were looked at, and one that nobody has seen.
# fmt: off
DATA_TYPES = {
    "text", "list", "status_list", "color", "entity_type", "number", "integer", "duration", "percent", "timecode",
    "float", "currency", "checkbox", "date", "date_time", "entity", "multi_entity", "addressing", "tag_list", "url",
    "image", "serializable", "jsonb", "uuid", "footage", "url_template", "summary", "calculated", "pivot_column",
    "password", "system_task_type", "hologram",
}
# fmt: on
LONG = "sg_round_of_comments_from_the_distributors_review_committee_about_picture"
LONG_REVERSE = "custom_entity07_sg_shots_photographed_with_this_kit_on_stage_custom_entity07s"
# The properties, beside valid types, valid values and the default, that give a field its meaning.
OTHER_PROPERTIES = ("calculated_function", "renderer", "query", "summary_field", "summary_value")
Reader = Callable[[dict[str, Any], str], Any]
FLAGS = ("mandatory", "unique", "editable", "visible")


def fields_of(state: dict[str, Any]) -> dict[str, dict[str, Any]]:
    """``{"Shot.code": raw}`` for every field of a state."""
    return {f"{e}.{c}": raw for e, fields in state["schema_read"].items() for c, raw in fields.items()}


FIELDS = [fields_of(state) for state in STATES]


def types_of(field: str) -> list[str | None]:
    """The data type of a field in each state; None where the site does not have it."""
    return [fields[field]["data_type"]["value"] if field in fields else None for fields in FIELDS]


def prop(raw: dict[str, Any], key: str) -> Any:
    return raw["properties"].get(key, {}).get("value")


def entity_of(field: str) -> str:
    return field.partition(".")[0]


def changes(index: int) -> dict[str, Any]:
    """What the step into state ``index`` changed, against what was last seen of each entity type and field."""
    new = FIELDS[index]
    old_types, new_types = STATES[index - 1]["schema_entity_read"], STATES[index]["schema_entity_read"]
    seen: dict[str, dict[str, Any]] = {}  # every field, as last seen
    seen_types: dict[str, Any] = {}  # every entity type, as last seen
    present: dict[str, set[str]] = {}  # the fields that each entity type had when it was last seen
    for state, fields in zip(STATES[:index], FIELDS[:index], strict=True):
        seen |= fields
        seen_types |= state["schema_entity_read"]
        present |= {e: {f"{e}.{code}" for code in codes} for e, codes in state["schema_read"].items()}
    staying = new_types.keys() & seen_types.keys()  # still there or returned: their fields are told one by one
    before = {f for e in staying for f in present[e]}
    after = {f for f in new if entity_of(f) in staying}
    common = sorted(after & seen.keys())
    data_type = {f: (seen[f]["data_type"]["value"], new[f]["data_type"]["value"]) for f in common}
    same = [f for f in common if len(set(data_type[f])) == 1]

    def listed(key: str) -> dict[str, tuple[list[str], list[str]]]:
        pairs = {f: (prop(seen[f], key) or [], prop(new[f], key) or []) for f in same}
        return {f: pair for f, pair in pairs.items() if pair[0] != pair[1]}

    def grown_and_shrunk(key: str) -> dict[str, dict[str, list[str]]]:
        return {
            f: {"added": sorted(set(b) - set(a)), "removed": sorted(set(a) - set(b))}
            for f, (a, b) in listed(key).items()
            if set(a) != set(b)
        }

    def flag(raw: dict[str, Any], key: str) -> bool:
        return bool(raw.get(key, {"value": False})["value"])  # the first state has no "unique"

    def differing(fields: list[str], keys: tuple[str, ...], read: Reader) -> dict[str, dict[str, list[Any]]]:
        pairs = {f: {key: [read(seen[f], key), read(new[f], key)] for key in keys} for f in fields}
        changed = {f: {key: [a, b] for key, (a, b) in both.items() if a != b} for f, both in pairs.items()}
        return {f: both for f, both in changed.items() if both}

    return {
        "from": FILES[index - 1].name,
        "to": FILES[index].name,
        "entity_types_added": sorted(new_types.keys() - seen_types.keys()),
        "entity_types_vanished": sorted(old_types.keys() - new_types.keys()),
        "entity_types_returned": sorted((new_types.keys() & seen_types.keys()) - old_types.keys()),
        "entity_type_names": {
            e: [seen_types[e]["name"]["value"], new_types[e]["name"]["value"]]
            for e in sorted(staying)
            if seen_types[e]["name"] != new_types[e]["name"]
        },
        "fields_added": {f: new[f]["data_type"]["value"] for f in sorted(after - seen.keys())},
        "fields_vanished": {f: seen[f]["data_type"]["value"] for f in sorted(before - after)},
        "fields_returned": {f: list(data_type[f]) for f in common if f not in before},
        "fields_retyped": {f: list(data_type[f]) for f in common if f in before and f not in same},
        "display_names": [f for f in common if seen[f]["name"]["value"] != new[f]["name"]["value"]],
        "descriptions": [f for f in common if seen[f]["description"]["value"] != new[f]["description"]["value"]],
        "valid_types": grown_and_shrunk("valid_types"),
        "valid_types_reordered": [f for f, (a, b) in listed("valid_types").items() if set(a) == set(b)],
        "valid_values": grown_and_shrunk("valid_values"),
        "valid_values_reordered": [f for f, (a, b) in listed("valid_values").items() if set(a) == set(b)],
        "defaults": {f: both["default_value"] for f, both in differing(same, ("default_value",), prop).items()},
        "flags": differing(common, FLAGS, flag),
        "properties": differing(same, OTHER_PROPERTIES, prop),
    }


def all_retyped() -> set[tuple[str, str]]:
    """Every (from, to) that occurs for a field that was there before and after."""
    return {(a, b) for step in STEPS for a, b in step["fields_retyped"].values()}


# ---- the files


def test_the_states_are_the_listed_ones() -> None:
    found = [
        {"file": path.name, "entity_types": len(state["schema_read"]), "fields": len(fields)}
        for path, state, fields in zip(FILES, STATES, FIELDS, strict=True)
    ]
    assert found == EXPECTED["states"]


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.stem)
def test_layout(path: Path) -> None:
    text = path.read_text("utf-8")
    assert len(text) < 300_000
    assert text.isascii()  # hidden characters are visible escapes for whoever reviews the file
    assert text.endswith("}\n")
    assert text == text.strip() + "\n"
    state = json.loads(text)
    assert list(state) == ["schema_entity_read", "schema_read"]
    assert list(state["schema_read"]) == sorted(state["schema_read"]) == list(state["schema_entity_read"])
    for fields in state["schema_read"].values():
        assert list(fields) == sorted(fields)
        assert fields["id"]["data_type"]["value"] == "number"
    # one field per line: each line inside an entity type is one whole field
    lines = [line for line in text.splitlines() if line.startswith('   "')]
    assert len(lines) == len(fields_of(state))
    for line, raw in zip(lines, fields_of(state).values(), strict=True):
        assert json.loads("{" + line.strip().removesuffix(",") + "}").popitem()[1] == raw


@pytest.mark.parametrize("state", STATES, ids=[path.stem for path in FILES])
def test_raw_form(state: dict[str, Any]) -> None:
    for e, entity_type in state["schema_entity_read"].items():
        assert sorted(entity_type) == ["name", "visible"]
        for code, raw in state["schema_read"][e].items():
            assert raw["entity_type"]["value"] == e
            assert {"name", "description", "data_type", "editable", "mandatory", "properties", "visible"} < raw.keys()
            pairs = [v for k, v in raw.items() if k != "properties"] + list(raw["properties"].values())
            assert all(sorted(pair) == ["editable", "value"] for pair in pairs), f"{e}.{code}"
            data_type = raw["data_type"]["value"]
            assert ("valid_types" in raw["properties"]) == (
                data_type in ("entity", "multi_entity", "addressing", "tag_list")
            )
            assert ("valid_values" in raw["properties"]) == (data_type in ("list", "status_list"))


def test_keys_that_only_newer_sites_have() -> None:
    keys = [{key for raw in fields.values() for key in raw} for fields in FIELDS]
    assert ["unique" in k for k in keys] == [False, True, True, True, True, True]
    assert ["custom_metadata" in k for k in keys] == [False, False, True, True, True, True]


def test_size_of_the_site() -> None:
    assert len(STATES) >= 5
    assert all(14 <= len(state["schema_read"]) <= 22 for state in STATES)


def test_no_step_trips_the_mass_retirement_guard() -> None:
    for (old, old_fields), (new, new_fields) in pairwise(zip(STATES, FIELDS, strict=True)):
        assert len(old["schema_read"].keys() - new["schema_read"].keys()) <= 0.2 * len(old["schema_read"])
        assert len(old_fields.keys() - new_fields.keys()) <= 0.2 * len(old_fields)


# ---- the changes


@pytest.mark.parametrize("index", range(1, len(STATES)), ids=[path.stem for path in FILES[1:]])
def test_expected_changes_are_exact(index: int) -> None:
    found, expected = changes(index), STEPS[index - 1]
    assert found.keys() == expected.keys()
    for key in expected:
        assert found[key] == expected[key], key


def test_every_data_type_occurs() -> None:
    assert {raw["data_type"]["value"] for fields in FIELDS for raw in fields.values()} == DATA_TYPES
    assert types_of("Shot.open_notes_count") == ["summary"] * 6


def test_calculated_fields_with_several_renderers() -> None:
    found = {
        prop(raw, "renderer")
        for fields in FIELDS
        for raw in fields.values()
        if raw["data_type"]["value"] == "calculated"
    }
    assert found == {"text", "number", "float", "currency", "percent", "checkbox", "date", "duration"}


@pytest.mark.parametrize(
    "pair",
    [
        ("text", "number"), ("number", "text"), ("text", "date"), ("date", "date_time"), ("date_time", "date"),
        ("number", "float"), ("float", "number"), ("checkbox", "text"), ("text", "checkbox"), ("list", "text"),
        ("text", "list"), ("entity", "multi_entity"), ("multi_entity", "entity"), ("number", "duration"),
        ("currency", "float"), ("url", "text"), ("text", "entity"), ("number", "date"), ("summary", "number"),
        ("number", "summary"), ("percent", "float"),
    ],
    ids=" to ".join,
)  # fmt: skip
def test_every_retyping_occurs(pair: tuple[str, str]) -> None:
    assert pair in all_retyped()


@pytest.mark.parametrize(
    ("field", "life"),
    [
        ("Shot.sg_turnover", [None, "text", "number", "date", "date", "date"]),  # three types in three states
        ("Shot.sg_sort_hack", [None, None, "number", None, None, None]),  # in one state only
        ("Version.sg_temp_links", [None, None, None, "multi_entity", None, None]),
        ("Shot.sg_old_status", ["text", None, None, None, None, None]),  # retired for good
        ("Shot.sg_vfx_turnover_2", ["text", "text", None, "text", "text", "text"]),  # revived
        ("Asset.sg_assigned_artists", ["multi_entity"] * 3 + [None] + ["multi_entity"] * 2),
        ("Project.sg_lut", ["url", None, None, None, "url", "url"]),  # revived after three states
        ("Version.sg_flagged", ["checkbox", None, "checkbox", None, "checkbox", None]),
        ("Sequence.sg_mood", ["text", None, "list", "list", "list", "list"]),  # revived with another type, same column
        ("Task.sg_bid_code", ["text", "text", None, "number", "number", "number"]),  # revived with another type
        ("Version.sg_linked_notes", ["multi_entity", "multi_entity", None, "entity", "entity", "entity"]),
        ("Asset.sg_build_number", ["number", "number", "number", "text", "text", "number"]),  # there and back
        ("Version.sg_client_review", ["date", "date", "date", "date_time", "date_time", "date"]),
        ("Shot.sg_plates", ["multi_entity"] * 4 + ["entity"] * 2),  # deleted for good and created again
        ("Shot.sg_cut_in", ["text"] * 2 + ["number"] * 4),
        ("Shot.sg_cut_in__was_text", [None, None, "text", "text", "text", None]),  # named as the kept column would be
    ],
)  # fmt: skip
def test_lives_of_fields(field: str, life: list[str | None]) -> None:
    assert types_of(field) == life


@pytest.mark.parametrize(
    ("entity_type", "life"),
    [
        ("CustomEntity07", ["Lens Kit", "Lens Kit", None, None, "Camera Report", "Camera Report (archive)"]),
        ("Cut", [None, "Cut", "Cut", None, "Cut", "Cut"]),  # enabled, disabled, enabled again
        ("MocapTake", ["Mocap Take", "Mocap Take", None, None, None, None]),  # disabled for good
        ("CustomThreadedEntity02", [None, None, None, "Client Feedback", None, None]),  # in one state only
        ("TimeLog", [None, "Time Log", "Time Log", "Time Log", "Time Log", "Time Log"]),  # enabled
    ],
)  # fmt: skip
def test_lives_of_entity_types(entity_type: str, life: list[str | None]) -> None:
    found = [state["schema_entity_read"].get(entity_type) for state in STATES]
    assert [None if raw is None else raw["name"]["value"] for raw in found] == life


def test_a_disabled_type_drops_out_of_valid_types() -> None:
    for state, fields in zip(STATES, FIELDS, strict=True):
        listed = {t for raw in fields.values() for t in prop(raw, "valid_types") or []}
        # what is listed but not in the schema: types that this login never sees
        assert listed - state["schema_read"].keys() == {"ApiUser", "AppWelcome", "Banner", "Tag"}
    assert [prop(fields["Shot.sg_lens_kit"], "valid_types") for fields in FIELDS[1:4]] == [["CustomEntity07"], [], []]


def test_every_kind_of_small_change_occurs() -> None:
    for key in ("valid_types", "valid_values"):
        found = [change for step in STEPS for change in step[key].values()]
        assert any(change["added"] and not change["removed"] for change in found)
        assert any(change["removed"] and not change["added"] for change in found)
        assert any(step[f"{key}_reordered"] for step in STEPS)
    for step in STEPS:
        assert step["display_names"], step["to"]
        assert step["descriptions"], step["to"]
        assert step["defaults"], step["to"]
    flags = {key for step in STEPS for pairs in step["flags"].values() for key in pairs}
    assert flags == {"mandatory", "editable", "visible"}
    properties = {key for step in STEPS for pairs in step["properties"].values() for key in pairs}
    assert properties == {"renderer", "calculated_function", "summary_field"}


# ---- names and texts


def test_clashing_names() -> None:
    for fields in FIELDS:
        for link in ("task", "dependent_task"):
            assert fields[f"TaskDependency.{link}"]["data_type"]["value"] == "entity"
            assert fields[f"TaskDependency.{link}_id"]["data_type"]["value"] == "number"
        assert fields["PublishedFile.metadata"]["data_type"]["value"] == "serializable"
    # a clash that arrives when the column of the link is already built
    assert types_of("Shot.sg_lead") == ["entity"] * 6
    assert types_of("Shot.sg_lead_id") == [None, None, None, "number", "number", "number"]


def test_one_field_is_unique() -> None:
    for fields in FIELDS[1:]:
        assert [f for f, raw in fields.items() if raw["unique"]["value"]] == ["HumanUser.sg_badge"]


def test_reserved_words() -> None:
    entity_types = {e for state in STATES for e in state["schema_read"]}
    assert {"Group", "Release", "Cut"} <= entity_types
    codes = {field.partition(".")[2] for fields in FIELDS for field in fields}
    assert {"group", "release", "order", "cut", "user", "date"} <= codes


def test_over_long_names() -> None:
    assert len(LONG_REVERSE) == 77
    assert types_of(f"Shot.{LONG_REVERSE}") == [None, "multi_entity", None, None, None, None]
    assert types_of(f"Version.{LONG}") == [None, "text", "text", "text", "number", "number"]
    assert types_of(f"Version.{LONG}_and_grade") == [None] + ["text"] * 5
    assert LONG[:63] == f"{LONG}_and_grade"[:63]
    assert len(LONG) > 63
    long_types = {e for state in STATES for e in state["schema_read"] if len(e) > 63}
    assert long_types == {"CustomEntity07_sg_shots_photographed_with_this_kit_on_stage_Connection"}


def test_codes_are_codes() -> None:
    for fields in FIELDS:
        for field in fields:
            assert re.fullmatch(r"[A-Z]\w+\.[a-z][a-z0-9_]*", field, re.ASCII)
        assert len({field.lower() for field in fields}) == len(fields)


@pytest.mark.parametrize(
    "text",
    [
        '"""', "\\", "\n", "\r\n", "\t", "%", "%(x)s", "${x}", "<% import os %>", "{{ x }}", "'; DROP TABLE shot; --",
        "<script>", "|", "`", "\u202e", "\u200b", "\u200d", "\ufeff", "\u2028", "\x00", "\x1b[", "\U0001f98b",
        "[retired] ", "\u0085", "-->",
    ],
    ids=ascii,
)  # fmt: skip
def test_hostile_texts(text: str) -> None:
    texts = [raw[key]["value"] for fields in FIELDS for raw in fields.values() for key in ("name", "description")]
    assert any(text in found for found in texts)


def test_more_hostile_texts() -> None:
    last = FIELDS[-1]
    assert last["Shot.sg_shot_type"]["name"]["value"].startswith("[retired] ")
    assert last["Playlist.sg_audit_15"]["name"]["value"].endswith("   ")
    assert FIELDS[3]["Playlist.sg_audit_14"]["name"]["value"] == ""
    assert FIELDS[3]["Note.sg_audit_02"]["name"]["value"].endswith("\\")
    assert [len(fields["Asset.sg_rig_notes"]["description"]["value"]) for fields in FIELDS[1:]] == [3000] * 5
    one, other = (fields["Asset.sg_rig_notes"]["description"]["value"] for fields in FIELDS[2:4])
    assert one != other
    assert one[:2900] == other[:2900]  # the change is beyond what a comment holds
    assert "\u200d" in one[1000:1030]  # and a cut at 1,024 may fall inside an emoji
    for fields in FIELDS:
        assert not any(unicodedata.category(c) == "Cs" for c in json.dumps(fields, ensure_ascii=False))
    names = [state["schema_entity_read"]["CustomNonProjectEntity03"]["name"]["value"] for state in STATES[2:5]]
    assert names[0].endswith(" ")
    assert '"""' in names[1] == names[2]
    values = prop(last["Playlist.sg_audit_13"], "valid_values")
    assert {"'", '"', "\\", "", "a|b", "a\nb", "${x}"} <= set(values)


def test_most_fields_are_ordinary() -> None:
    for fields in FIELDS:
        names = [raw["name"]["value"] for raw in fields.values()]
        assert len([name for name in names if name.isprintable() and name.isascii()]) > 0.9 * len(names)


def test_the_readme_tells_of_every_state() -> None:
    readme = (SAMPLES / "README.md").read_text("utf-8")
    assert readme.isascii()
    for path in FILES:
        assert path.name in readme
    for field in re.findall(r"`([A-Z]\w+\.[a-z]\w+)`", readme):
        assert any(field in fields for fields in FIELDS), field
