"""Views on our tables: those in the way are named before anything runs, all others hinder nothing."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from sites import site
from structure import snapshot_structure
from studio import Studio

from sg_migrate.errors import ViewsError

SHOT = {"code": "list", "cut": "text", "old": "text", "other": "text", "group": "text"}
OTHERS = (
    "CREATE TABLE project_notes (shot_id BIGINT, note VARCHAR(9), cut VARCHAR(9))",
    "CREATE TABLE notes (cut VARCHAR(9), code VARCHAR(9))",
    "CREATE VIEW by_code AS SELECT s.id, s.code FROM shot s WHERE s.code <> ''",
    "CREATE VIEW by_cut AS SELECT shot.cut, p.note FROM shot JOIN project_notes p ON p.shot_id = shot.id",
    "CREATE VIEW by_old AS SELECT old, other FROM shot",
    "CREATE VIEW elsewhere AS SELECT cut, code FROM notes",
)


@pytest.fixture
def studio(tmp_path: Path, engine_url: str) -> Studio:
    """A project with its database at the first revision, and the tables and views of others in it."""
    studio = at_first(tmp_path, engine_url)
    studio.execute(*OTHERS)
    return studio


def at_first(folder: Path, url: str, **settings: str) -> Studio:
    studio = Studio(folder / "project", url, **settings)
    studio.take(site(Shot=SHOT))
    studio.revise()
    studio.upgrade()
    return studio


def next_revision(studio: Studio, **fields: str | None) -> None:
    """The next revision, from the first site with some fields of Shot changed or gone."""
    changed = {**SHOT, **fields}
    studio.take(site(Shot={code: kind for code, kind in changed.items() if kind}))
    assert studio.revise()


def uses(studio: Studio) -> list[str]:
    """What an upgrade says of views; nothing may have changed."""
    before = snapshot_structure(studio.url)
    with pytest.raises(ViewsError) as refused:
        studio.upgrade()
    assert snapshot_structure(studio.url) == before
    return refused.value.uses


def test_adding_and_retiring_are_never_hindered(studio: Studio) -> None:
    next_revision(studio, old=None, fresh="number")
    before = snapshot_structure(studio.url)["views"]
    studio.upgrade()
    studio.check()
    assert snapshot_structure(studio.url)["views"] == before


def test_a_longer_type(studio: Studio, engine_name: str) -> None:
    next_revision(studio, code="text")
    if engine_name.startswith("postgresql"):
        assert uses(studio) == ["view by_code uses shot.code, which gets another type"]
        studio.execute("DROP VIEW by_code")
    studio.upgrade()
    studio.check()


def test_a_conversion(studio: Studio, engine_name: str) -> None:
    next_revision(studio, cut="number")
    if engine_name in ("mariadb", "mysql"):  # the view goes by the name: it shows the new column
        studio.upgrade()
        studio.rows("SELECT cut FROM by_cut")
    else:
        assert uses(studio) == [
            "view by_cut uses shot.cut, which becomes cut__was_text: the view would show its old values for ever"
        ]
        studio.execute("DROP VIEW by_cut")
        studio.upgrade()
    studio.check()


def test_a_drop(studio: Studio) -> None:
    studio.configure(retire="drop")
    next_revision(studio, old=None)
    assert uses(studio) == ["view by_old uses shot.old, which would be dropped"]


def test_going_down_is_looked_at_too(studio: Studio) -> None:
    with pytest.raises(ViewsError) as refused:
        studio.downgrade("base")
    assert refused.value.uses == [
        f"view {view} uses shot, which would be dropped" for view in ("by_code", "by_cut", "by_old")
    ]


def test_a_rename(studio: Studio, engine_name: str) -> None:
    studio.configure(entity_names="Shot=take")
    next_revision(studio)
    if engine_name in ("mariadb", "mysql"):
        expected = [f"view {view} uses shot, which becomes take" for view in ("by_code", "by_cut", "by_old")]
        assert uses(studio) == expected
    else:
        studio.upgrade()
        studio.rows("SELECT * FROM by_cut")
        studio.check()


def test_a_view_in_another_schema(tmp_path: Path, postgresql_url: str) -> None:
    studio = at_first(tmp_path, postgresql_url, schema="Sho_t")
    studio.execute(
        "CREATE SCHEMA bi",
        'CREATE VIEW bi.report AS SELECT * FROM "Sho_t".shot',
        "CREATE TABLE public.shot (id INT, code TEXT)",
        "CREATE VIEW bi.mine AS SELECT * FROM public.shot",
    )
    next_revision(studio, code="text")
    with pytest.raises(ViewsError) as refused:
        studio.upgrade()
    assert refused.value.uses == ["view bi.report uses shot.code, which gets another type"]
    assert json.dumps(str(refused.value)).count("view") == 1
