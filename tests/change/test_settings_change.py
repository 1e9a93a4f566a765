"""Settings that change the mapping of a warehouse with rows in it: renames, refusals, and what is only left alone."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest
from engines import Databases
from sites import changed, site, without
from studio import Studio, summary

from sg_migrate.errors import SettingsError

SITE = site(
    Shot={
        "code": "text Code",
        "sg_Mixed_Case": "text",
        "sg_lead": "entity:HumanUser Lead",
        "sg_plates": "multi_entity:Version Plates",
        "sg_cut_in": "text",
    },
    HumanUser={"login": "text"},
    Version={"code": "text", "entity": "entity:Shot"},
    CustomEntity07={"sg_operators": "multi_entity:HumanUser", "sg_a_shot": "entity:Shot"},
)
ROWS = (
    "INSERT INTO human_user (id, login) VALUES (7, 'jo')",
    "INSERT INTO shot (id, code, sg_mixed_case, sg_lead_id, sg_lead_type) VALUES (1, 'a', 'm', 7, 'HumanUser')",
    "INSERT INTO shot__sg_plates (owner_id, linked_type, linked_id) VALUES (1, 'Version', 8)",
    "INSERT INTO custom_entity07 (id, sg_a_shot_id) VALUES (3, 1)",
    "INSERT INTO custom_entity07__sg_operators (owner_id, linked_type, linked_id) VALUES (3, 'HumanUser', 7)",
)
ENGINES = ("sqlite", "postgresql", pytest.param("mariadb", marks=pytest.mark.long))


def filled(folder: Path, url: str, **settings: str) -> Studio:
    studio = Studio(folder, url, **settings)
    studio.step(SITE)
    studio.execute(*ROWS)
    return studio


def check_only_renames(text: str) -> None:
    """Nothing of the warehouse is dropped or made anew; indexes may be."""
    for word in ("create_table(", "drop_table(", "add_column(", "drop_column(", "convert_column("):
        assert word not in text, word


@pytest.mark.parametrize("engine_name", ENGINES)
def test_names_that_people_know(tmp_path: Path, databases: Databases, engine_name: str) -> None:
    studio = filled(tmp_path / "project", databases.new(engine_name), foreign_keys="true")
    studio.configure(foreign_keys="true", entity_names="CustomEntity07=lens_kit Shot=plan", table_prefix="sg_")
    text = studio.apply()
    check_only_renames(text)
    assert "  ~ table shot is renamed to sg_plan" in summary(text)
    assert '  ~ sg_plates     table shot__sg_plates is renamed to sg_plan__sg_plates  "Plates"' in summary(text)
    assert studio.rows("SELECT code, sg_lead_id FROM sg_plan") == [("a", 7)]
    assert studio.rows("SELECT owner_id, linked_id FROM sg_plan__sg_plates") == [(1, 8)]
    assert studio.rows("SELECT sg_a_shot_id FROM sg_lens_kit") == [(3 - 2,)]
    assert studio.rows("SELECT linked_id FROM sg_lens_kit__sg_operators") == [(7,)]
    assert studio.against_the_model(databases) == []
    assert studio.rows("SELECT table_name FROM sg_catalog_entity WHERE entity_type = 'Shot' ORDER BY 1") == [
        ("sg_plan",), ("sg_plan__sg_plates",)
    ]  # fmt: skip
    studio.configure(foreign_keys="true")
    check_only_renames(studio.apply())
    assert studio.rows("SELECT code, sg_lead_id FROM shot") == [("a", 7)]


@pytest.mark.parametrize("engine_name", ENGINES)
def test_the_sites_spelling_and_back(tmp_path: Path, databases: Databases, engine_name: str) -> None:
    studio = filled(tmp_path / "project", databases.new(engine_name))
    studio.configure(naming="shotgrid")
    text = studio.apply()
    check_only_renames(text)
    assert {"Shot", "HumanUser", "Shot__sg_plates", "CustomEntity07__sg_operators"} <= set(studio.built)
    assert "sg_Mixed_Case" in studio.built["Shot"].columns
    quote = "`" if engine_name == "mariadb" else '"'
    assert studio.rows(f"SELECT {quote}sg_Mixed_Case{quote} FROM {quote}Shot{quote}") == [("m",)]
    assert studio.against_the_model(databases) == []
    studio.configure()
    check_only_renames(studio.apply())
    assert studio.rows("SELECT sg_mixed_case FROM shot") == [("m",)]
    assert studio.against_the_model(databases) == []


@pytest.mark.parametrize("engine_name", ENGINES)
def test_names_changed_and_a_type_changed_in_one_step(tmp_path: Path, databases: Databases, engine_name: str) -> None:
    studio = filled(tmp_path / "project", databases.new(engine_name))
    studio.configure(entity_names="Shot=plan", naming="shotgrid")
    shot = {**{f.code: f.data_type for f in SITE.entity_types["Shot"].fields.values()}, "sg_plates": "entity:Version"}
    shot |= {"sg_lead": "multi_entity:HumanUser", "sg_Mixed_Case": "number", "sg_new": "entity:Version"}
    studio.step(replace(SITE, entity_types={**SITE.entity_types, **site(Shot=shot).entity_types}))
    assert studio.against_the_model(databases) == []
    assert "plan" in studio.built
    studio.configure()
    studio.apply()
    studio.step(SITE)
    assert studio.against_the_model(databases) == []
    assert studio.rows("SELECT id, code FROM shot") == [(1, "a")]


@pytest.mark.parametrize("engine_name", ENGINES)
def test_foreign_keys_on_and_off(tmp_path: Path, databases: Databases, engine_name: str) -> None:
    studio = filled(tmp_path / "project", databases.new(engine_name))
    studio.configure(foreign_keys="true")
    text = studio.apply()
    assert "fk_shot_sg_lead_id" in text
    assert studio.against_the_model(databases) == []
    studio.configure()
    studio.apply()
    assert studio.against_the_model(databases) == []
    assert studio.rows("SELECT code, sg_lead_id FROM shot") == [("a", 7)]


def test_multi_entity_stays_as_it_was_built(tmp_path: Path, sqlite_url: str) -> None:
    studio = filled(tmp_path / "project", sqlite_url)
    studio.configure(multi_entity="json")
    before = studio.snapshot.read_bytes()
    with pytest.raises(SettingsError, match=r"multi_entity = json: the link tables .* are built otherwise"):
        studio.revise()
    assert studio.snapshot.read_bytes() == before
    assert len(list(studio.versions.glob("*.py"))) == 1
    studio.configure()
    assert studio.revise() is None
    other = Studio(tmp_path / "other", f"sqlite:///{tmp_path / 'other.db'}", multi_entity="json")
    other.step(SITE)
    other.configure()
    with pytest.raises(SettingsError, match=r"multi_entity = table: the columns .* are built otherwise"):
        other.revise()


def test_the_schema_stays_as_it_was_built(tmp_path: Path, postgresql_url: str) -> None:
    studio = filled(tmp_path / "project", postgresql_url)
    studio.configure(schema="shotgrid")
    for command in (studio.revise, studio.upgrade, studio.check):
        with pytest.raises(SettingsError, match="schema = 'shotgrid': this warehouse is in schema 'public'"):
            command()
    assert studio.rows("SELECT code FROM public.shot") == [("a",)]
    assert studio.rows("SELECT count(*) FROM pg_namespace WHERE nspname = 'shotgrid'") == [(0,)]
    studio.configure()
    studio.check()
    tables = [*studio.built, "alembic_version"]  # as the message says
    studio.execute("CREATE SCHEMA shotgrid", *(f"ALTER TABLE {name} SET SCHEMA shotgrid" for name in tables))
    with pytest.raises(SettingsError, match="schema = 'public': this warehouse is in schema 'shotgrid'"):
        studio.upgrade()
    studio.configure(schema="shotgrid")
    studio.step(without(SITE, "Shot.code"))
    assert studio.rows("SELECT code FROM shotgrid.shot") == [("a",)]
    studio.execute("CREATE TABLE public.alembic_version (version_num VARCHAR(32) PRIMARY KEY)")
    studio.configure()
    studio.upgrade()  # a second warehouse beside it
    assert studio.rows("SELECT code FROM public.shot") == []


def test_what_is_left_out_is_left_alone(tmp_path: Path, sqlite_url: str) -> None:
    studio = filled(tmp_path / "project", sqlite_url)
    studio.configure(exclude="Shot.{code,sg_lead,sg_plates} CustomEntity07")
    before = studio.structure()
    assert studio.revise() is None
    studio.check()
    shot = {"code": "number", "sg_lead": "text", "sg_plates": "entity:Version", "sg_cut_in": "text"}
    now = site(
        Shot=shot | {"sg_Mixed_Case": "text"},
        HumanUser={"login": "text", "sg_more": "text"},
        Version={"code": "text", "entity": "entity:Shot"},
    )
    text = studio.step(now)
    assert [line for line in summary(text) if line.startswith("  ")] == [
        "  - retired on the site, table kept",
        '  + sg_more  text  "sg_more"',
    ]
    after = studio.structure()["tables"]
    assert [after[name] for name in ("shot", "shot__sg_plates")] == [
        before["tables"][name] for name in ("shot", "shot__sg_plates")
    ]
    studio.configure()
    studio.step(SITE)  # chosen again: found where it was
    assert studio.rows("SELECT code, sg_lead_id FROM shot") == [("a", 7)]
    assert studio.rows("SELECT sg_a_shot_id FROM custom_entity07") == [(1,)]


def test_include_chooses_and_the_rest_stays(tmp_path: Path, sqlite_url: str) -> None:
    studio = Studio(tmp_path / "project", sqlite_url, include="Shot.{code,sg_plates} HumanUser")
    studio.step(SITE)
    assert list(studio.built) == ["human_user", "sg_catalog_entity", "sg_catalog_field", "shot", "shot__sg_plates"]
    studio.configure(include="Version")
    text = studio.apply()
    assert summary(text) == ["Version", "  + entity type  3 fields"]
    studio.configure()
    studio.apply()
    assert list(studio.built["shot"].columns) == [
        "id", "code", "retired_at", "sg_cut_in", "sg_lead_id", "sg_lead_type", "sg_mixed_case"
    ]  # fmt: skip


def test_track_structure_keeps_names_as_first_built(tmp_path: Path, postgresql_url: str) -> None:
    studio = Studio(tmp_path / "project", postgresql_url, track="structure")
    studio.step(site(Shot={"code": "text Code", "sg_old": "text Old"}))
    renamed = site(Shot={"code": "text Shot Code", "sg_old": "text Very Old", "sg_new": "text New"})
    text = studio.step(renamed)
    assert summary(text) == ["Shot", '  + sg_new  text  "New"']
    comment = "SELECT col_description('shot'::regclass, attnum) FROM pg_attribute WHERE attname = '{}'"
    assert studio.rows(comment.format("code")) == [("Code",)]
    studio.take(site(Shot={"code": "text Another", "sg_old": "text Older", "sg_new": "text Newer"}))
    assert studio.revise() is None
    studio.step(without(renamed, "Shot.sg_old"))
    assert studio.rows(comment.format("sg_old")) == [("[retired] Old",)]
    studio.step(renamed)
    assert studio.rows(comment.format("sg_old")) == [("Old",)]
    assert studio.rows("SELECT display_name FROM sg_catalog_field WHERE column_name = 'code'") == [("Shot Code",)]
    studio.configure()
    assert summary(studio.apply()) == [
        '~ Shot.code  "Code" -> "Shot Code"',
        '~ Shot.sg_old  "Old" -> "Very Old"',
    ]


@pytest.mark.parametrize("engine_name", ["sqlite", "postgresql"])
def test_lists_and_texts_change_no_column(tmp_path: Path, databases: Databases, engine_name: str) -> None:
    studio = Studio(tmp_path / "project", databases.new(engine_name))
    old = site(Shot={"sg_status": "list Status", "sg_lead": "entity:HumanUser Lead"}, HumanUser={}, Group={})
    studio.step(old)
    before = studio.structure()
    wider = changed(old, "Shot.sg_lead", valid_types=("Group", "HumanUser"))
    studio.take(changed(wider, "Shot.sg_status", valid_values=("a", "b"), default="a", mandatory=True, unique=True))
    assert studio.revise() is None  # the snapshot and the catalog say it; no column does
    text = studio.step(changed(wider, "Shot.sg_status", name="State", description="What it is in"))
    assert summary(text) == ['~ Shot.sg_status  "Status" -> "State"']
    text = studio.step(changed(wider, "Shot.sg_status", name="State", description="What it is in now"))
    assert summary(text) == ["Comments: 1 description changed"]
    columns = {name: sorted(table["columns"]) for name, table in before["tables"].items()}
    assert {name: sorted(table["columns"]) for name, table in studio.structure()["tables"].items()} == columns


def test_what_is_left_out_is_not_followed(tmp_path: Path, postgresql_url: str) -> None:
    studio = Studio(tmp_path / "project", postgresql_url)
    studio.step(SITE)
    studio.configure(exclude="Shot")
    studio.take(changed(SITE, "Shot", name="Planned Shot"))
    assert studio.revise() is None
    studio.configure()
    assert summary(studio.apply()) == ['~ Shot  "Shot" -> "Planned Shot"']
