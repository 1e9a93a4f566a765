"""The model: a pure function from a snapshot, the settings and what is built to tables."""

from __future__ import annotations

from pathlib import Path

import pytest
import sqlalchemy as sa

from sg_migrate import EntityType, Field, Settings, SiteSchema, build_metadata, load
from sg_migrate.warehouse.mark import Mark
from sg_migrate.warehouse.model import build_state

DIALECTS = {
    name: sa.make_url(f"{name}://").get_dialect()() for name in ("sqlite", "postgresql+psycopg", "mysql+pymysql")
}
SAMPLES = Path(__file__).parent.parent.parent / "sample_schemas"


def site(*fields: Field, **names: str) -> SiteSchema:
    """A site with these fields; entity types are those that the fields name."""
    codes = sorted({field.entity_type for field in fields})
    return SiteSchema(
        {
            code: EntityType(code, names.get(code, code), fields={f.code: f for f in fields if f.entity_type == code})
            for code in codes
        }
    )


def columns(metadata: sa.MetaData, table: str) -> dict[str, str]:
    return {
        column.name: str(column.type.compile(DIALECTS["postgresql+psycopg"]))
        for column in metadata.tables[table].columns
    }


def test_scalars_links_and_link_tables() -> None:
    metadata = build_metadata(
        site(
            Field("Shot", "id", "number"),
            Field("Shot", "code", "text", "Shot Code"),
            Field("Shot", "sg_sequence", "entity", valid_types=("Sequence",)),
            Field("Shot", "assets", "multi_entity"),
        )
    )
    assert columns(metadata, "shot") == {
        "id": "BIGINT",
        "code": "TEXT",
        "sg_sequence_id": "BIGINT",
        "sg_sequence_type": "VARCHAR(64)",
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
    schema = load(SAMPLES / "01-2024-03-kickoff.json").schema
    metadata = build_metadata(schema)
    ours = [table for name, table in metadata.tables.items() if not name.startswith("sg_catalog")]
    assert ours
    for table in ours:
        assert isinstance(table.info["shotgrid"], EntityType | Field)
        for column in table.columns:
            assert isinstance(column.info["shotgrid"], Field)
            assert Mark.parse(column.info["sg"]).field == column.info["shotgrid"].code


def test_a_field_keeps_its_code_and_the_generated_column_steps_aside() -> None:
    metadata = build_metadata(
        site(Field("TaskDependency", "task", "entity"), Field("TaskDependency", "task_id", "number"))
    )
    assert columns(metadata, "task_dependency") == {
        "id": "BIGINT",
        "task_id": "INTEGER",
        "task_link_id": "BIGINT",
        "task_type": "VARCHAR(64)",
    }


def test_a_name_once_built_stays() -> None:
    first = site(Field("Shot", "sg_lead", "entity"))
    built = build_state(first, Settings(), {})
    later = build_state(
        site(Field("Shot", "sg_lead", "entity"), Field("Shot", "sg_lead_id", "number")), Settings(), built
    )
    names = {str(column.mark): column.name for column in later["shot"].columns.values()}
    assert names["Shot.sg_lead entity id"] == "sg_lead_id"
    assert names["Shot.sg_lead_id number"].startswith("sg_lead_id_")


def test_equal_arguments_equal_models() -> None:
    schema = load(SAMPLES / "04-2025-05-crunch.json").schema
    assert build_state(schema, Settings(), {}) == build_state(schema, Settings(), {})


def test_what_is_built_and_no_longer_wanted_is_kept() -> None:
    full = site(Field("Shot", "code", "text"), Field("Shot", "sg_a", "multi_entity"), Field("Task", "code", "text"))
    built = build_state(full, Settings(), {})
    kept = build_state(site(Field("Shot", "code", "text")), Settings(), built)
    assert kept == built
    deselected = build_state(full, Settings(exclude=("Task", "Shot.sg_a")), built)
    assert deselected == built


def test_what_came_and_went_between_two_revisions_gets_no_column() -> None:
    gone = Field("Shot", "sg_gone", "text", state="retired", since="2026-01-01")
    model = build_state(site(Field("Shot", "code", "text"), gone), Settings(), {})
    assert "sg_gone" not in model["shot"].columns


def test_settings_shape_the_names() -> None:
    fields = site(Field("CustomEntity07", "sg_Shots", "multi_entity"), Field("HumanUser", "login", "text"))
    settings = Settings(entity_names={"CustomEntity07": "lens_kit"}, table_prefix="sg_", catalog=False)
    assert set(build_state(fields, settings, {})) == {"sg_lens_kit", "sg_lens_kit__sg_shots", "sg_human_user"}
    assert set(build_state(fields, Settings(naming="shotgrid", catalog=False), {})) == {
        "CustomEntity07",
        "CustomEntity07__sg_Shots",
        "HumanUser",
    }


def test_a_json_array_instead_of_a_link_table() -> None:
    model = build_metadata(site(Field("Shot", "assets", "multi_entity")), Settings(multi_entity="json", catalog=False))
    assert set(model.tables) == {"shot"}
    assert columns(model, "shot")["assets"] == "JSONB"


def test_foreign_keys_are_named_and_only_where_one_type_is_valid() -> None:
    fields = site(
        Field("Shot", "project", "entity", valid_types=("Project",)),
        Field("Shot", "entity", "entity", valid_types=("Asset", "Project")),
        Field("Shot", "away", "entity", valid_types=("Banner",)),
        Field("Project", "name", "text"),
    )
    shot = build_metadata(fields, Settings(foreign_keys=True)).tables["shot"]
    assert [(str(fk.name), fk.column_keys) for fk in shot.foreign_key_constraints] == [
        ("fk_shot_project_id", ["project_id"])
    ]


@pytest.mark.parametrize("dialect", DIALECTS.values(), ids=DIALECTS)
def test_a_sample_compiles_on_every_dialect(dialect: sa.Dialect) -> None:
    metadata = build_metadata(load(SAMPLES / "05-2025-10-delivery.json").schema)
    for table in metadata.tables.values():
        assert "CREATE TABLE" in str(sa.schema.CreateTable(table).compile(dialect=dialect))


def test_comments_are_clean_short_and_never_look_retired() -> None:
    table = build_metadata(
        site(
            Field("Shot", "a", "text", "[retired] A", "line\none \u202e hidden\u200b\x00"),
            Field("Shot", "b", "text", "B", "x" * 3000),
        )
    ).tables["shot"]
    assert table.c.a.comment == '"[retired] A: line one hidden"'
    assert table.c.b.comment is not None
    assert len(table.c.b.comment) == 1024
    assert table.c.b.comment.endswith("…")
