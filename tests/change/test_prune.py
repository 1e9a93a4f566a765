"""Pruning: only what is retired goes, in an order that works, and the structure comes back in the downgrade."""

from __future__ import annotations

from dataclasses import replace
from datetime import date
from pathlib import Path

import pytest
from engines import Databases
from sites import site, without
from structure import diff_structure
from studio import Studio, summary

from sg_migrate import read_snapshot
from sg_migrate.errors import PruneError

FULL = site(
    Shot={
        "code": "text Code",
        "sg_old": "text Old Flag",
        "sg_lead": "entity:HumanUser Lead",
        "sg_plates": "multi_entity:Version Plates",
        "sg_cut_in": "text Cut In",
        "sg_artists": "multi_entity:HumanUser Artists",
    },
    HumanUser={"login": "text Login"},
    Version={"code": "text", "entity": "entity:Shot,CustomEntity07"},
    CustomEntity07={"code": "text", "sg_operators": "multi_entity:HumanUser", "sg_shot": "entity:Shot"},
)


@pytest.fixture
def studio(tmp_path: Path, databases: Databases, engine_name: str) -> Studio:
    """Two steps old: a type, a field, a link and a link list are retired, and two fields changed their type."""
    studio = Studio(tmp_path / "project", databases.new(engine_name))
    studio.step(FULL)
    studio.execute(
        "INSERT INTO shot (id, code, sg_old, sg_cut_in) VALUES (1, 'a', 'x', '12'), (2, 'b', 'y', 'soon')",
        "INSERT INTO shot__sg_artists (owner_id, linked_type, linked_id) VALUES (1, 'HumanUser', 7)",
    )
    now = without(FULL, "CustomEntity07", "Shot.sg_old", "Shot.sg_lead", "Shot.sg_plates")
    retyped = site(Shot={"code": "text Code", "sg_cut_in": "number Cut In", "sg_artists": "entity:HumanUser Artists"})
    studio.step(replace(now, entity_types={**now.entity_types, **retyped.entity_types}))
    return studio


@pytest.mark.parametrize("engine_name", ["sqlite", "postgresql", "mariadb"])
def test_everything_retired_can_go(studio: Studio, databases: Databases, engine_name: str) -> None:
    before = studio.structure()
    names = ["CustomEntity07", "Shot.{sg_o*,sg_lead,sg_plates}", "Shot.*:*"]
    dry = studio.sg_migrate("prune", *names, "--dry-run")
    assert dry.stdout.splitlines() == [
        'CustomEntity07 "CustomEntity07": table custom_entity07, table custom_entity07__sg_operators',
        'Shot.sg_artists:multi_entity "Artists": table shot__sg_artists__was_multi_entity',
        'Shot.sg_cut_in:text "Cut In": column shot.sg_cut_in__was_text',
        'Shot.sg_lead "Lead": column shot.sg_lead_id, column shot.sg_lead_type',
        'Shot.sg_old "Old Flag": column shot.sg_old',
        'Shot.sg_plates "Plates": table shot__sg_plates',
    ]
    assert studio.revise() is None  # a dry run decides nothing

    done = studio.sg_migrate("prune", *names)
    assert done.exit_code == 0
    assert done.stdout == dry.stdout
    text = studio.apply()
    assert [line for line in summary(text) if line] == [
        "CustomEntity07",
        "  - table dropped with its values",
        "Shot",
        '  - sg_artists  values of an earlier type dropped: shot__sg_artists__was_multi_entity  "Artists"',
        '  - sg_cut_in   values of an earlier type dropped: sg_cut_in__was_text  "Cut In"',
        '  - sg_lead     column dropped with its values  "Lead"',
        '  - sg_old      column dropped with its values  "Old Flag"',
        '  - sg_plates   table dropped with its values  "Plates"',
    ]
    assert studio.against_the_model(databases) == []
    assert sorted(studio.built["shot"].columns) == [
        "code", "id", "retired_at", "sg_artists_id", "sg_artists_type", "sg_cut_in"
    ]  # fmt: skip
    assert studio.rows("SELECT id, code, sg_cut_in FROM shot ORDER BY id") == [(1, "a", 12), (2, "b", None)]
    assert studio.revise() is None
    studio.downgrade()
    assert diff_structure(before, studio.structure()) == []
    assert studio.rows("SELECT sg_old FROM shot") == [(None,), (None,)]  # its values went for good


def test_only_what_is_retired_can_be_pruned(tmp_path: Path, sqlite_url: str) -> None:
    studio = Studio(tmp_path / "project", sqlite_url)
    studio.step(FULL)
    studio.step(without(FULL, "Shot.sg_old"))
    before = studio.snapshot.read_bytes()
    for name, words in {
        "Shot.code": "Shot.code: it is on the site",
        "Shot": "Shot: it is on the site",
        "Shot.sg_never": "Shot.sg_never: there is nothing of that name",
        "Shot.sg_l*": "Shot.sg_l\\*: nothing that is retired matches",
        "Shot.sg_cut_in:text": "it has kept no values under that name",
    }.items():
        refused = studio.sg_migrate("prune", "Shot.sg_old", name)
        with pytest.raises(PruneError, match=words):
            raise refused.exception or AssertionError(refused.stdout)
    assert studio.sg_migrate("prune").exit_code == 2
    assert studio.snapshot.read_bytes() == before
    message = studio.run("sg-migrate", "prune", "Shot.code", fails=True).stderr
    assert message.startswith("sg-migrate: Shot.code: it is on the site. Only what is retired can be pruned")


def test_by_the_date_of_the_retirement(tmp_path: Path, sqlite_url: str) -> None:
    studio = Studio(tmp_path / "project", sqlite_url)
    studio.step(FULL)
    studio.take(without(FULL, "Shot.sg_old"), date(2024, 5, 1))
    studio.take(without(FULL, "Shot.sg_old", "Shot.sg_lead", "CustomEntity07"), date(2025, 5, 1))
    studio.apply()
    assert studio.sg_migrate("prune", "--retired-before", "2024-05-01").stdout == ""
    chosen = studio.sg_migrate("prune", "--retired-before", "2025-01-01").stdout
    assert [line.partition(" ")[0] for line in chosen.splitlines()] == ["Shot.sg_old"]
    assert studio.sg_migrate("prune", "Shot.sg_lead", "--retired-before", "2025-05-02").exit_code == 0
    assert '"Shot.sg_lead": {"type": "entity", ' in studio.snapshot.read_text()
    states = {str(field): field.state for field in read_snapshot(studio.snapshot).schema.fields()}
    assert [name for name, state in states.items() if state == "dropped"] == ["Shot.sg_lead", "Shot.sg_old"]
    studio.apply()
    again = studio.snapshot.read_bytes()
    assert studio.sg_migrate("prune", "Shot.sg_old", "Shot.sg_lead").exit_code == 0  # decided already
    assert studio.snapshot.read_bytes() == again


def test_what_was_pruned_can_return(tmp_path: Path, sqlite_url: str) -> None:
    studio = Studio(tmp_path / "project", sqlite_url)
    studio.step(FULL)
    studio.execute("INSERT INTO shot (id, sg_old) VALUES (1, 'x')", "INSERT INTO custom_entity07 (id) VALUES (1)")
    studio.step(without(FULL, "CustomEntity07", "Shot.sg_old"))
    studio.sg_migrate("prune", "CustomEntity07", "Shot.sg_old")
    studio.take(without(FULL, "CustomEntity07"))  # the field is back before the revision was written
    studio.apply()
    assert studio.rows("SELECT sg_old FROM shot") == [("x",)]
    assert "custom_entity07" not in studio.built
    studio.step(FULL)
    assert studio.rows("SELECT count(*) FROM custom_entity07") == [(0,)]


def test_a_field_of_a_retired_entity_type_can_go_alone(tmp_path: Path, sqlite_url: str) -> None:
    studio = Studio(tmp_path / "project", sqlite_url)
    studio.step(FULL)
    studio.step(without(FULL, "CustomEntity07"))
    studio.sg_migrate("prune", "CustomEntity07.{sg_shot,sg_operators}")
    studio.apply()
    assert list(studio.built["custom_entity07"].columns) == ["id", "code", "retired_at"]
    assert "custom_entity07__sg_operators" not in studio.built
    studio.step(FULL)  # the type returns with all its fields
    assert list(studio.built["custom_entity07"].columns) == ["id", "code", "retired_at", "sg_shot_id", "sg_shot_type"]


def test_kept_values_have_a_line_of_their_field(tmp_path: Path, sqlite_url: str) -> None:
    studio = Studio(tmp_path / "project", sqlite_url)
    types = ["text", "number", "text", "date"]
    for data_type in types:
        studio.step(site(Shot={"sg_cut_in": f"{data_type} Cut In"}))
    assert sorted(studio.built["shot"].columns) == [
        "id", "retired_at", "sg_cut_in", "sg_cut_in__was_number", "sg_cut_in__was_text", "sg_cut_in__was_text_2"
    ]  # fmt: skip
    studio.sg_migrate("prune", "Shot.sg_cut_in:text")
    assert '"pruned": ["text"]' in studio.snapshot.read_text()
    studio.apply()
    assert "sg_cut_in__was_text" not in studio.built["shot"].columns
    studio.step(site(Shot={"sg_cut_in": "text Cut In"}))  # the site's next reading keeps the decision
    assert '"pruned": ["text"]' in studio.snapshot.read_text()
    studio.step(site(Shot={"sg_cut_in": "number Cut In"}))
    # a name that was pruned is never taken again: the values would go at once
    assert {"sg_cut_in__was_text_2", "sg_cut_in__was_text_3"} <= set(studio.built["shot"].columns)


def test_kept_links_go_together(tmp_path: Path, sqlite_url: str) -> None:
    studio = Studio(tmp_path / "project", sqlite_url)
    studio.step(site(Shot={"sg_lead": "entity:HumanUser", "sg_lead_id__was_entity": "text"}, HumanUser={}))
    studio.step(site(Shot={"sg_lead": "text", "sg_lead_id__was_entity": "text"}, HumanUser={}))
    columns = set(studio.built["shot"].columns)
    assert {"sg_lead_id__was_entity_2", "sg_lead_type__was_entity_2", "sg_lead_id__was_entity"} <= columns
    studio.sg_migrate("prune", "Shot.sg_lead:entity_2")
    studio.apply()
    assert set(studio.built["shot"].columns) == {"id", "retired_at", "sg_lead", "sg_lead_id__was_entity"}


def test_retire_drop_drops_at_once(tmp_path: Path, sqlite_url: str) -> None:
    studio = Studio(tmp_path / "project", sqlite_url, retire="drop")
    studio.step(FULL)
    text = studio.step(without(FULL, "CustomEntity07", "Shot.sg_old", "Shot.sg_plates"))
    assert "op.drop_table('custom_entity07')" in text
    assert "custom_entity07" not in studio.built
    assert "sg_old" not in studio.built["shot"].columns
    assert "shot__sg_plates" not in studio.built
    studio.step(FULL)


def test_an_entity_type_goes_while_foreign_keys_point_at_it(tmp_path: Path, databases: Databases) -> None:
    schema = site(Shot={"sg_kit": "entity:CustomEntity07"}, CustomEntity07={"sg_shot": "entity:Shot"}, Asset={})
    for engine in ("sqlite", "postgresql", "mariadb"):
        studio = Studio(tmp_path / engine, databases.new(engine), foreign_keys="true")
        studio.step(schema)
        studio.execute("INSERT INTO custom_entity07 (id) VALUES (1)", "INSERT INTO shot (id, sg_kit_id) VALUES (1, 1)")
        studio.step(without(schema, "CustomEntity07", "Shot.sg_kit"))
        studio.sg_migrate("prune", "CustomEntity07", "Shot.sg_kit")
        studio.apply()
        assert list(studio.built) == ["asset", "sg_catalog_entity", "sg_catalog_field", "shot"]


@pytest.mark.parametrize("engine_name", ["sqlite", "postgresql", "mariadb"])
def test_a_pending_carry_over_is_finished_before_its_values_go(
    tmp_path: Path, databases: Databases, engine_name: str
) -> None:
    studio = Studio(tmp_path / "project", databases.new(engine_name), carry_inline_rows="1")
    studio.step(site(Shot={"sg_cut_in": "text", "sg_lead": "entity:HumanUser"}, HumanUser={}))
    studio.execute(
        "INSERT INTO shot (id, sg_cut_in, sg_lead_id, sg_lead_type)"
        " VALUES (1, '12', 7, 'HumanUser'), (2, 'soon', NULL, NULL), (3, '14', NULL, NULL)"
    )
    studio.take(site(Shot={"sg_cut_in": "number", "sg_lead": "multi_entity:HumanUser"}, HumanUser={}))
    studio.revise()
    studio.upgrade()
    assert studio.rows("SELECT sg_cut_in FROM shot ORDER BY id") == [(None,), (None,), (None,)]  # pending
    studio.sg_migrate("prune", "Shot.*:*")
    studio.configure(carry_inline_rows="1", entity_names="Shot=plan")
    studio.revise()
    studio.upgrade()
    assert sorted(studio.built["plan"].columns) == ["id", "retired_at", "sg_cut_in"]
    assert studio.rows("SELECT sg_cut_in FROM plan ORDER BY id") == [(12,), (None,), (14,)]
    assert studio.rows("SELECT owner_id, linked_id FROM plan__sg_lead") == [(1, 7)]
    assert studio.rows("SELECT count(*) FROM sg_carry") == [(0,)]
    studio.check()
