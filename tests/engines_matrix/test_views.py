"""Views on our tables: those in the way are named before anything runs, all others hinder nothing."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
import sqlalchemy as sa
from histories import Warehouse, write_site
from structure import snapshot_structure

from sg_migrate.errors import ViewsError

FIRST = {"Shot": {"code": "list", "cut": "text", "old": "text", "other": "text", "group": "text"}}
VIEWS = (
    "CREATE VIEW by_code AS SELECT s.id, s.code FROM shot s WHERE s.code <> ''",
    "CREATE VIEW by_cut AS SELECT shot.cut, p.note FROM shot JOIN project_notes p ON p.shot_id = shot.id",
    "CREATE VIEW by_old AS SELECT old, other FROM shot",
    "CREATE VIEW elsewhere AS SELECT cut, code FROM notes",
)


def run(url: str, *statements: str) -> None:
    engine = sa.create_engine(url, poolclass=sa.NullPool)
    with engine.begin() as connection:
        for statement in statements:
            connection.exec_driver_sql(statement)


@pytest.fixture
def warehouse(tmp_path: Path, engine_url: str) -> Warehouse:
    warehouse = Warehouse(tmp_path / "project", engine_url)
    take(warehouse, FIRST)
    warehouse.revision("r1")
    warehouse.upgrade()
    run(engine_url, "CREATE TABLE project_notes (shot_id BIGINT, note VARCHAR(9), cut VARCHAR(9))")
    run(engine_url, "CREATE TABLE notes (cut VARCHAR(9), code VARCHAR(9))", *VIEWS)
    return warehouse


def take(warehouse: Warehouse, site: dict[str, dict[str, str]]) -> None:
    warehouse.take(write_site(warehouse.folder / "site.json", site))


def next_revision(warehouse: Warehouse, **fields: str | None) -> None:
    """The next revision, from the first site with some fields of Shot changed or gone."""
    changed = {**FIRST["Shot"], **fields}
    take(warehouse, {"Shot": {code: kind for code, kind in changed.items() if kind}})
    warehouse.revision("r2")


def uses(warehouse: Warehouse) -> list[str]:
    """What an upgrade says of views; nothing may have changed."""
    before = snapshot_structure(warehouse.url)
    with pytest.raises(ViewsError) as refused:
        warehouse.upgrade()
    assert snapshot_structure(warehouse.url) == before
    return refused.value.uses


def test_adding_and_retiring_are_never_hindered(warehouse: Warehouse) -> None:
    next_revision(warehouse, old=None, fresh="number")
    before = snapshot_structure(warehouse.url)["views"]
    warehouse.upgrade()
    warehouse.check()
    assert snapshot_structure(warehouse.url)["views"] == before


def test_a_longer_type(warehouse: Warehouse, engine_name: str) -> None:
    next_revision(warehouse, code="text")
    if engine_name.startswith("postgresql"):
        assert uses(warehouse) == ["view by_code uses shot.code, which gets another type"]
        run(warehouse.url, "DROP VIEW by_code")
    warehouse.upgrade()
    warehouse.check()


def test_a_conversion(warehouse: Warehouse, engine_name: str) -> None:
    next_revision(warehouse, cut="number")
    if engine_name in ("mariadb", "mysql"):  # the view goes by the name: it shows the new column
        warehouse.upgrade()
        run(warehouse.url, "SELECT cut FROM by_cut")
    else:
        assert uses(warehouse) == [
            "view by_cut uses shot.cut, which becomes cut__was_text: the view would show its old values for ever"
        ]
        run(warehouse.url, "DROP VIEW by_cut")
        warehouse.upgrade()
    warehouse.check()


def test_a_drop(warehouse: Warehouse) -> None:
    warehouse.ini.write_text(
        warehouse.ini.read_text("utf-8").replace("[sg_migrate]\n", "[sg_migrate]\nretire = drop\n"), "utf-8"
    )
    next_revision(warehouse, old=None)
    assert uses(warehouse) == ["view by_old uses shot.old, which would be dropped"]


def test_going_down_is_looked_at_too(warehouse: Warehouse) -> None:
    with pytest.raises(ViewsError) as refused:
        warehouse.downgrade("base")
    assert refused.value.uses == [
        f"view {view} uses shot, which would be dropped" for view in ("by_code", "by_cut", "by_old")
    ]


def test_a_rename(warehouse: Warehouse, engine_name: str) -> None:
    warehouse.ini.write_text(
        warehouse.ini.read_text("utf-8").replace("[sg_migrate]\n", "[sg_migrate]\nentity_names = Shot=take\n"), "utf-8"
    )
    next_revision(warehouse)
    if engine_name in ("mariadb", "mysql"):
        expected = [f"view {view} uses shot, which becomes take" for view in ("by_code", "by_cut", "by_old")]
        assert uses(warehouse) == expected
    else:
        warehouse.upgrade()
        run(warehouse.url, "SELECT * FROM by_cut")
        warehouse.check()


def test_a_view_in_another_schema(tmp_path: Path, postgresql_url: str) -> None:
    warehouse = Warehouse(tmp_path / "project", postgresql_url, schema="Sho_t")
    take(warehouse, FIRST)
    warehouse.revision("r1")
    warehouse.upgrade()
    run(postgresql_url, "CREATE SCHEMA bi", 'CREATE VIEW bi.report AS SELECT * FROM "Sho_t".shot')
    run(
        postgresql_url,
        "CREATE TABLE public.shot (id INT, code TEXT)",
        "CREATE VIEW bi.mine AS SELECT * FROM public.shot",
    )
    next_revision(warehouse, code="text")
    with pytest.raises(ViewsError) as refused:
        warehouse.upgrade()
    assert refused.value.uses == ["view bi.report uses shot.code, which gets another type"]
    assert json.dumps(str(refused.value)).count("view") == 1
