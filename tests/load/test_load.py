"""What a load reads, and what it writes: everything once, then only what changed, and fields that are new."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from engines import Databases
from loads import Loads, fill, loads, same, shots
from people import STUDIO
from sites import changed, field, site, without

from sg_migrate.errors import VanishedRecordsError
from sg_migrate.site.schema import SiteSchema

ENGINES = ("sqlite", "postgresql", "mariadb")


@pytest.fixture(params=ENGINES)
def everywhere(request: pytest.FixtureRequest, tmp_path: Path, databases: Databases) -> Iterator[Loads]:
    with loads(tmp_path / "p", databases.new(request.param), STUDIO) as studio:
        yield fill(studio)


@pytest.fixture(params=["sqlite", *(pytest.param(engine, marks=pytest.mark.long) for engine in ENGINES[1:])])
def studio(request: pytest.FixtureRequest, tmp_path: Path, databases: Databases) -> Iterator[Loads]:
    with loads(tmp_path / "p", databases.new(request.param), STUDIO) as studio:
        yield fill(studio)


@pytest.fixture
def small(tmp_path: Path, sqlite_url: str) -> Iterator[Loads]:
    with loads(tmp_path / "p", sqlite_url, STUDIO) as studio:
        yield fill(studio)


def test_the_second_load_writes_nothing_and_asks_as_little_as_can_be(everywhere: Loads) -> None:
    first = everywhere.load()
    same(everywhere)
    assert {one.entity_type: one.read for one in first.outcomes}["Shot"] == 12
    everywhere.people.wait(20)
    everywhere.load()
    again = everywhere.load()
    assert everywhere.changed(again) == {}
    types = len(STUDIO.entity_types)
    assert dict(everywhere.site.requests) == {"info": 1, "schema_read": 1, "schema_entity_read": 1, "read": types + 1}
    assert again.requests == types + 4
    assert again.event == everywhere.people.events


def test_only_what_changed_is_read_again(everywhere: Loads) -> None:
    everywhere.load()
    one, two, three, *_ = shots(everywhere)
    everywhere.people.wait(20)
    everywhere.people.edit("Project", everywhere.people.ids["Project"], {"name": "Two"})
    everywhere.load()  # what is younger than ten minutes is read twice
    everywhere.people.edit("Shot", one, {"code": "new"})
    everywhere.people.retire("Shot", two)
    everywhere.people.edit("Asset", everywhere.people.ids["Asset"], {"code": "bush"})
    everywhere.people.create("Reply", {"content": "yes", "entity": {"type": "Shot", "id": three}})
    summary = everywhere.load()
    same(everywhere)
    read = {outcome.entity_type: outcome.read for outcome in summary.outcomes}
    assert (read["Shot"], read["Asset"], read["Reply"], read["Project"]) == (2, 1, 1, 0)
    assert read["Sequence"] == 1  # its list of shots: one of them went into the trash
    ((retired,),) = everywhere.rows(f"SELECT count(*) FROM shot WHERE retired_at IS NOT NULL AND id = {two}")
    assert retired == 1
    everywhere.people.revive("Shot", two)
    everywhere.load()
    same(everywhere)


def with_note(schema: SiteSchema, data_type: str) -> SiteSchema:
    shot = schema.entity_types["Shot"]
    fields = {**shot.fields, "sg_note": field("Shot.sg_note", f"{data_type} Note")}
    types = {
        **schema.entity_types,
        "Shot": type(shot)(shot.code, shot.name, shot.visible, dict(sorted(fields.items()))),
    }
    return SiteSchema(types, schema.host)


def test_a_new_field_is_filled_by_as_few_requests_as_it_has_values(everywhere: Loads) -> None:
    everywhere.site.page_size = 4
    fill(everywhere, 30)
    everywhere.load()
    ids = shots(everywhere)
    gone = ids.pop()
    for record_id in (*ids[::7], gone):
        everywhere.records.values["Shot"][record_id]["sg_note"] = f"about {record_id}"
    everywhere.people.retire("Shot", gone)
    schema = with_note(STUDIO, "text")
    everywhere.follow(schema)
    summary = everywhere.load(jobs=1)
    same(everywhere, schema)
    values = len(ids[::7])
    assert values == 6
    alone = [read for read in everywhere.site.reads if read["return_fields"] == ["sg_note"]]
    assert sum(1 for read in alone if read["return_only"] == "active") == 2
    assert everywhere.changed(summary)["Shot"] == values + 1  # the other is in the trash
    assert everywhere.changed(everywhere.load()) == {}


def test_a_converted_field_is_what_the_site_made_of_it(everywhere: Loads) -> None:
    schema = with_note(STUDIO, "text")
    everywhere.follow(schema)
    ids = shots(everywhere)
    for record_id, text in zip(ids, ["12", "wk 12", "7", "x"], strict=False):
        everywhere.records.values["Shot"][record_id]["sg_note"] = text
    everywhere.people.retire("Shot", ids[2])
    everywhere.load()
    for record_id, number in zip(ids, [12, None, 8, 99], strict=False):
        everywhere.records.values["Shot"][record_id]["sg_note"] = number
    schema = with_note(STUDIO, "number")
    everywhere.follow(schema)
    everywhere.load()
    same(everywhere, schema)
    assert set(everywhere.rows("SELECT sg_note__was_text FROM shot")) == {("12",), ("wk 12",), ("7",), ("x",), (None,)}


def test_what_a_downgrade_took_is_loaded_again(studio: Loads) -> None:
    studio.load()
    studio.studio.downgrade("base")
    studio.studio.upgrade()
    assert studio.rows("SELECT count(*) FROM shot") == [(0,)]
    studio.load()
    same(studio)


def test_a_field_that_comes_back_is_read_again(small: Loads) -> None:
    small.load()
    small.follow(without(STUDIO, "Shot.code"))
    assert any("Shot.code" in note for note in small.load().notes) is False  # it is retired: nothing is said
    small.records.values["Shot"][shots(small)[0]]["code"] = "meanwhile"
    small.follow(STUDIO)
    small.load()
    same(small)


# --- the schema changes


def between_pages(studio: Loads, number: int, change: Any) -> None:
    """Something happens before the page of that number of Shot is answered."""
    count = 0

    def before(params: dict[str, Any]) -> None:
        nonlocal count
        count += params["type"] == "Shot"
        if count == number and params["type"] == "Shot":
            change()

    studio.site.before_read = before


def test_a_field_goes_into_the_trash_between_two_pages(studio: Loads) -> None:
    studio.load()
    before = studio.rows("SELECT id, code FROM shot ORDER BY id")
    studio.site.page_size = 4
    between_pages(studio, 3, lambda: setattr(studio.site, "schema", without(STUDIO, "Shot.code")))
    summary = studio.load(full=True, jobs=1)
    assert [note for note in summary.notes if "Shot.code: the site does not have it any more" in note]
    assert studio.rows("SELECT id, code FROM shot ORDER BY id") == before
    studio.site.schema = STUDIO
    studio.load()
    same(studio)


def test_a_field_gets_another_type_between_two_pages(studio: Loads) -> None:
    studio.load()
    before = studio.rows("SELECT id, code FROM shot ORDER BY id")
    studio.site.page_size = 4

    def retype() -> None:
        studio.site.schema = changed(STUDIO, "Shot.code", data_type="number")
        for number, record in studio.records.values["Shot"].items():
            record["code"] = number

    between_pages(studio, 3, retype)
    summary = studio.load(full=True, jobs=1)
    assert [note for note in summary.notes if "Shot.code: it is number on the site now" in note]
    assert studio.rows("SELECT id, code FROM shot ORDER BY id") == before
    assert studio.rows("SELECT count(*) FROM sg_load_rejects") == [(0,)]
    assert [note for note in studio.load().notes if "Shot.code: it is number on the site now" in note]
    schema = changed(STUDIO, "Shot.code", data_type="number")
    studio.follow(schema)
    studio.load()
    same(studio, schema)


def test_an_entity_type_is_switched_off_between_two_pages(studio: Loads) -> None:
    studio.site.page_size = 4
    between_pages(studio, 2, lambda: setattr(studio.site, "schema", without(STUDIO, "Shot")))
    summary = studio.load(jobs=1)
    assert [note for note in summary.notes if note.startswith("Shot is not loaded: ")]
    assert studio.rows("SELECT count(*) FROM asset") == [(1,)]
    assert [note for note in studio.load().notes if note.startswith("Shot: the site does not have it any more")]
    studio.site.before_read = lambda _: None
    studio.site.schema = STUDIO
    studio.load()
    same(studio)


# --- permissions


def test_a_key_that_may_not_see_everything(small: Loads) -> None:
    small.site.hidden = {"Asset", "Shot.code"}
    summary = small.load()
    assert sum("Asset" in note for note in summary.notes) == 1
    assert sum("Shot.code" in note for note in summary.notes) == 1
    assert small.rows("SELECT count(*), count(code) FROM shot") == [(12, 0)]
    small.site.hidden = set()
    small.load()
    same(small)


def test_without_the_event_log_everything_is_found_by_comparison(studio: Loads) -> None:
    studio.site.hidden = {"EventLogEntry"}
    summary = studio.load()
    assert summary.event is None
    assert sum("event log" in note for note in summary.notes) == 1
    studio.people.wait(20)
    one, two, *_ = shots(studio)
    studio.people.retire("Shot", one)
    studio.people.edit("Shot", two, {"sg_sequence": None})
    studio.people.delete("Shot", one)
    studio.people.edit("Project", studio.people.ids["Project"], {"name": "Other"})
    studio.people.retire("Asset", studio.people.ids["Asset"])
    studio.load()
    same(studio)
    studio.people.revive("Asset", studio.people.ids["Asset"])
    studio.load()
    same(studio)


def test_records_that_vanish_are_no_deletion(studio: Loads) -> None:
    fill(studio, 40)
    studio.load()
    kept = studio.rows("SELECT id FROM shot WHERE retired_at IS NULL ORDER BY id")
    for record_id in shots(studio)[:25]:
        studio.people.delete("Shot", record_id)
    studio.people.retire("Asset", studio.people.ids["Asset"])
    (refusal,) = studio.load(sweep=True).refusals
    assert isinstance(refusal, VanishedRecordsError)
    assert "Shot: 25 of 52 records" in str(refusal)
    assert studio.rows("SELECT id FROM shot WHERE retired_at IS NULL ORDER BY id") == kept
    summary = studio.load(sweep=True, accept_retirements=True)
    assert summary.refusals == []
    assert {one.entity_type: one.retired for one in summary.outcomes}["Shot"] == 25
    same(studio)
    assert studio.rows("SELECT count(*) FROM shot") == [(52,)]
    studio.load(sweep=True, forget=True)
    assert studio.rows("SELECT count(*) FROM shot") == [(27,)]
    assert studio.rows("SELECT count(DISTINCT owner_id) FROM shot__sg_assets") == [(0,)]
    same(studio)


# --- some of it


def test_some_types_and_their_events_later(studio: Loads) -> None:
    studio.load()
    one, *_ = shots(studio)
    studio.people.wait(20)
    studio.people.edit("Shot", one, {"code": "later"})
    studio.people.edit("Project", studio.people.ids["Project"], {"name": "Now"})
    summary = studio.load("Project", "Seq*")
    assert [outcome.entity_type for outcome in summary.outcomes] == ["Project", "Sequence"]
    assert studio.rows("SELECT name FROM project") == [("Now",)]
    assert studio.rows("SELECT count(*) FROM shot WHERE code = 'later'") == [(0,)]
    studio.load()
    same(studio)


def test_a_project_alone(studio: Loads) -> None:
    first = studio.people.ids["Project"]
    fill(studio, 5)
    second = studio.people.ids["Project"]
    studio.load(projects=(second,))
    assert studio.rows("SELECT id FROM project") == [(second,)]
    assert set(studio.rows("SELECT DISTINCT project_id FROM shot")) == {(second,)}
    studio.people.wait(20)
    theirs = [one for one in shots(studio) if studio.records.values["Shot"][one]["project"]["id"] == first]
    ours = [one for one in shots(studio) if one not in theirs]
    studio.people.edit("Shot", theirs[0], {"code": "not ours"})
    studio.people.edit("Shot", ours[0], {"code": "ours"})
    studio.people.delete("Shot", ours[1])
    moved = {"type": "Project", "id": first, "name": "One"}
    studio.people.edit("Shot", ours[2], {"project": moved}, logged=False)
    studio.load(projects=(second,), sweep=True)
    assert studio.rows(f"SELECT project_id, retired_at FROM shot WHERE id = {ours[2]}") == [(first, None)]
    assert studio.rows("SELECT count(*) FROM shot WHERE code IN ('ours', 'not ours')") == [(1,)]
    assert studio.rows("SELECT id FROM shot WHERE retired_at IS NOT NULL") == [(ours[1],)]
    studio.load()
    same(studio)


def test_what_is_not_loaded(tmp_path: Path, sqlite_url: str) -> None:
    schema = site(
        Shot={"code": "text", "sg_secret": "text", "open_in_current_user_list": "text"}, EventLogEntry={"meta": "url"}
    )
    with loads(tmp_path / "p", sqlite_url, schema, load_exclude="EventLogEntry Shot.sg_secret") as studio:
        studio.records.put("Shot", 1, {"code": "a", "sg_secret": "b", "open_in_current_user_list": "c"})
        studio.records.put("EventLogEntry", 1, {})
        studio.load()
        assert studio.rows("SELECT code, sg_secret, open_in_current_user_list FROM shot") == [("a", None, None)]
        assert studio.rows("SELECT count(*) FROM event_log_entry") == [(0,)]


def test_what_a_person_added_stays(studio: Loads) -> None:
    studio.load()
    studio.studio.execute("ALTER TABLE shot ADD COLUMN our_note VARCHAR(20)", "UPDATE shot SET our_note = 'keep'")
    for record_id in shots(studio):
        studio.people.edit("Shot", record_id, {"code": "changed"})
    studio.load(full=True)
    same(studio)
    assert studio.rows("SELECT DISTINCT our_note, code FROM shot") == [("keep", "changed")]


def test_links_as_json(tmp_path: Path, databases: Databases) -> None:
    for engine in ENGINES:
        with loads(tmp_path / engine, databases.new(engine), STUDIO, multi_entity="json") as studio:
            fill(studio, 3)
            studio.load()
            one, *_ = shots(studio)
            assert studio.changed(studio.load(full=True)) == {}
            studio.people.wait(20)
            studio.people.retire("Asset", studio.people.ids["Asset"])
            studio.load()
            ((value,),) = studio.rows(f"SELECT sg_assets FROM shot WHERE id = {one}")
            assert value in ("[]", [])
