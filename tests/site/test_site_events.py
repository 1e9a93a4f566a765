"""The site's events about fields: read through the real client, kept in a file that git can merge."""

from __future__ import annotations

import json
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from producers import LOG, Producers
from sites import site
from testsite import LocalSite

from sg_migrate.demo.records import Fault
from sg_migrate.errors import EventsFileError, SourceError
from sg_migrate.site.event_archive import read_archive
from sg_migrate.site.event_log import read_log, with_log
from sg_migrate.site.events import NO_EVENTS, Reading, SchemaEvent, SiteEvents, append_events, read_events
from sg_migrate.site.live import connect_from_environment, read_site

STUDIO = site(Shot={"code": "text"}, Asset={"code": "text"}, EventLogEntry=LOG)


@pytest.fixture
def local() -> Iterator[LocalSite]:
    with LocalSite(STUDIO) as running:
        yield running


@pytest.fixture
def producers(local: LocalSite) -> Producers:
    return Producers(local)


def read(local: LocalSite, known: SiteEvents = NO_EVENTS, **options: Any) -> SiteEvents:
    return read_log(connect_from_environment(local.environment), known, **options)


def told(events: SiteEvents) -> list[tuple[str, ...]]:
    return [(one.kind, one.entity_type, one.name, one.attribute, one.old, one.new, one.by) for one in events.events]


def test_events_are_read_as_what_was_done_to_fields(local: LocalSite, producers: Producers) -> None:
    producers.add("Jane Doe", "Shot", "sg_cut_in", "text Cut In")
    producers.rename("Bob", "Shot", "sg_cut_in", "First Frame")
    producers.retype("script:cleaner", "Shot", "sg_cut_in", "number")
    found = read(local)
    assert told(found) == [
        ("new", "Shot", "First Frame", "", "", "", "Jane Doe"),
        ("change", "Shot", "First Frame", "human_name", "Cut In", "First Frame", "Bob"),
        ("change", "Shot", "First Frame", "data_type", "text", "number", "cleaner"),
    ]
    assert [one.script for one in found.events] == [False, False, True]
    assert [one.at for one in found.events] == [f"2026-11-01T{hour}:00:00Z" for hour in (10, 11, 12)]
    (reading,) = found.readings
    assert (reading.oldest, reading.refused) == ("2026-11-01T10:00:00Z", False)


def test_names_of_people_are_left_out_where_asked(local: LocalSite, producers: Producers) -> None:
    producers.add("Jane Doe", "Shot", "sg_cut_in", "text Cut In")
    producers.rename("script:cleaner", "Shot", "sg_cut_in", "First Frame")
    assert [one.by for one in read(local, people=False).events] == ["", "cleaner"]
    assert [one.by for one in read(local).without_people().events] == ["", "cleaner"]


def test_other_events_are_not_asked_for(local: LocalSite, producers: Producers) -> None:
    for number in range(1200):
        entry = {"event_type": "Shotgun_Shot_Change", "created_at": "2026-11-01T00:00:00Z"}
        local.records.put("EventLogEntry", number + 1, entry)
    producers.events = 2000
    producers.add("Jane", "Shot", "sg_one", "text One")
    local.requests.clear()
    assert len(read(local).events) == 1
    assert local.requests["read"] == 2, "how far the log goes back, and one page of events"


def test_more_than_a_page_is_read(local: LocalSite, producers: Producers) -> None:
    producers.add("Jane", "Shot", "sg_one", "text One")
    for number in range(1200):
        producers.rename("Jane", "Shot", "sg_one", f"Name {number}")
    assert len(read(local).events) == 1201


def test_only_what_is_newer_is_asked_for_and_a_late_id_is_found(local: LocalSite, producers: Producers) -> None:
    late = producers.hold()
    for number in range(30):
        producers.add("Jane", "Shot", f"sg_{number}", "text")
        producers.wait(2)
    known = read(local)
    assert [one.id for one in known.events] == list(range(late + 1, late + 31))
    producers.now -= timedelta(days=2, hours=3)
    producers.add("Bob", "Shot", "sg_late", "text", event=late)
    local.reads.clear()
    new = read(local, known)
    assert [one.id for one in new.events] == [late]
    (asked,) = (one for one in local.reads if any(c["path"] == "created_at" for c in one["filters"]["conditions"]))
    (since,) = (c["values"][0] for c in asked["filters"]["conditions"] if c["path"] == "created_at")
    assert since == "2026-12-29T15:00:00Z", "a day before the newest"
    assert read(local, known | new).events == ()


def test_what_the_site_has_forgotten_stays_in_the_file(local: LocalSite, producers: Producers, tmp_path: Path) -> None:
    path = tmp_path / "site_events.jsonl"
    producers.add("Jane", "Shot", "sg_one", "text One")
    append_events(path, read(local))
    producers.wait(200)
    producers.forget(producers.now)
    producers.add("Bob", "Shot", "sg_two", "text Two")
    append_events(path, read(local, read_events(path)))
    kept = read_events(path)
    assert [one.by for one in kept.events] == ["Jane", "Bob"]
    assert [reading.oldest[:10] for reading in kept.readings] == ["2026-11-01", "2027-05-20"]


def test_a_key_that_may_not_read_the_log_is_a_note(local: LocalSite) -> None:
    local.hidden = {"EventLogEntry"}
    connection = connect_from_environment(local.environment)
    loaded = with_log(read_site(connection), connection, NO_EVENTS)
    assert loaded.events.refused
    assert loaded.notes == ("these credentials may not read the event log: who changes a field is not recorded",)
    assert with_log(read_site(connection), connection, loaded.events).notes == (), "once"


def test_a_site_that_lets_nobody_look_behind_a_link(local: LocalSite, producers: Producers) -> None:
    producers.add("Jane", "Shot", "sg_cut_in", "text Cut In")

    def refuse(params: dict[str, Any]) -> None:
        if any("." in name for name in params["return_fields"]):
            raise Fault("API read() EventLogEntry.entity.DisplayColumn.entity_type doesn't exist")

    local.before_read = refuse
    assert told(read(local)) == [("new", "", "Cut In", "", "", "", "Jane")]


@pytest.mark.parametrize("how", ["html", "truncated", "nonsense", "drop", "forbidden"])
def test_a_log_that_cannot_be_read_keeps_no_schema_from_being_read(local: LocalSite, how: Any) -> None:
    connection = connect_from_environment(local.environment)
    site_read = read_site(connection)
    local.misbehave(how, "read")
    loaded = with_log(site_read, connection, NO_EVENTS)
    assert loaded.schema == site_read.schema
    assert loaded.events == NO_EVENTS
    (note,) = loaded.notes
    assert note.startswith("the event log was not read: 127.0.0.1: ")
    assert local.api_key not in note


STRANGE: list[dict[str, Any]] = [
    {"event_type": "Shotgun_DisplayColumn_New", "created_at": "2026-11-01T00:00:00Z"},
    {"event_type": "Shotgun_DisplayColumn_New", "created_at": None, "meta": {"entity_id": 3}},
    {"event_type": "Shotgun_DisplayColumn_New", "created_at": "yesterday", "meta": {"entity_id": 3}},
    {"event_type": "Shotgun_DisplayColumn_New", "created_at": "2026-11-01T00:00:00Z", "meta": "text"},
    {"event_type": "Shotgun_DisplayColumn_New", "created_at": "2026-11-01T00:00:00Z", "meta": {"entity_id": "3"}},
]


def test_entries_that_say_nothing_are_passed_over(local: LocalSite) -> None:
    for number, entry in enumerate(STRANGE, 1):
        local.records.put("EventLogEntry", number, entry)
    found = {"entity_id": 3, "attribute_name": "properties", "new_value": {"a": ["x" * 5000, "\u202e\x1b[31m"]}}
    entry = {"event_type": "Shotgun_DisplayColumn_Change", "created_at": "2026-11-01T00:00:00Z", "meta": found}
    local.records.put("EventLogEntry", 9, entry)
    (event,) = read(local).events
    assert event.id == 9
    assert len(event.new) == 300
    assert event.new.isprintable()


def test_the_file_is_appended_to_and_says_nothing_twice(tmp_path: Path) -> None:
    path = tmp_path / "site_events.jsonl"
    one = SchemaEvent(1, "2026-11-01T00:00:00Z", "new", 7, by="Jane \u202e\n")
    two = SchemaEvent(2, "2026-10-01T00:00:00Z", "change", 7, attribute="human_name", old="a", new="b")
    reading = Reading("2026-11-02T00:00:00Z", "2026-05-01T00:00:00Z")
    assert append_events(path, SiteEvents((one,), (reading,)))
    first = path.read_bytes()
    assert append_events(path, SiteEvents((one, two), (reading,)))
    assert path.read_bytes().startswith(first)
    assert read_events(path) == SiteEvents((two, one), (reading,))
    assert not append_events(path, SiteEvents((one, two), (reading,)))
    assert not append_events(path, SiteEvents((), (Reading("2026-11-09T00:00:00Z"),)), changed=False)
    assert append_events(path, SiteEvents((), (Reading("2026-11-09T00:00:00Z", refused=True),)), changed=False)


def test_taking_both_sides_of_a_merge_is_right(tmp_path: Path) -> None:
    path = tmp_path / "site_events.jsonl"
    events = [SchemaEvent(number, f"2026-11-0{number}T00:00:00Z", "new", number) for number in (1, 2, 3)]
    append_events(path, SiteEvents((events[0],)))
    base = path.read_text()
    append_events(path, SiteEvents((events[1],)))
    ours = path.read_text()
    path.write_text(base)
    append_events(path, SiteEvents((events[2], events[1])))
    theirs = path.read_text()
    path.write_text(ours + theirs.removeprefix(base) + "\n")
    assert read_events(path).events == tuple(events)


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("<<<<<<< HEAD\n", "line 1: not a line of the site's events"),
        ('{"line":"event","id":1}\n', "line 1: not a line"),
        ('\n{"line":"reading","at":"2026"}\n[1]\n', "line 3: not a line"),
        ('{"line":"event","id":"1","at":"x","kind":"new","column":1}', "line 1"),
        ("[" * 100_000, "line 1"),
    ],
)
def test_a_spoiled_file_is_said(tmp_path: Path, text: str, says: str) -> None:
    path = tmp_path / "site_events.jsonl"
    path.write_text(text)
    with pytest.raises(EventsFileError) as caught:
        append_events(path, SiteEvents((SchemaEvent(1, "2026", "new", 1),)))
    assert says in str(caught.value)
    assert "keep both sides" in str(caught.value)
    assert path.read_text() == text
    path.write_bytes(b"\xff\xfe")
    with pytest.raises(EventsFileError):
        read_events(path)


HEADER = "Id,Event Type,Date Created,User,Link,Meta\n"


def archive(path: Path, *rows: tuple[object, ...], header: str = HEADER) -> Path:
    import csv

    with path.open("w", newline="", encoding="utf-8-sig") as file:
        file.write(header)
        csv.writer(file).writerows(rows)
    return path


def meta(column: int, **values: Any) -> str:
    return json.dumps({"entity_type": "DisplayColumn", "entity_id": column, **values})


def test_an_archive_of_the_log_is_read(tmp_path: Path) -> None:
    rename = meta(7, attribute_name="human_name", old_value="A", new_value='B "quoted"\nline')
    path = archive(
        tmp_path / "old.csv",
        (12, "Shotgun_DisplayColumn_New", "2019-03-01 10:00:00 UTC", "Jane Doe", "Cut In", meta(7)),
        (13, "Shotgun_Shot_Change", "2019-03-02 10:00:00 UTC", "Jane Doe", "shot_10", "{}"),
        (14, "Shotgun_DisplayColumn_Change", "2019-03-03T10:00:00+01:00", "Bob", "", rename),
        (15, "Shotgun_DisplayColumn_Retirement", "2019-03-04T10:00:00Z", "Bob", "", "no json"),
    )
    found = read_archive(path)
    assert (found.rows, found.unreadable) == (4, 1)
    assert told(found.events) == [
        ("new", "", "Cut In", "", "", "", "Jane Doe"),
        ("change", "", "", "human_name", "A", 'B "quoted" line', "Bob"),
    ]
    assert [one.at for one in found.events.events] == ["2019-03-01T10:00:00Z", "2019-03-03T09:00:00Z"]
    assert found.events.readings == (Reading("2019-03-04T10:00:00Z", "2019-03-01T10:00:00Z", archive=True),)
    assert [one.by for one in read_archive(path, people=False).events.events] == ["", ""]


def test_field_codes_are_a_header_too(tmp_path: Path) -> None:
    header = "id,event_type,created_at,user,user_type,entity,entity.DisplayColumn.entity_type,meta\n"
    row = (12, "Shotgun_DisplayColumn_New", "2019-03-01T10:00:00Z", "robot", "ApiUser", "Cut In", "Shot", meta(7))
    (event,) = read_archive(archive(tmp_path / "old.csv", row, header=header), people=False).events.events
    assert (event.entity_type, event.name, event.by, event.script) == ("Shot", "Cut In", "robot", True)


@pytest.mark.parametrize(
    ("content", "says"),
    [
        (b"", "no column id"),
        (b"Id,Event Type\n1,x\n", "no column created_at, meta"),
        (b"\xff\xfe\x00", "not UTF-8"),
        (b'Id,Event Type,Date Created,Meta\n1,"' + b"x" * 200_000, "not CSV"),
    ],
)
def test_what_is_no_archive_is_said(tmp_path: Path, content: bytes, says: str) -> None:
    path = tmp_path / "old.csv"
    path.write_bytes(content)
    with pytest.raises(SourceError, match=says):
        read_archive(path)
    with pytest.raises(SourceError, match="cannot be read"):
        read_archive(tmp_path / "none.csv")
