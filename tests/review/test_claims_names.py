"""SGM205, SGM209, SGM210: one name for two things, two names for one; and what keeps the values of the two apart."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import pytest
import sqlalchemy as sa
from claims import Ground, every_engine
from reviewed import small_site
from sites import changed

from sg_migrate.site.schema import SiteSchema

pytest_plugins = ["reviewfixtures"]

On = Callable[[str], Ground]

CUT_IN = [(1, "12"), (2, "12 frames"), (3, None)]
CUT_SHEET = changed(small_site(), "Shot.sg_cut_in", name="Cut Sheet")


def _called(schema: SiteSchema, entity_type: str, name: str) -> SiteSchema:
    renamed = replace(schema.entity_types[entity_type], name=name)
    return replace(schema, entity_types={**schema.entity_types, entity_type: renamed})


def _set_aside(here: Ground, name: str) -> None:
    """The remedy, as the finding says it."""
    done = here.sg_migrate("set-aside", name)
    assert done.exit_code == 0, done.output
    here.revises()
    here.upgrade()


@every_engine
def test_sgm205_the_old_values_show_under_the_new_meaning_until_they_are_set_aside(ground: On, engine: str) -> None:
    here = ground(engine)
    here.generated(small_site(sg_cut_in=""))
    here.upgrade()
    assert "SGM205" in here.generated(CUT_SHEET)
    assert here.found("SGM205").what == 'the field came back: it was called "Cut In", now "Cut Sheet"'
    here.upgrade()
    assert here.rows("SELECT id, sg_cut_in FROM shot ORDER BY id") == CUT_IN
    _set_aside(here, "Shot.sg_cut_in")
    assert here.value("SELECT count(sg_cut_in) FROM shot") == 0
    assert here.rows("SELECT id, sg_cut_in__was_text FROM shot ORDER BY id") == CUT_IN


def test_sgm205_what_was_pruned_comes_back_empty(ground: On) -> None:
    here = ground("sqlite")
    here.generated(small_site(sg_cut_in=""))
    here.upgrade()
    assert here.sg_migrate("prune", "Shot.sg_cut_in").exit_code == 0
    here.revises()
    here.upgrade()
    assert "SGM205" not in here.generated(CUT_SHEET)
    here.upgrade()
    assert here.value("SELECT count(sg_cut_in) FROM shot") == 0


@every_engine
def test_sgm209_an_entity_type_that_is_another_thing_now(ground: On, engine: str) -> None:
    here = ground(engine)
    assert "SGM209" in here.generated(_called(small_site(), "Shot", "Camera Report"))
    found = here.review(here.head, here.engine, here.url).findings[0]
    assert (found.rule.code, found.what, found.counts.rows) == ("SGM209", '"Shot" -> "Camera Report"', 3)
    assert '~ Shot  "Shot" -> "Camera Report"' in here.said()
    here.upgrade()
    assert here.rows("SELECT id, sg_cut_in FROM shot ORDER BY id") == CUT_IN  # the rows of the old meaning
    _set_aside(here, "Shot")
    assert here.rows("SELECT id, sg_cut_in, code FROM shot ORDER BY id") == [(n, None, None) for n in (1, 2, 3)]
    assert here.rows("SELECT id, sg_cut_in__was_text FROM shot ORDER BY id") == CUT_IN
    here.downgrade()
    assert here.rows("SELECT id, sg_cut_in FROM shot ORDER BY id") == CUT_IN


def test_sgm209_a_field_before_anything_else(ground: On) -> None:
    here = ground("sqlite")
    found = here.generated(changed(small_site(sg_frames="entity"), "Shot.sg_cut_in", name="Cut Sheet"))
    assert {"SGM202", "SGM209"} <= found
    assert here.review(here.head, here.engine, here.url).findings[0].rule.code == "SGM209"


@pytest.mark.parametrize("name", ["cut in", "Cut-In", "Cut Ins"])
def test_sgm209_another_spelling_is_a_change_and_no_finding(ground: On, name: str) -> None:
    here = ground("sqlite")
    assert "SGM209" not in here.generated(changed(small_site(), "Shot.sg_cut_in", name=name))
    assert f'~ Shot.sg_cut_in  "Cut In" -> "{name}"' in here.said()


def test_sgm209_without_a_value_there_is_nothing_of_another_meaning(ground: On) -> None:
    here = ground("sqlite")
    here.execute("UPDATE shot SET sg_cut_in = NULL")
    assert "SGM209" in here.generated(CUT_SHEET)
    assert "SGM209" not in here.found_here()


@every_engine
@pytest.mark.parametrize("settings", [{"entity_names": "Shot=take"}, {"naming": "shotgrid"}], ids=str)
@pytest.mark.parametrize("query", ["SELECT id FROM shot", "SELECT id FROM task"])
def test_sgm210_is_found_where_a_query_of_the_old_name_fails_and_nowhere_else(
    ground: On, engine: str, settings: dict[str, str], query: str
) -> None:
    here = ground(engine)
    assert here.rows(query) == [(1,), (2,), (3,)]
    here.configure(**settings)
    here.revises()
    findings = here.review(here.head, engine, here.url).findings
    found = query.rpartition(" ")[2] in {one.table for one in findings if one.rule.code == "SGM210"}
    here.upgrade()
    try:
        here.rows(query)
    except sa.exc.DBAPIError:
        assert found
    else:
        assert not found
