"""What the site says, merged into the ledger: retire, revive, drop; the host check and the guard."""

from __future__ import annotations

from dataclasses import replace
from datetime import date

import pytest
from hypothesis import given, settings
from siteexamples import ledgers, site_schemas, turned
from sites import REAL, SAMPLES, field, site_of

from sg_migrate.errors import ForeignHostError, MassRetirementError
from sg_migrate.site.schema import EntityType, Field, SiteSchema
from sg_migrate.site.snapshot import Snapshot, merge
from sg_migrate.site.sources import load_schema

ONE, TWO, THREE = date(2026, 1, 1), date(2026, 2, 2), date(2026, 3, 3)
MANY = tuple(field(f"Asset.f{number:02}") for number in range(60))
TYPES = tuple(field(f"{code}.code") for code in ("Project", "Step", "Task", "Version"))


def states(snapshot: Snapshot) -> dict[str, str]:
    """Every entry that is not simply active, by place."""
    entries: list[EntityType | Field] = [*snapshot.schema.entity_types.values(), *snapshot.schema.fields()]
    return {
        str(entry): f"{entry.state} {entry.since}"
        for entry in entries
        if (entry.state, entry.since) != ("active", None)
    }


def merged(*steps: tuple[date, SiteSchema]) -> Snapshot:
    snapshot: Snapshot | None = None
    for today, schema in steps:
        snapshot = merge(snapshot, schema, today=today)
    assert snapshot is not None
    return snapshot


FULL = site_of(*MANY, *TYPES, field("Shot.code"), field("Shot.sg_x", "number", name="X"))
WITHOUT_FIELD = site_of(*MANY, *TYPES, field("Shot.code"))
WITHOUT_TYPE = site_of(*MANY, *TYPES)


def test_a_first_reading_is_all_active() -> None:
    assert merged((ONE, FULL)).schema == FULL


def test_a_field_retires_keeps_its_date_and_returns() -> None:
    assert states(merged((ONE, FULL), (TWO, WITHOUT_FIELD), (THREE, WITHOUT_FIELD))) == {
        "Shot.sg_x": "retired 2026-02-02"
    }
    assert merged((ONE, FULL), (TWO, WITHOUT_FIELD), (THREE, FULL)).schema == FULL


def test_a_retired_field_remembers_what_it_was_until_it_returns_as_something_else() -> None:
    retired = merged((ONE, FULL), (TWO, WITHOUT_FIELD))
    kept = retired.schema.entity_types["Shot"].fields["sg_x"]
    assert (kept.data_type, kept.name) == ("number", "X")
    back = merge(retired, site_of(*WITHOUT_FIELD.fields(), field("Shot.sg_x", "date")), today=THREE)
    assert back.schema.entity_types["Shot"].fields["sg_x"] == field("Shot.sg_x", "date")


def test_the_fields_of_a_retired_entity_type_are_implied_and_return_with_it() -> None:
    retired = merged((ONE, FULL), (TWO, WITHOUT_TYPE), (THREE, WITHOUT_TYPE))
    assert states(retired) == {"Shot": "retired 2026-02-02"}
    assert "Shot" not in retired.active().entity_types
    assert merge(retired, FULL, today=THREE).schema == FULL


def test_a_field_that_stays_away_when_its_entity_type_returns_retires_then() -> None:
    snapshot = merged((ONE, FULL), (TWO, WITHOUT_TYPE), (THREE, WITHOUT_FIELD))
    assert states(snapshot) == {"Shot.sg_x": "retired 2026-03-03"}


def test_a_field_retired_before_its_entity_type_keeps_its_date() -> None:
    snapshot = merged((ONE, FULL), (ONE, WITHOUT_FIELD), (TWO, WITHOUT_TYPE), (THREE, WITHOUT_FIELD))
    assert states(snapshot) == {"Shot.sg_x": "retired 2026-01-01"}


def drop(snapshot: Snapshot, code: str, name: str | None = None) -> Snapshot:
    """What prune will do."""
    entity_type = snapshot.schema.entity_types[code]
    if name is None:
        entity_type = replace(entity_type, state="dropped")
    else:
        dropped = replace(entity_type.fields[name], state="dropped")
        entity_type = replace(entity_type, fields={**entity_type.fields, name: dropped})
    return Snapshot(replace(snapshot.schema, entity_types={**snapshot.schema.entity_types, code: entity_type}))


def test_dropped_stays_dropped_unless_the_site_has_it_again() -> None:
    dropped = drop(merged((ONE, FULL), (TWO, WITHOUT_FIELD)), "Shot", "sg_x")
    assert states(merge(dropped, WITHOUT_FIELD, today=THREE)) == {"Shot.sg_x": "dropped 2026-02-02"}
    assert states(merge(dropped, WITHOUT_TYPE, today=THREE)) == {
        "Shot": "retired 2026-03-03",
        "Shot.sg_x": "dropped 2026-02-02",
    }
    assert merge(dropped, FULL, today=THREE).schema == FULL


def test_of_a_dropped_entity_type_that_returns_the_other_fields_are_dropped_too() -> None:
    dropped = drop(merged((ONE, FULL), (TWO, WITHOUT_TYPE)), "Shot")
    assert states(merge(dropped, WITHOUT_TYPE, today=THREE)) == {"Shot": "dropped 2026-02-02"}
    assert states(merge(dropped, WITHOUT_FIELD, today=THREE)) == {"Shot.sg_x": "dropped 2026-02-02"}
    assert merge(dropped, FULL, today=THREE).schema == FULL


def test_entries_that_are_not_active_count_as_absent_on_the_side_of_the_site() -> None:
    ledger = merged((ONE, FULL), (TWO, WITHOUT_FIELD))
    assert merge(None, ledger.schema, today=THREE).schema == WITHOUT_FIELD


@settings(max_examples=40)
@given(ledgers(), site_schemas())
def test_merging_once_more_changes_nothing_and_forgets_nothing(ledger: SiteSchema, schema: SiteSchema) -> None:
    once = merge(Snapshot(ledger), schema, today=ONE, accept_retirements=True)
    twice = merge(once, schema, today=TWO, accept_retirements=True)
    assert once.text() == twice.text()
    assert once.active().entity_types == schema.entity_types
    assert {*map(str, once.schema.fields())} == {*map(str, ledger.fields()), *map(str, schema.fields())}
    assert all((entry.state == "active") == (entry.since is None) for entry in once.schema.fields())


@settings(max_examples=40)
@given(ledgers(), site_schemas())
def test_the_order_of_the_keys_does_not_matter(ledger: SiteSchema, schema: SiteSchema) -> None:
    straight = merge(Snapshot(ledger), schema, today=ONE, accept_retirements=True)
    crossed = merge(Snapshot(turned(ledger)), turned(schema), today=ONE, accept_retirements=True)
    assert crossed.text() == straight.text()
    assert list(crossed.schema.entity_types) == list(straight.schema.entity_types)
    assert [str(one) for one in crossed.schema.fields()] == [str(one) for one in straight.schema.fields()]


# --- host ----------------------------------------------------------------------------------------------------------


def at(host: str | None) -> SiteSchema:
    return replace(FULL, host=host)


def test_another_host_is_refused_unless_rebound() -> None:
    snapshot = merged((ONE, at("studio.shotgrid.autodesk.com")))
    with pytest.raises(ForeignHostError) as caught:
        merge(snapshot, at("staging.shotgrid.autodesk.com"), today=TWO)
    assert str(caught.value) == (
        "The snapshot belongs to studio.shotgrid.autodesk.com, but this schema comes from "
        "staging.shotgrid.autodesk.com. Nothing was written. Check SG_URL; if the site has moved, run "
        "`sg-migrate snapshot --rebind`."
    )
    assert caught.value.site_host == "staging.shotgrid.autodesk.com"
    rebound = merge(snapshot, at("staging.shotgrid.autodesk.com"), today=TWO, rebind=True)
    assert rebound.schema.host == "staging.shotgrid.autodesk.com"


@pytest.mark.parametrize(
    ("before", "now", "after"),
    [("a.b", None, "a.b"), (None, None, None), ("a.b", "A.B", "A.B"), ("a.b", "a.b", "a.b")],
)
def test_hosts_that_fit(before: str | None, now: str | None, after: str | None) -> None:
    assert merged((ONE, at(before)), (TWO, at(now))).schema.host == after


def test_a_ledger_of_no_named_site_takes_a_host_only_when_told_to() -> None:
    """Sample data and a real site never merge in silence."""
    sample = merged((ONE, at(None)))
    with pytest.raises(ForeignHostError, match=r"made from files that name no site.*a\.b.*--rebind"):
        merge(sample, at("a.b"), today=TWO)
    assert merge(sample, at("a.b"), today=TWO, rebind=True).schema.host == "a.b"


# --- guard ---------------------------------------------------------------------------------------------------------


def fields_of(count: int, code: str = "Asset") -> tuple[Field, ...]:
    return tuple(field(f"{code}.f{number:03}") for number in range(count))


def test_a_quarter_of_the_fields_may_retire_but_not_more() -> None:
    before = merged((ONE, site_of(*fields_of(100))))
    assert merge(before, site_of(*fields_of(75)), today=TWO).warnings == ()
    with pytest.raises(MassRetirementError) as caught:
        merge(before, site_of(*fields_of(74)), today=TWO)
    error = caught.value
    assert (error.entity_types, error.all_entity_types, error.fields, error.all_fields) == (0, 1, 26, 100)
    assert str(error) == (
        "0 of 1 entity types and 26 of 100 fields are no longer on the site. That looks like another site, or like a "
        "script key that lost its permissions; nothing was written. If it is true, run again with --accept-retirements "
        "(the alembic command: -x sg_accept_retirements=true)."
    )
    accepted = merge(before, site_of(*fields_of(74)), today=TWO, accept_retirements=True)
    assert len(states(accepted)) == 26
    assert list(map(str, accepted.warnings)) == ["Asset: 26 of 100 fields are no longer on the site"]


def test_fewer_than_twenty_fields_may_always_retire() -> None:
    before = merged((ONE, site_of(*fields_of(20))))
    assert len(states(merge(before, site_of(*fields_of(1)), today=TWO))) == 19


def test_a_quarter_of_the_entity_types_may_retire_but_not_more() -> None:
    everything = [field(f"Type{number}.code") for number in range(8)]
    before = merged((ONE, site_of(*everything)))
    assert len(states(merge(before, site_of(*everything[2:]), today=TWO))) == 2
    with pytest.raises(MassRetirementError) as caught:
        merge(before, site_of(*everything[3:]), today=TWO)
    assert (caught.value.entity_types, caught.value.all_entity_types, caught.value.fields) == (3, 8, 3)


def test_what_has_retired_before_does_not_count_again() -> None:
    before = merged((ONE, site_of(*fields_of(100))), (TWO, site_of(*fields_of(80))))
    assert len(states(merge(before, site_of(*fields_of(60)), today=THREE))) == 40
    with pytest.raises(MassRetirementError):
        merge(before, site_of(*fields_of(59)), today=THREE)


def test_a_heavy_loss_of_one_entity_type_is_a_warning() -> None:
    before = merged((ONE, site_of(*fields_of(100), *fields_of(10, "Shot"), *fields_of(4, "Task"))))
    snapshot = merge(before, site_of(*fields_of(99), *fields_of(5, "Shot"), *fields_of(1, "Task")), today=TWO)
    (warning,) = snapshot.warnings
    assert (warning.entity_type, warning.fields, warning.all_fields) == ("Shot", 5, 10)
    assert snapshot == Snapshot(snapshot.schema)


@pytest.mark.parametrize("paths", [SAMPLES, REAL], ids=["samples", "real"])
def test_years_of_change_pass_the_guard(paths: list[object]) -> None:
    if not paths:
        pytest.skip("the real schemas are not on this machine")
    snapshot: Snapshot | None = None
    for path in paths:
        schema = load_schema(str(path)).schema
        snapshot = merge(snapshot, schema, today=ONE)
        assert snapshot.active() == schema
