"""Any chain of small schemas: nothing is left to do, nothing is lost, and the way back is the way back."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from engines import Databases
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st
from oracle import Oracle
from sites import site
from structure import diff_structure
from studio import Studio, created

from sg_migrate import EntityType, Field, SiteSchema
from sg_migrate.revisions.replay import History
from sg_migrate.warehouse.state import State

LONG = "sg_a_field_whose_code_is_longer_than_any_identifier_may_be_on_postgresql_or_mysql"
CODES = {
    "Shot": ["sg_a", "sg_a_id", "sg_a_type", "sg_a__was_text", "task", "task_id", LONG, f"{LONG}_too"],
    "CustomEntity07": ["sg_a", "order", "group", "sg_b"],
    "CustomEntity07_sg_b_Connection": ["sg_a", "shot"],
}
TYPES = [
    *("text", "text", "number", "number", "list", "status_list", "float", "currency", "checkbox", "date", "date_time"),
    *("entity", "entity", "multi_entity", "multi_entity", "url", "serializable", "duration", "percent", "summary"),
    "hologram",
]
NAMES = ["", "A", "B 🦋", 'C """ \\ %', "[retired] D", "e\u202ef"]


@st.composite
def entity_types(draw: st.DrawFn, code: str) -> EntityType:
    fields = {"id": Field(code, "id", "number", "Id")}
    for name in draw(st.lists(st.sampled_from(CODES[code]), unique=True, max_size=5)):
        fields[name] = Field(
            code,
            name,
            draw(st.sampled_from(TYPES)),
            draw(st.sampled_from(NAMES)),
            draw(st.sampled_from(["", "About it", "x" * 1100])),
            valid_types=tuple(sorted(draw(st.sets(st.sampled_from(["Shot", "CustomEntity07", "Asset"]))))),
        )
    return EntityType(code, draw(st.sampled_from(NAMES)), fields=dict(sorted(fields.items())))


@st.composite
def sites(draw: st.DrawFn) -> SiteSchema:
    codes = draw(st.lists(st.sampled_from(sorted(CODES)), unique=True, min_size=1))
    return SiteSchema({code: draw(entity_types(code)) for code in sorted(codes)})


chains = st.lists(sites(), min_size=2, max_size=4)


def standing(built: State) -> dict[str, tuple[str, str]]:
    """Each column that stands for a field of the site with one data type: what it stands for -> where it is."""
    return {
        str(replace(column.mark, retired=False)): (table.name, column.name)
        for table in built.values()
        for column in table.columns.values()
        if not column.mark.former and not table.mark.former and table.mark.entity_type != "sg_catalog"
    }


def moved(before: State, after: State) -> dict[Any, Any]:
    """Where every column and table of ``before`` is in ``after``, by marks alone; nothing may be missing."""
    renamed: dict[Any, Any] = {}
    for table in before.values():
        same = [t for t in after.values() if t.name == table.name and t.mark.key == table.mark.key]
        former = [
            t for t in after.values() if t.mark.former and t.mark.place == table.mark.place and t.name not in before
        ]
        assert same or former, f"{table.name} ({table.mark}) is gone: {sorted(after)}"
        target = (same or former)[0]
        renamed[table.name] = target.name
        for column in table.columns.values():
            if not same:
                renamed[(table.name, column.name)] = (target.name, column.name)
                continue
            stays = [
                c for c in target.columns.values() if c.name == column.name and c.mark.former == column.mark.former
            ]
            was = [
                c
                for c in target.columns.values()
                if c.mark.former and c.mark.key[:3] == column.mark.key[:3] and c.name not in table.columns
            ]
            same_type = bool(stays) and stays[0].type_text == column.type_text
            chosen = stays if same_type or not was else was
            renamed[(table.name, column.name)] = (target.name, chosen[0].name)
    return renamed


def walk(chain: list[SiteSchema], engine: str, databases: Databases, folder: Path) -> None:
    studio = Studio(folder, databases.new(engine))
    oracle = Oracle(studio.url, ignore=["sg_catalog_*"])
    for schema in chain:
        before, built = studio.structure(), studio.built
        studio.take(schema)
        if studio.revise("next") is None:
            continue
        studio.upgrade()
        studio.check()
        assert studio.against_the_model(databases) == []
        after = studio.built
        if after != studio.model():  # or it would be the same comparison again
            assert diff_structure(studio.structure(), created(databases, engine, after)) == []
        if built:
            renamed = moved(built, after)
            oracle.verify(renamed=renamed)
            held = standing(after)
            for mark, place in standing(built).items():
                assert held.get(mark, place) == place or renamed[place] == held[mark], mark
            studio.downgrade()
            assert diff_structure(before, studio.structure()) == []
            oracle.verify()
            scripts = studio.project().scripts
            at_database = History(scripts).built([f"{studio.number - 1:04d}"])
            assert at_database == built
            studio.upgrade()
            oracle.verify(renamed=renamed)
            oracle.settle(renamed=renamed)
        oracle.fill(2)
    top = studio.structure()
    studio.downgrade("base", "sg_discard=true")
    assert studio.structure()["tables"] == {}
    studio.upgrade()
    assert diff_structure(top, studio.structure()) == []


SLOW = settings(
    deadline=None,
    suppress_health_check=list(HealthCheck),
    phases=[Phase.explicit, Phase.reuse, Phase.generate],  # an example takes seconds: shrinking takes for ever
)


@settings(SLOW, max_examples=8)
@given(chain=chains)
def test_on_sqlite(databases: Databases, tmp_path: Path, chain: list[SiteSchema]) -> None:
    walk(chain, "sqlite", databases, tmp_path / str(len(list(tmp_path.iterdir()))))


@settings(SLOW, max_examples=3)
@given(chain=chains)
def test_on_postgresql(databases: Databases, tmp_path: Path, chain: list[SiteSchema]) -> None:
    walk(chain, "postgresql", databases, tmp_path / str(len(list(tmp_path.iterdir()))))


@pytest.mark.long
@pytest.mark.parametrize("engine", ["sqlite", "postgresql", "mariadb"])
@settings(SLOW, max_examples=50)
@given(chain=chains)
def test_many(engine: str, databases: Databases, tmp_path: Path, chain: list[SiteSchema]) -> None:
    walk(chain, engine, databases, tmp_path / str(len(list(tmp_path.iterdir()))))


def test_a_link_field_called_as_a_kept_table_would_be(databases: Databases, tmp_path: Path) -> None:
    """Its table's name has ``__was_`` in it before anything is kept; the search above found this one."""
    kinds = ("multi_entity", "text", "multi_entity", "entity")
    chain = [site(Shot={"sg_a__was_multi_entity": f"{kind} A"}) for kind in kinds]
    walk(chain, "sqlite", databases, tmp_path / "p")
