"""The mapping: every data type, written down here a second time by hand."""

from __future__ import annotations

import json

import pytest
import sqlalchemy as sa

from sg_migrate import Field
from sg_migrate.warehouse.mapping import columns_for, is_known

EXPECTED = {
    "text": ("TEXT", "TEXT", "LONGTEXT"),
    "image": ("TEXT", "TEXT", "LONGTEXT"),
    "system_task_type": ("TEXT", "TEXT", "LONGTEXT"),
    "url_template": ("TEXT", "TEXT", "LONGTEXT"),
    "footage": ("VARCHAR(64)", "VARCHAR(64)", "VARCHAR(64)"),
    "list": ("VARCHAR(255)", "VARCHAR(255)", "VARCHAR(255)"),
    "status_list": ("VARCHAR(64)", "VARCHAR(64)", "VARCHAR(64)"),
    "entity_type": ("VARCHAR(64)", "VARCHAR(64)", "VARCHAR(64)"),
    "color": ("VARCHAR(64)", "VARCHAR(64)", "VARCHAR(64)"),
    "uuid": ("VARCHAR(64)", "VARCHAR(64)", "VARCHAR(64)"),
    "number": ("INTEGER", "INTEGER", "INTEGER"),
    "integer": ("INTEGER", "INTEGER", "INTEGER"),
    "percent": ("INTEGER", "INTEGER", "INTEGER"),
    "duration": ("INTEGER", "INTEGER", "INTEGER"),
    "timecode": ("INTEGER", "INTEGER", "INTEGER"),
    "float": ("DOUBLE", "DOUBLE PRECISION", "DOUBLE"),
    "currency": ("NUMERIC(15, 2)", "NUMERIC(15, 2)", "NUMERIC(15, 2)"),
    "checkbox": ("BOOLEAN", "BOOLEAN", "BOOL"),
    "date": ("DATE", "DATE", "DATE"),
    "date_time": ("DATETIME", "TIMESTAMP WITH TIME ZONE", "DATETIME(6)"),
    "url": ("JSON", "JSONB", "JSON"),
    "serializable": ("JSON", "JSONB", "JSON"),
    "jsonb": ("JSON", "JSONB", "JSON"),
    "tag_list": ("JSON", "JSONB", "JSON"),
    "hologram": ("TEXT", "TEXT", "LONGTEXT"),
}
DIALECTS = [sa.make_url(f"{name}://").get_dialect()() for name in ("sqlite", "postgresql+psycopg", "mysql+pymysql")]


@pytest.mark.parametrize(("data_type", "native"), EXPECTED.items())
def test_scalars(data_type: str, native: tuple[str, ...]) -> None:
    target = columns_for(Field("Shot", "sg_x", data_type))
    assert target is not None
    assert not isinstance(target, str)
    assert tuple(target.compile(dialect=dialect) for dialect in DIALECTS) == native
    assert is_known(data_type) == (data_type != "hologram")


@pytest.mark.parametrize(
    ("data_type", "target"),
    [("entity", "link"), ("multi_entity", "links"), ("addressing", "links")]
    + [(data_type, None) for data_type in ("pivot_column", "summary", "password")],
)
def test_links_and_what_holds_nothing(data_type: str, target: str | None) -> None:
    assert columns_for(Field("Shot", "sg_x", data_type)) == target


def test_the_one_summary_that_has_a_value() -> None:
    assert str(columns_for(Field("Shot", "open_notes_count", "summary"))) == "INTEGER"


@pytest.mark.parametrize(("renderer", "native"), [("number", "INTEGER"), ("date", "DATE"), ("nobody knows", "TEXT")])
def test_calculated_fields_go_by_their_renderer(renderer: str, native: str) -> None:
    field = Field("Shot", "sg_x", "calculated", properties=(("renderer", json.dumps(renderer)),))
    assert str(columns_for(field)) == native
