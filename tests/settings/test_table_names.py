"""Two tables never have one name: it steps aside, or where a person gave the name that is one error."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from itertools import combinations
from pathlib import Path
from typing import Any

import pytest
from hypothesis import example, given
from hypothesis import strategies as st
from in_process import run_here
from sites import site
from studio import Studio, run

from sg_migrate import Settings, SiteSchema
from sg_migrate.errors import SameNameError, UnknownNameError
from sg_migrate.warehouse.model import RESERVED_TABLES, build_state


@dataclass
class Made:
    """A site and settings in the making."""

    fields: dict[str, dict[str, str]] = field(default_factory=dict)
    settings: dict[str, Any] = field(default_factory=dict)

    def site(self) -> SiteSchema:
        return site(self.fields)

    def entity_type(self, code: str, **fields: str) -> None:
        self.fields[code] = {"id": "number"} | fields

    def named(self, code: str, name: str) -> None:
        self.entity_type(code)
        self.settings.setdefault("entity_names", {})[code] = name


SOURCES: dict[str, Callable[[Made], None]] = {
    "catalog_entity": lambda made: made.settings.update(catalog_entity="Seq__Shots"),
    "catalog_field": lambda made: made.settings.update(catalog_field="seq__shots"),
    "an entity type": lambda made: made.entity_type("SEQ__SHOTS"),
    "another entity type": lambda made: made.entity_type("Seq__shots"),
    "a name of entity_names": lambda made: made.named("CustomEntity01", "seq__SHOTS"),
    "another name of entity_names": lambda made: made.named("CustomEntity02", "seq__shots"),
    "a link table": lambda made: made.entity_type("Seq", shots="multi_entity"),
}
"""What gives a table the name seq__shots, written in some way."""


@pytest.mark.parametrize("naming", ["snake", "shotgrid"])
@pytest.mark.parametrize(("first", "second"), list(combinations(SOURCES, 2)))
def test_every_pair_of_sources(first: str, second: str, naming: str) -> None:
    made = Made(settings={"naming": naming})
    for source in (first, second):
        SOURCES[source](made)
    if "catalog_" not in first + second:
        if "entity_names" not in first + second:
            check(made)
            return
        with pytest.raises(UnknownNameError, match=r"(?i)entity_names says CustomEntity0\d=seq__shots: another table"):
            build_state(made.site(), Settings(**made.settings), {})
        return
    with pytest.raises(SameNameError, match=r"(?i)would be called 'seq__shots'") as caught:
        build_state(made.site(), Settings(**made.settings), {})
    for source in (first, second):
        assert not source.startswith("catalog_") or f"the setting {source}" in str(caught.value)
    for code in made.fields:
        assert f"that of {code}" in str(caught.value)


@pytest.mark.parametrize("setting", ["catalog_entity", "catalog_field"])
@pytest.mark.parametrize("reserved", [*RESERVED_TABLES, *map(str.upper, RESERVED_TABLES)])
def test_what_is_kept_for_others_is_no_name_of_the_catalog(setting: str, reserved: str) -> None:
    with pytest.raises(SameNameError, match=f"the setting {setting}"):
        build_state(SiteSchema(), Settings(**{setting: reserved}), {})  # type: ignore[arg-type] # both are texts


def check(made: Made) -> None:
    """Everything that is wanted has a table of its own, on a first build and on the next one."""
    settings = Settings(**made.settings)
    state = build_state(made.site(), settings, {})
    places = {table.mark.place for table in state.values()}
    links = {f"{code}.{name}" for code, fields in made.fields.items() for name, kind in fields.items()
             if kind == "multi_entity"}  # fmt: skip
    catalog = {"sg_catalog.entity", "sg_catalog.field"} if settings.catalog else set()
    assert places == set(made.fields) | links | catalog
    assert len({name.lower() for name in state} | set(RESERVED_TABLES)) == len(places) + len(RESERVED_TABLES)
    assert build_state(made.site(), settings, state) == state


_NAMES = st.sampled_from(
    ["shot", "Shot", "SHOT", "shot__a", "Shot__A", "sg_carry", "alembic_version", "AlembicVersion"]
)
_CODES = st.sampled_from(["Shot", "SHOT", "Shot__a", "SgCarry", "AlembicVersion", "SgCatalogEntity", "CustomEntity01"])


@example(
    codes={
        "Shot": {},
        "SHOT": {"a": "multi_entity", "A": "multi_entity"},
        "Shot__a": {},
        "SgCarry": {},
        "AlembicVersion": {},
    },
    settings={"entity_names": {"AlembicVersion": "shot__a"}},
)
@given(
    codes=st.dictionaries(_CODES, st.dictionaries(st.sampled_from("aAb"), st.just("multi_entity"))),
    settings=st.fixed_dictionaries(
        {},
        optional={
            "entity_names": st.dictionaries(_CODES, _NAMES),
            "catalog_entity": _NAMES,
            "catalog_field": _NAMES,
            "catalog": st.booleans(),
            "naming": st.sampled_from(["snake", "shotgrid"]),
            "table_prefix": st.sampled_from(["", "s", "sg_"]),
        },
    ),
)
def test_random_names(codes: dict[str, dict[str, str]], settings: dict[str, Any]) -> None:
    made = Made(settings=settings)
    for code, fields in codes.items():
        made.entity_type(code, **fields)
    try:
        check(made)
    except (SameNameError, UnknownNameError) as error:
        said = str(error)
    else:
        said = ""
    assert not said or "the setting catalog_" in said or "The setting entity_names" in said, "the others step aside"


@pytest.mark.parametrize(
    ("setting", "name"),
    [("catalog_entity", "shot"), ("catalog_field", "sg_catalog_entity"), ("catalog_entity", "sg_carry")],
)
def test_the_commands_say_it_and_write_nothing(tmp_path: Path, setting: str, name: str) -> None:
    studio = Studio(tmp_path / "p", **{setting: name})
    studio.take(site(Shot={}))
    for command in (["alembic", "revision", "--autogenerate", "-m", "first"], ["sg-migrate", "revision"]):
        call = run if name == "shot" else run_here  # a real process for each of the two
        done = call(studio.folder, *command, fails=True)
        assert f"the setting {setting}" in done.stderr
        assert studio.text_of() == {}
