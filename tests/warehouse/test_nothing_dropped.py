"""Whatever the ledger has lost and the settings leave out: without a decision to prune, nothing that is built goes."""

from __future__ import annotations

from dataclasses import replace
from datetime import date

from hypothesis import given
from hypothesis import strategies as st
from sites import field, site_of

from sg_migrate import Field, SiteSchema, Snapshot, merge
from sg_migrate.settings import Settings, parse
from sg_migrate.warehouse.model import build_state
from sg_migrate.warehouse.state import State
from sg_migrate.warehouse.transition import transition

CODES = ("sg_a", "sg_a_id", "sg_a__was_text", "sg_b")
TYPES = ("text", "number", "entity", "multi_entity", "list", "url", "summary")
SETTINGS: tuple[dict[str, str], ...] = (
    {}, {"exclude": "Shot"}, {"exclude": "*.sg_a"}, {"include": "Asset"}, {"naming": "shotgrid"}, {"catalog": "false"},
    {"foreign_keys": "true"}, {"track": "structure"}, {"entity_names": "Shot=clip"}, {"table_prefix": "p_"},
)  # fmt: skip


@st.composite
def sites(draw: st.DrawFn) -> SiteSchema:
    found: list[Field] = []
    for entity_type in draw(st.lists(st.sampled_from(["Shot", "Asset"]), min_size=1, unique=True)):
        found.append(field(f"{entity_type}.id", "number"))
        for code in draw(st.lists(st.sampled_from(CODES), unique=True)):
            found.append(field(f"{entity_type}.{code}", draw(st.sampled_from(TYPES)), valid_types=("Asset",)))
    return site_of(*found)


def followed(chain: list[SiteSchema], settings: Settings) -> tuple[SiteSchema, State]:
    """The ledger after a chain of sites, and what their revisions have built."""
    ledger: Snapshot | None = None
    built: State = {}
    for schema in chain:
        ledger = merge(ledger, schema, today=date(2026, 1, 1), accept_retirements=True)
        built = build_state(ledger.schema, settings, built)
    assert ledger is not None
    return ledger.schema, built


@st.composite
def damages(draw: st.DrawFn, ledger: SiteSchema) -> SiteSchema:
    """The ledger as a bad merge or an editor may leave it: entity types and fields are not there any more."""
    entity_types = {}
    for code, entity_type in ledger.entity_types.items():
        if draw(st.booleans()):
            fields = {name: one for name, one in entity_type.fields.items() if draw(st.booleans())}
            entity_types[code] = replace(entity_type, fields=fields)
    return replace(ledger, entity_types=entity_types)


@given(data=st.data(), chain=st.lists(sites(), min_size=1, max_size=4), before=st.sampled_from(SETTINGS))
def test_nothing_is_dropped_but_by_prune(data: st.DataObject, chain: list[SiteSchema], before: dict[str, str]) -> None:
    ledger, built = followed(chain, parse(before, "test"))
    damaged = data.draw(damages(ledger))
    model = build_state(damaged, parse(before | data.draw(st.sampled_from(SETTINGS)), "test"), built)
    assert [change for change in transition(built, model).changes if change.kind in ("dropped", "pruned")] == []
    assert {table.mark.key for table in built.values() if not table.mark.former} <= {
        (*table.mark.key[:3], "") for table in model.values()
    }
