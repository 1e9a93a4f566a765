"""Every format of a schema file loads into the same SiteSchema; whatever is none of them is one clear error."""

from __future__ import annotations

import json
import pickle
import subprocess
import sys
from datetime import date
from pathlib import Path
from typing import Any

import pytest
import siteexamples as examples
from siteexamples import SMALL, SMALL_ENTITIES, SMALL_FIELDS, write_json
from sites import REAL, SAMPLES

from sg_migrate.errors import SnapshotConflictError, SourceError
from sg_migrate.site.snapshot import Snapshot, merge, write_snapshot
from sg_migrate.site.sources import Loaded, load_schema, parse

DAY = date(2026, 3, 1)
YEARS = [pytest.param(path, marks=pytest.mark.long) if number else path for number, path in enumerate(REAL)]
"""A real site: the first year we have; those after it wait for `make test-long`."""


def save_all(folder: Path, fields: Any, entities: Any) -> dict[str, Loaded]:
    """Write one schema in every format, load each; by the words for the format."""
    both = {"schema_read": fields, "schema_entity_read": entities}
    entity_file = write_json(folder / "entities.json", entities)
    loaded = [
        load_schema(write_json(folder / "orm.json", examples.orm_document(fields, entities))),
        load_schema(write_json(folder / "both.json", both)),
        load_schema(write_json(folder / "raw.json", fields), entities=entity_file),
        parse(json.dumps(both), "text"),
    ]
    rest = folder / "rest"
    rest.mkdir()
    documents = examples.rest_documents(fields, entities)
    for name, document in documents.items():
        write_json(rest / f"{name}.json", document)
    loaded += [load_schema(rest), load_schema(write_json(folder / "rest.json", list(documents.values())))]
    loaded.append(load_schema(write_json(folder / "one.json", {"data": fields, "links": {}}), entities=entity_file))
    for name, answer in (("schema", fields), ("schema_entity", entities)):
        (folder / f"{name}.pickle").write_bytes(pickle.dumps(answer, protocol=2))
    loaded += [load_schema(folder), load_schema(folder / "schema.pickle", entities=folder / "schema_entity.pickle")]
    write_snapshot(folder / "snapshot.json", merge(None, loaded[0].schema, today=DAY))
    loaded.append(load_schema(folder / "snapshot.json"))
    return {f"{number} {one.format}": one for number, one in enumerate(loaded)}


def test_every_format_gives_the_same_schema_and_says_what_it_was(tmp_path: Path) -> None:
    loaded = save_all(tmp_path, SMALL_FIELDS, SMALL_ENTITIES)
    assert list(loaded) == [
        "0 shotgrid_orm JSON",
        "1 schema_read() and schema_entity_read() JSON",
        "2 schema_read() JSON with schema_entity_read()",
        "3 schema_read() and schema_entity_read() JSON",
        "4 REST API schema JSON",
        "5 REST API schema JSON",
        "6 REST API schema JSON with schema_entity_read()",
        "7 schema_read() pickle with schema_entity_read()",
        "8 schema_read() pickle with schema_entity_read()",
        "9 sg_migrate snapshot",
    ]
    for one in loaded.values():
        assert one.schema == SMALL
        assert one.notes == ()


@pytest.mark.skipif(not REAL, reason="the real schemas are not on this machine")
@pytest.mark.parametrize("path", YEARS, ids=lambda path: path.stem)
def test_every_format_gives_the_same_real_schema(path: Path, tmp_path: Path) -> None:
    document = json.loads(path.read_text())
    expected = load_schema(path)
    assert expected.format == "shotgrid_orm JSON"
    fields = {code: about["fields"] for code, about in document.items()}
    entities = {code: {k: v for k, v in about.items() if k != "fields"} for code, about in document.items()}
    for words, one in save_all(tmp_path, fields, entities).items():
        assert one.schema == expected.schema, words


@pytest.mark.parametrize("path", [*SAMPLES, *YEARS], ids=lambda path: path.stem)
def test_the_order_of_keys_and_of_valid_types_does_not_matter(path: Path, tmp_path: Path) -> None:
    document = json.loads(path.read_text())
    expected = load_schema(path).schema
    text = Snapshot(expected).text()
    for seed in range(3):
        schema = load_schema(write_json(tmp_path / "shuffled.json", examples.shuffled(document, seed))).schema
        assert schema == expected
        assert list(schema.entity_types) == list(expected.entity_types)
        assert [str(field) for field in schema.fields()] == [str(field) for field in expected.fields()]
        assert Snapshot(schema).text() == text


def test_canonical_form() -> None:
    raw = {
        "Shot": {
            "sg_b": {"data_type": {"value": "entity"}, "properties": {"valid_types": {"value": ["Z", "A", "Z", None]}}},
            "sg_a": {
                "name": {"value": None},
                "data_type": {"value": "summary"},
                "properties": {
                    "query": {"value": {"b": 1, "a": [2]}},
                    "renderer": {"value": ""},
                    "default_value": {"value": {"b": 1, "a": 2}},
                    "regex_validation": {"value": "left out"},
                },
            },
        },
        "Asset": {"code": {"data_type": {"value": "text"}, "properties": None, "description": None}},
    }
    schema = parse(json.dumps(raw), "text").schema
    assert [str(field) for field in schema.fields()] == ["Asset.code", "Shot.sg_a", "Shot.sg_b"]
    shot = schema.entity_types["Shot"]
    assert shot.name == ""
    assert shot.fields["sg_a"].properties == (("query", '{"a":[2],"b":1}'),)
    assert shot.fields["sg_a"].default == {"a": 2, "b": 1}
    assert shot.fields["sg_b"].valid_types == ("A", "Z")
    assert (shot.fields["sg_b"].editable, shot.fields["sg_b"].visible, shot.fields["sg_b"].unique) == (
        True,
        True,
        False,
    )


def test_a_field_called_fields_does_not_make_it_shotgrid_orms() -> None:
    raw = {"ActionMenuItem": {"fields": {"data_type": {"value": "text"}}, "name": {"data_type": {"value": "text"}}}}
    loaded = parse(json.dumps(raw), "text")
    assert loaded.format == "schema_read() JSON"
    assert list(loaded.schema.entity_types["ActionMenuItem"].fields) == ["fields", "name"]


def test_types_that_only_the_listing_knows_are_left_out_and_said() -> None:
    both = {"schema_read": SMALL_FIELDS, "schema_entity_read": {**SMALL_ENTITIES, "Banner": {"name": {"value": "B"}}}}
    loaded = parse(json.dumps(both), "text")
    assert loaded.schema == SMALL
    assert loaded.notes == ("left out, listed without fields: Banner",)


def test_rest_fields_tell_their_entity_type_by_fields_link_or_file_name(tmp_path: Path) -> None:
    bare = {"code": {"data_type": {"value": "text"}}}
    write_json(tmp_path / "whatever.json", {"data": {"code": {**bare["code"], "entity_type": {"value": "Asset"}}}})
    write_json(tmp_path / "a.json", {"data": bare, "links": {"self": "https://x/api/v1/schema/Shot/fields"}})
    write_json(tmp_path / "Task.json", {"data": bare})
    write_json(tmp_path / "t.json", {"data": {"name": {"value": "Job"}}, "links": {"self": "/api/v1/schema/Task"}})
    schema = load_schema(tmp_path).schema
    assert list(schema.entity_types) == ["Asset", "Shot", "Task"]
    assert schema.entity_types["Task"].name == "Job"


def test_a_byte_order_mark_does_not_matter(tmp_path: Path) -> None:
    path = tmp_path / "bom.json"
    path.write_bytes(b"\xef\xbb\xbf" + json.dumps(SMALL_FIELDS).encode())
    assert load_schema(path, entities=write_json(tmp_path / "e.json", SMALL_ENTITIES)).schema == SMALL


def with_field(**attributes: Any) -> str:
    return json.dumps({"Shot": {"sg_x": {"data_type": {"value": "text"}, **attributes}}})


REMEDY = (
    "Give a snapshot, shotgrid_orm's JSON, the answer of schema_read(), the REST API's schema, or Mockgun's pickles."
)
BAD_TEXTS = {
    "": "f.json: empty. Write the schema again.",
    " \n": "f.json: empty. Write the schema again.",
    "{}": f"f.json: no entity types. {REMEDY}",
    "[]": f"f.json: not a ShotGrid schema but a list. {REMEDY}",
    "null": f"f.json: not a ShotGrid schema but null. {REMEDY}",
    "42": f"f.json: not a ShotGrid schema but a number. {REMEDY}",
    '{"a": 1, "b": {"c": 2}}': f"f.json: not a ShotGrid schema. {REMEDY}",
    '{"Shot": {"code"': "f.json: line 1, column 17: the JSON ends too early; the file is truncated. Write it again.",
    "{'Shot': 1}": "f.json: line 1, column 2: not JSON (Expecting property name enclosed in double quotes). "
    "Write the schema again.",
    "<html>Log in</html>": "f.json: an HTML or XML page, not JSON. A proxy or a login page may have answered.",
    '{"Shot": {"code": {"na': "f.json: line 1, column 20: the JSON ends too early; the file is truncated. "
    "Write it again.",
    '{"S":' * 250 + "1" + "}" * 250: "f.json: S.S.S.S.S.S....: nested deeper than 200 levels.",
    '{"Shot": {}, "Shot": {}}': "f.json: the key 'Shot' occurs twice in one object. Keep one of them.",
    with_field(properties={"default_value": {"value": 0}}).replace("0", "NaN"): "f.json: "
    "Shot.sg_x.properties.default_value.value: nan is not a number that JSON knows.",
    with_field(properties={"default_value": {"value": 0}}).replace("0", "1e999"): "f.json: "
    "Shot.sg_x.properties.default_value.value: inf is not a number that JSON knows.",
    with_field(properties={"default_value": {"value": 0}}).replace("0", "9" * 5000): "f.json: "
    "holds a number of absurd length.",
    with_field(properties={"default_value": {"value": 0}}).replace("0", "9" * 400): "f.json: "
    "Shot.sg_x.properties.default_value.value: holds a number of absurd length.",
    with_field(name={"value": "\ud83c"}): "f.json: Shot.sg_x.name.value: holds half a character (a lone surrogate).",
    '{"Shot": {}}': "f.json: Shot: an entity type without fields. Read the schema again with a key that sees it.",
    '{"Shot": {"name": {"value": "Shot"}}, "Asset": {"fields": {"a": {"data_type": {"value": "text"}}}}}': "f.json: "
    "Shot: an entity type without fields.",
    '{"Shot": {"name": {"value": "Shot"}}}': "f.json: only entity types, no fields: this is schema_entity_read(). "
    "Give schema_read() with it.",
    '{"Shot": {"name": {"value": "Shot"}, "fields": []}, "A": {"fields": {}}}': "f.json: "
    "A: an entity type without fields. Read the schema again with a key that sees it.",
    '{"Shot": {"sg_x": {"name": {"value": "X"}}}}': "f.json: Shot.sg_x: no data_type. "
    "Read the schema again; every field of a site has one.",
    '{"Shot": {"sg_x": {"data_type": {"value": "text"}}, "sg_y": 3}}': "f.json: Shot.sg_y: expected a field, "
    "found a number.",
    with_field(name="X"): "f.json: Shot.sg_x: name is a text, not a {value, editable} pair.",
    with_field(name={"value": 3}): "f.json: Shot.sg_x: name is a number, not a text.",
    with_field(mandatory={"value": "yes"}): "f.json: Shot.sg_x: mandatory is a text, not true or false.",
    with_field(properties=[1]): "f.json: Shot.sg_x: properties is a list.",
    with_field(properties={"valid_types": {"value": "Shot"}}): "f.json: Shot.sg_x: valid_types is a text, not a list.",
    with_field(properties={"valid_values": {"value": [1]}}): "f.json: Shot.sg_x: valid_values holds a number, "
    "not only texts.",
    with_field(data_type={"value": 'text"); import os'}): "f.json: "
    'Shot.sg_x: data_type text"); import os: not a usable data type: letters, digits and _ only, '
    "beginning with a letter.",
    with_field().replace("sg_x", "sg-x"): "f.json: Shot.sg-x: not a usable field: letters, digits and _ only, "
    "beginning with a letter.",
    with_field().replace("sg_x", "a\\n\\u202eb"): "f.json: Shot.a b: not a usable field: letters, digits and _ only, "
    "beginning with a letter.",
    with_field().replace("Shot", "1Shot"): "f.json: 1Shot: not a usable entity type: letters, digits and _ only, "
    "beginning with a letter.",
    with_field().replace("Shot", "end"): "f.json: end: not a usable entity type: the snapshot file needs this name "
    "for itself.",
    '{"schema_read": []}': "f.json: schema_read: expected entity types, found a list.",
    '{"schema_read": {}}': "f.json: no entity types. This file holds no ShotGrid schema.",
    '{"schema_read": {}, "schema_entity_read": {"Shot": 3}}': "f.json: Shot: expected {name, visible} of "
    "schema_entity_read().",
    '{"data": {"Shot": {"name": {"value": "S"}}}, "links": {}}': "f.json: only entity types, no fields. "
    "Add the answers of /schema/ENTITY/fields.",
    '{"data": {"x": {"data_type": {"value": "text"}}}, "links": {}}': "f.json: does not tell which entity type it "
    "describes. Keep its `links`.",
    '{"data": {}, "links": {}}': "f.json: holds no data.",
    '{"data": 3}': "f.json: not an answer of the REST API's schema ({data, links}). " + REMEDY,
}


@pytest.mark.parametrize("text", BAD_TEXTS, ids=lambda text: text[:40] or "empty")
def test_bad_json_is_one_error_with_place_and_remedy(text: str) -> None:
    with pytest.raises(SourceError) as caught:
        parse(text, "f.json")
    assert str(caught.value) == BAD_TEXTS[text]
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize(
    ("data", "problem"),
    [
        (b"", "empty. Write the schema again."),
        (b'{"Shot": "\xff"}', "byte 10: not UTF-8. Save the file as UTF-8 JSON, as the API returned it."),
        ('{"Shot": 1}'.encode("utf-16"), "byte 0: not UTF-8. Save the file as UTF-8 JSON, as the API returned it."),
        (b"\x89PNG\r\n\x1a\n", "byte 0: not UTF-8. Save the file as UTF-8 JSON, as the API returned it."),
    ],
)
def test_bad_bytes(tmp_path: Path, data: bytes, problem: str) -> None:
    path = tmp_path / "f.json"
    path.write_bytes(data)
    with pytest.raises(SourceError) as caught:
        load_schema(path)
    assert str(caught.value) == f"{path}: {problem}"


def test_missing_files_and_empty_folders(tmp_path: Path) -> None:
    with pytest.raises(SourceError) as caught:
        load_schema(tmp_path / "none.json")
    assert str(caught.value) == f"{tmp_path / 'none.json'}: cannot be read (No such file or directory)."
    with pytest.raises(SourceError) as caught:
        load_schema(tmp_path)
    assert str(caught.value) == (
        f"{tmp_path}: a folder without schema files. Expected *.json of the REST API, or schema.pickle."
    )


def test_a_bad_second_file_is_named(tmp_path: Path) -> None:
    fields = write_json(tmp_path / "fields.json", SMALL_FIELDS)
    entities = write_json(tmp_path / "entities.json", SMALL_FIELDS)
    with pytest.raises(SourceError, match=r"entities\.json: Asset: expected \{name, visible\}"):
        load_schema(fields, entities=entities)


def test_rest_answers_that_overlap_are_refused(tmp_path: Path) -> None:
    for name in ("a", "b"):
        write_json(tmp_path / f"{name}.json", {"data": SMALL_FIELDS["Shot"], "links": {}})
    with pytest.raises(SourceError, match="b: the fields of Shot occur twice"):
        load_schema(tmp_path)


def test_a_conflict_in_any_file_is_named() -> None:
    with pytest.raises(SnapshotConflictError) as caught:
        parse('{\n"A": 1,\n<<<<<<< HEAD\n', "f.json")
    assert caught.value.line == 3


@pytest.mark.parametrize(("opening", "closing"), [("[", "]"), ('{"a":', "}"), ('{"Shot":[', "]}")])
def test_hostile_depth(opening: str, closing: str) -> None:
    with pytest.raises(
        SourceError, match=r"^f\.json: .*(nested too deep for a ShotGrid schema|deeper than 200 levels)\.$"
    ):
        parse(opening * 10_000 + "1" + closing * 10_000, "f.json")


def test_deep_enough_data_is_no_problem() -> None:
    deep: Any = "x"
    for _ in range(150):
        deep = {"a": deep}
    schema = parse(with_field(properties={"query": {"value": deep}}), "text").schema
    assert merge(None, schema, today=DAY).schema == schema


def test_reading_files_imports_neither_the_client_nor_deepdiff() -> None:
    code = (
        "import sys, sg_migrate.site.sources, sg_migrate.site.snapshot, sg_migrate.site.changes;"
        "print(sorted({m.split('.')[0] for m in sys.modules} & {'shotgun_api3', 'deepdiff', 'pkg_resources'}))"
    )
    assert subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout == "[]\n"
