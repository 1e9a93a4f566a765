"""Who changed what: events beside the changes that they tell of, and why there is none."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from producers import LOG, Producers
from sites import site
from studio import TODAY
from testsite import LocalSite

from sg_migrate.site.attribution import Attributions
from sg_migrate.site.changes import changes
from sg_migrate.site.event_log import read_log
from sg_migrate.site.events import NO_EVENTS, Reading, SiteEvents
from sg_migrate.site.live import connect_from_environment, read_site
from sg_migrate.site.schema import SiteSchema
from sg_migrate.site.snapshot import Snapshot, merge

STUDIO = site(Shot={"code": "text"}, Asset={"code": "text"}, EventLogEntry=LOG)


class Weeks:
    """A site, what is known of it, and what a Monday's reading finds."""

    def __init__(self, local: LocalSite) -> None:
        self.local = local
        self.people = Producers(local)
        self.events = NO_EVENTS
        self.ledger = Snapshot(SiteSchema())
        self.monday()

    def monday(self, after: str = "", before: str = "") -> dict[str, str]:
        """By what changed: who did it, or why nobody knows."""
        connection = connect_from_environment(self.local.environment)
        old = self.ledger.schema
        read = read_site(connection).schema
        self.ledger = merge(self.ledger, read, today=TODAY, accept_retirements=True, rebind=True)
        self.events |= read_log(connection, self.events)
        found = changes(old, self.ledger.schema)
        attributions = Attributions(self.events).of(found, after, before)
        return {
            f"{change.place} {change.kind}": (one.words or f"? {one.unknown}") if one else "-"
            for change, one in zip(found, attributions, strict=True)
        }


@pytest.fixture
def weeks() -> Iterator[Weeks]:
    with LocalSite(STUDIO) as local:
        yield Weeks(local)


def test_each_kind_of_change_has_its_event(weeks: Weeks) -> None:
    people = weeks.people
    people.add("Jane Doe", "Shot", "sg_cut_in", "text Cut In")
    people.add("Jane Doe", "Shot", "sg_kind", "list Kind", valid_values=("a", "b"))
    assert weeks.monday() == {
        "Shot.sg_cut_in added": "by Jane Doe, 2026-11-01",
        "Shot.sg_kind added": "by Jane Doe, 2026-11-01",
    }
    people.wait(7)
    people.rename("Bob", "Shot", "sg_cut_in", "First Frame")
    people.retype("script:cleaner", "Shot", "sg_cut_in", "number")
    people.choose("Ann", "Shot", "sg_kind", "a", "c")
    assert weeks.monday() == {
        "Shot.sg_cut_in name": "by Bob, 2026-11-08",
        "Shot.sg_cut_in data_type": "by script cleaner, 2026-11-08",
        "Shot.sg_kind valid_values": "by Ann, 2026-11-08",
    }
    people.wait(7)
    people.delete("Eve", "Shot", "sg_kind")
    assert weeks.monday() == {"Shot.sg_kind retired": "by Eve, 2026-11-15"}, "its name is known from before"


def test_a_field_of_another_entity_type_is_another(weeks: Weeks) -> None:
    weeks.people.add("Jane", "Shot", "sg_cut_in", "text Cut In")
    weeks.people.wait(1)
    weeks.people.add("Bob", "Asset", "sg_cut_in", "text Cut In")
    assert weeks.monday() == {
        "Asset.sg_cut_in added": "by Bob, 2026-11-02",
        "Shot.sg_cut_in added": "by Jane, 2026-11-01",
    }


def test_a_field_made_anew_under_its_code_has_another_number(weeks: Weeks) -> None:
    people = weeks.people
    people.add("Jane", "Shot", "sg_cut_in", "text Cut In")
    weeks.monday()
    people.wait(7)
    people.delete("Bob", "Shot", "sg_cut_in")
    people.add("Ann", "Shot", "sg_cut_in", "number Cut In")
    assert weeks.monday() == {"Shot.sg_cut_in data_type": "by Ann, 2026-11-08"}
    people.wait(7)
    people.delete("Eve", "Shot", "sg_cut_in")
    assert weeks.monday() == {"Shot.sg_cut_in retired": "by Eve, 2026-11-15"}


def test_a_type_change_that_was_not_logged_is_not_the_makers(weeks: Weeks) -> None:
    people = weeks.people
    people.add("Jane", "Shot", "sg_cut_in", "text Cut In")
    weeks.monday()
    people.retype("script:silent", "Shot", "sg_cut_in", "number")
    weeks.local.records.delete("EventLogEntry", people.events)  # as a script that writes none
    assert weeks.monday() == {
        "Shot.sg_cut_in data_type": "? no event fits; scripts may write none, and the log begins on 2026-11-01"
    }


def test_two_fields_of_one_name_are_said(weeks: Weeks) -> None:
    people = weeks.people
    people.add("Jane", "Shot", "sg_note", "text Note")
    people.wait(1)
    people.add("Bob", "Shot", "sg_note_1", "text Note")
    found = weeks.monday()
    said = "by Bob, 2026-11-02 or by Jane, 2026-11-01 (several fields have that name)"
    assert found == {"Shot.sg_note added": said, "Shot.sg_note_1 added": said}


def test_fields_that_the_log_does_not_name_any_more(weeks: Weeks) -> None:
    """They are older than the log, and a deleted field is not named: only who deleted something is left."""
    people = weeks.people
    for code in ("sg_a", "sg_b", "sg_c"):
        people.add("Jane", "Shot", code, f"text {code}")
    people.forget(people.now.replace(year=2027))
    people.events += 1
    weeks.monday()
    people.wait(7)
    people.delete("Bob", "Shot", "sg_a")
    assert weeks.monday() == {"Shot.sg_a retired": "by Bob, 2026-11-08 (the log does not name the field)"}
    people.wait(7)
    people.delete("Bob", "Shot", "sg_b")
    people.delete("Eve", "Shot", "sg_c")
    said = "by Eve, 2026-11-15 or by Bob, 2026-11-15 (the log does not name the field, and several went)"
    assert weeks.monday(after="2026-11-09") == {"Shot.sg_b retired": said, "Shot.sg_c retired": said}


def test_a_deletion_without_an_event(weeks: Weeks) -> None:
    weeks.people.add("Jane", "Shot", "sg_a", "text A")
    weeks.monday()
    weeks.people.delete("Bob", "Shot", "sg_a", logged=False)
    (said,) = weeks.monday().values()
    assert said.startswith("? no event fits")


def test_a_field_that_comes_back_and_an_entity_type(weeks: Weeks) -> None:
    people = weeks.people
    weeks.local.schema = site(Shot={"code": "text", "sg_a": "text A"}, EventLogEntry=LOG)
    assert weeks.monday() == {
        "Asset retired": "? the log tells of fields, not of entity types",
        "Shot.sg_a added": "? no event fits; scripts may write none",
    }
    weeks.local.schema = STUDIO
    people.wait(1)
    weeks.monday()
    weeks.local.schema = site(Shot={"code": "text", "sg_a": "text A"}, Asset={"code": "text"}, EventLogEntry=LOG)
    assert weeks.monday() == {"Shot.sg_a revived": "? the log does not tell of fields that come back"}


def test_bounds_keep_other_weeks_away(weeks: Weeks) -> None:
    people = weeks.people
    people.add("Jane", "Shot", "sg_kind", "list Kind", valid_values=("a",))
    weeks.monday()
    people.wait(7)
    people.choose("Bob", "Shot", "sg_kind", "a", "b")
    assert weeks.monday(after="2026-11-07", before="2026-11-09") == {"Shot.sg_kind valid_values": "by Bob, 2026-11-08"}
    people.wait(7)
    people.choose("Ann", "Shot", "sg_kind", "a", "b", "c")
    assert weeks.monday(before="2026-11-10") == {"Shot.sg_kind valid_values": "by Bob, 2026-11-08"}


def test_reasons_and_nothing_known() -> None:
    old, new = STUDIO, site(Shot={"code": "text", "sg_a": "text"}, Asset={"code": "text"}, EventLogEntry=LOG)
    found = changes(old, new)
    assert Attributions(NO_EVENTS).of(found) == [None]
    (refused,) = Attributions(SiteEvents((), (Reading("2026-11-01T00:00:00Z", refused=True),))).of(found)
    assert refused is not None
    assert refused.unknown == "the event log could not be read"
    log = SiteEvents((), (Reading("2026-11-01T00:00:00Z", "2026-05-01T00:00:00Z"),))
    (older,) = Attributions(log).of(found, before="2026-04-02")
    assert older is not None
    assert older.unknown == "older than the event log, which begins on 2026-05-01"
