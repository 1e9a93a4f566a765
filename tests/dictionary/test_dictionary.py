"""The dictionary: what it says of a project, in every format."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
import yaml
from hostile import HOSTILE
from markdown_it import MarkdownIt
from sites import REAL, SAMPLES, field, site
from studio import Studio

from sg_migrate import Settings, load_schema
from sg_migrate.dictionary.collect import schema_dictionary
from sg_migrate.reports import dictionary_formats, dictionary_page


@pytest.fixture
def studio(tmp_path: Path) -> Studio:
    """A project of three Mondays."""
    studio = Studio(tmp_path / "project")
    statuses = field("Shot.sg_status_list", "status_list Status", valid_values=("ip", "wtg"), default="wtg",
                     properties=(("display_values", '{"ip": "In Progress", "wtg": "Waiting"}'),))  # fmt: skip
    shot: Any = {
        "code": "text Shot Code",
        "sg_status_list": statuses,
        "sg_turn": "text Turnover",
        "sg_old": "number Old",
    }
    first = {**shot, "sg_seq": "entity:Sequence Sequence", "assets": "multi_entity:Asset Assets"}
    others: Any = {"Sequence": {"code": "text"}, "Asset": {"shots": "multi_entity:Shot"}, "Slate": {"code": "text"}}
    studio.follow(site(Shot=first, **others), "r1")
    second = {
        **first,
        "sg_new": field("Shot.sg_new", "text New", description="What is new"),
        "sg_turn": "number Turnover",
    }
    del second["sg_old"], others["Slate"]
    studio.follow(site(Shot=second, **others), "r2")
    return studio


def written(studio: Studio, format_: str) -> str:
    result = studio.sg_migrate("dictionary", "-", "--format", format_)
    assert result.exit_code == 0, result.output
    return result.stdout


def test_what_it_says(studio: Studio) -> None:
    found = json.loads(written(studio, "json"))
    assert found["host"] == "studio.example.com"
    shot = found["entities"]["Shot"]
    assert (shot["table"], shot["state"]) == ("shot", "active")
    assert shot["linked_from"] == {"shots": ["Asset"]}
    assert found["entities"]["Slate"]["state"] == "retired"
    fields = {one["code"]: one for one in shot["fields"]}
    assert shot["fields"][0]["code"] == "id"
    assert fields["sg_status_list"]["values"] == [["ip", "In Progress"], ["wtg", "Waiting"]]
    assert fields["sg_status_list"]["default"] == "wtg"
    assert fields["sg_seq"]["columns"] == ["sg_seq_id", "sg_seq_type"]
    assert fields["sg_seq"]["targets"] == ["Sequence"]
    assert fields["assets"]["link_table"] == "shot__assets"
    assert fields["sg_turn"]["kept"] == ["sg_turn__was_text"]
    assert (fields["sg_old"]["state"], fields["sg_old"]["columns"]) == ("retired", ["sg_old"])
    assert fields["sg_new"]["description"] == "What is new"
    assert fields["retired_at"]["data_type"] == ""
    assert [moment["revision"] for moment in found["timeline"]] == ["r2", "r1"]
    assert any("sg_new" in line for line in found["timeline"][0]["lines"])
    assert fields["sg_new"]["since"] == found["timeline"][0]["date"] != ""


def test_every_table_and_column_of_the_warehouse_is_in_it(studio: Studio) -> None:
    found = json.loads(written(studio, "json"))
    names = {entry["table"] for entry in found["entities"].values()}
    columns = {(entry["table"], column) for entry in found["entities"].values() for one in entry["fields"]
               for column in (*one["columns"], *one["kept"])}  # fmt: skip
    names |= {one["link_table"] for entry in found["entities"].values() for one in entry["fields"] if one["link_table"]}
    ours = ("sg_catalog_entity", "sg_catalog_field")
    assert names == {table.name for table in studio.built.values()} - {*ours, *catalog_names()}
    assert columns == {(table.name, column) for table in studio.built.values()
                       if not table.mark.field for column in table.columns}  # fmt: skip


def catalog_names() -> set[str]:
    return {Settings().catalog_entity, Settings().catalog_field}


def test_markdown_is_one_table_for_each_entity_type(studio: Studio) -> None:
    html = MarkdownIt("commonmark").enable("table").render(written(studio, "markdown"))
    assert html.count("<table>") == 4
    assert "<code>sg_turn</code>" in html


def test_a_file_alone(tmp_path: Path) -> None:
    studio = Studio(tmp_path / "project")
    out = tmp_path / "dictionary.html"
    result = studio.sg_migrate("dictionary", str(out), "--from", str(SAMPLES[4]))
    assert result.exit_code == 0, result.output
    assert out.read_text(encoding="utf-8").startswith("<!DOCTYPE html>")
    wrong = studio.sg_migrate("dictionary", str(tmp_path / "x.html"), "--from", "nowhere.json")
    assert wrong.exit_code == 1
    assert not (tmp_path / "x.html").exists()


def test_dbt_gets_descriptions_values_and_relationships(studio: Studio) -> None:
    found = yaml.safe_load(written(studio, "dbt"))
    tables = {table["name"]: table for table in found["sources"][0]["tables"]}
    columns = {column["name"]: column for column in tables["shot"]["columns"]}
    assert columns["id"]["data_tests"] == ["unique", "not_null"]
    assert columns["sg_new"]["description"] == "New: What is new"
    assert columns["sg_status_list"]["data_tests"] == [{"accepted_values": {"arguments": {"values": ["ip", "wtg"]}}}]
    assert columns["sg_seq_id"]["data_tests"] == [
        {"relationships": {"arguments": {"to": "source('shotgrid', 'sequence')", "field": "id"}}}
    ]


def test_dbt_gets_the_tables_of_lists_of_links(studio: Studio) -> None:
    found = yaml.safe_load(written(studio, "dbt"))
    tables = {table["name"]: table for table in found["sources"][0]["tables"]}
    assert tables.keys() == {table.name for table in studio.built.values()} - catalog_names()
    assert tables["shot__assets"]["description"] == "Shot: Assets"
    owner, *others = tables["shot__assets"]["columns"]
    assert owner == {
        "name": "owner_id",
        "description": "The id of the record that has the link",
        "data_tests": [{"relationships": {"arguments": {"to": "source('shotgrid', 'shot')", "field": "id"}}}],
    }
    assert [column["name"] for column in others] == ["linked_type", "linked_id"]


@pytest.mark.parametrize(
    ("text", "as_dbt_reads_it"),
    [
        ("a {set} of {1, 2} }} %} #} {", "a {set} of {1, 2} }} %} #} {"),
        ("{{ 7*7 }}", "{ { 7*7 }}"),
        ("{% raw %} {# x #}", "{ % raw %} { # x #}"),
        ("{{{x}}} {{%", "{ { {x}}} { { %"),
    ],
)
def test_dbt_gets_texts_as_they_are_but_for_what_opens_jinja(text: str, as_dbt_reads_it: str) -> None:
    values = field("Shot.sg_list", "list List", description=text, valid_values=("plain", text))
    found = schema_dictionary(site(Shot={"sg_list": values}), Settings())
    columns = yaml.safe_load(dictionary_formats.dbt(found))["sources"][0]["tables"][0]["columns"]
    column = next(column for column in columns if column["name"] == "sg_list")
    assert column["description"] == f"List: {as_dbt_reads_it}"
    assert ("data_tests" in column) == (text == as_dbt_reads_it), "a value that would be another is not tested"


@pytest.mark.parametrize("path", [SAMPLES[4], *REAL[-1:]], ids=lambda path: path.stem)
def test_the_page_is_small_enough_for_a_mail(path: Path) -> None:
    page = dictionary_page.render(schema_dictionary(load_schema(path).schema, Settings()))
    assert len(page.encode()) <= 600_000
    assert "http://" not in page
    assert "https://" not in page


def test_hostile_texts_are_texts() -> None:
    hostile = site(
        Shot={
            "code": field("Shot.code", name=HOSTILE, description=HOSTILE),
            "sg_list": field("Shot.sg_list", "list", name=HOSTILE, valid_values=(HOSTILE,), default=HOSTILE),
        }
    )
    found = schema_dictionary(hostile, Settings())
    page = dictionary_page.render(found)
    assert "<script>alert" not in page
    assert "<img" not in page
    assert "{{ 7*7 }}" in page, "it is no template"
    assert "\u202e" not in page + dictionary_formats.markdown(found)
    html = MarkdownIt("commonmark").enable("table").render(dictionary_formats.markdown(found))
    assert "<script" not in html
    assert "<img" not in html
    described = yaml.safe_load(dictionary_formats.dbt(found))["sources"][0]["tables"][0]["columns"]
    assert not any(opener in column["description"] for column in described for opener in ("{{", "{%", "{#"))
