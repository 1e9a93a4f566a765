"""The model: a pure function from a snapshot, the settings and what is built to tables."""

from __future__ import annotations

import pytest
import sqlalchemy as sa
from sites import SAMPLES, field, site_of

from sg_migrate import EntityType, Field, Settings, build_metadata, load_schema
from sg_migrate.warehouse.mark import Mark
from sg_migrate.warehouse.model import build_state

DIALECTS = {
    name: sa.make_url(f"{name}://").get_dialect()() for name in ("sqlite", "postgresql+psycopg", "mysql+pymysql")
}


def columns(metadata: sa.MetaData, table: str) -> dict[str, str]:
    return {
        column.name: str(column.type.compile(DIALECTS["postgresql+psycopg"]))
        for column in metadata.tables[table].columns
    }


def test_scalars_links_and_link_tables() -> None:
    metadata = build_metadata(
        site_of(
            field("Shot.id", "number"),
            field("Shot.code", "text Shot Code"),
            field("Shot.sg_sequence", "entity:Sequence"),
            field("Shot.assets", "multi_entity"),
        )
    )
    assert columns(metadata, "shot") == {
        "id": "BIGINT",
        "code": "TEXT",
        "sg_sequence_id": "BIGINT",
        "sg_sequence_type": "VARCHAR(64)",
        "retired_at": "TIMESTAMP WITH TIME ZONE",
    }
    assert columns(metadata, "shot__assets") == {
        "owner_id": "BIGINT",
        "linked_type": "VARCHAR(64)",
        "linked_id": "BIGINT",
    }
    assert [c.name for c in metadata.tables["shot__assets"].primary_key] == ["owner_id", "linked_type", "linked_id"]
    assert {tuple(i.columns.keys()) for i in metadata.tables["shot"].indexes} == {
        ("sg_sequence_id", "sg_sequence_type")
    }
    assert not metadata.tables["shot"].foreign_keys
    assert [c.name for c in metadata.tables["shot"].c if not c.nullable] == ["id"]


def test_every_table_and_column_says_where_it_came_from() -> None:
    schema = load_schema(SAMPLES[0]).schema
    metadata = build_metadata(schema)
    ours = [table for name, table in metadata.tables.items() if not name.startswith("sg_catalog")]
    assert ours
    for table in ours:
        assert isinstance(table.info["shotgrid"], EntityType | Field)
        for column in table.columns:
            mark = Mark.parse(column.info["sg"])
            if not mark.field:
                assert (column.name, column.info["shotgrid"]) == ("retired_at", table.info["shotgrid"])
            else:
                assert isinstance(column.info["shotgrid"], Field)
                assert mark.field == column.info["shotgrid"].code


def test_a_column_of_ours_steps_aside_for_a_field_and_keeps_its_name() -> None:
    metadata = build_metadata(site_of(field("Shot.retired_at", "text"), field("Shot.record_retired_at", "text")))
    marks = {c.name: c.info["sg"] for c in metadata.tables["shot"].columns}
    (own,) = [name for name, mark in marks.items() if mark == "Shot retired_at"]
    assert own.startswith("retired_at_")
    assert {"retired_at", "record_retired_at", "id"} == set(marks) - {own}


def test_a_field_keeps_its_code_and_the_generated_column_steps_aside() -> None:
    metadata = build_metadata(
        site_of(field("TaskDependency.task", "entity"), field("TaskDependency.task_id", "number"))
    )
    assert columns(metadata, "task_dependency") == {
        "id": "BIGINT",
        "task_id": "INTEGER",
        "task_link_id": "BIGINT",
        "task_type": "VARCHAR(64)",
        "retired_at": "TIMESTAMP WITH TIME ZONE",
    }


def test_a_name_once_built_stays() -> None:
    first = site_of(field("Shot.sg_lead", "entity"))
    built = build_state(first, Settings(), {})
    later = build_state(site_of(field("Shot.sg_lead", "entity"), field("Shot.sg_lead_id", "number")), Settings(), built)
    names = {str(column.mark): column.name for column in later["shot"].columns.values()}
    assert names["Shot.sg_lead entity id"] == "sg_lead_id"
    assert names["Shot.sg_lead_id number"].startswith("sg_lead_id_")


def test_equal_arguments_equal_models() -> None:
    schema = load_schema(SAMPLES[3]).schema
    assert build_state(schema, Settings(), {}) == build_state(schema, Settings(), {})


def test_what_is_built_and_no_longer_wanted_is_kept() -> None:
    full = site_of(field("Shot.code"), field("Shot.sg_a", "multi_entity"), field("Task.code"))
    built = build_state(full, Settings(), {})
    kept = build_state(site_of(field("Shot.code")), Settings(), built)
    assert kept == built
    deselected = build_state(full, Settings(exclude=("Task", "Shot.sg_a")), built)
    assert deselected == built


def test_what_came_and_went_between_two_revisions_gets_no_column() -> None:
    gone = field("Shot.sg_gone", "text", state="retired", since="2026-01-01")
    model = build_state(site_of(field("Shot.code"), gone), Settings(), {})
    assert "sg_gone" not in model["shot"].columns


def test_settings_shape_the_names() -> None:
    fields = site_of(field("CustomEntity07.sg_Shots", "multi_entity"), field("HumanUser.login"))
    settings = Settings(entity_names={"CustomEntity07": "lens_kit"}, table_prefix="sg_", catalog=False)
    assert set(build_state(fields, settings, {})) == {"sg_lens_kit", "sg_lens_kit__sg_shots", "sg_human_user"}
    assert set(build_state(fields, Settings(naming="shotgrid", catalog=False), {})) == {
        "CustomEntity07",
        "CustomEntity07__sg_Shots",
        "HumanUser",
    }


def test_a_json_array_instead_of_a_link_table() -> None:
    model = build_metadata(site_of(field("Shot.assets", "multi_entity")), Settings(multi_entity="json", catalog=False))
    assert set(model.tables) == {"shot"}
    assert columns(model, "shot")["assets"] == "JSONB"


def test_foreign_keys_are_named_and_only_where_one_type_is_valid() -> None:
    fields = site_of(
        field("Shot.project", "entity:Project"),
        field("Shot.entity", "entity:Asset,Project"),
        field("Shot.away", "entity:Banner"),
        field("Project.name"),
    )
    shot = build_metadata(fields, Settings(foreign_keys=True)).tables["shot"]
    assert [(str(fk.name), fk.column_keys) for fk in shot.foreign_key_constraints] == [
        ("fk_shot_project_id", ["project_id"])
    ]


@pytest.mark.parametrize("dialect", DIALECTS.values(), ids=DIALECTS)
def test_a_sample_compiles_on_every_dialect(dialect: sa.Dialect) -> None:
    metadata = build_metadata(load_schema(SAMPLES[4]).schema)
    for table in metadata.tables.values():
        assert "CREATE TABLE" in str(sa.schema.CreateTable(table).compile(dialect=dialect))


def test_comments_are_clean_short_and_never_look_retired() -> None:
    table = build_metadata(
        site_of(
            field("Shot.a", "text [retired] A", description="line\none \u202e hidden\u200b\x00"),
            field("Shot.b", "text B", description="x" * 3000),
        )
    ).tables["shot"]
    assert table.c.a.comment == '"[retired] A: line one hidden"'
    assert table.c.b.comment is not None
    assert len(table.c.b.comment) == 1024
    assert table.c.b.comment.endswith("…")
