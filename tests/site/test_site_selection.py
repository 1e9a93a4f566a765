"""Patterns with braces choose entity types and fields; shotgrid_orm's lists map onto them."""

from __future__ import annotations

import pytest
from siteexamples import SMALL
from sites import REAL, SAMPLES, field

from sg_migrate.errors import SettingsError
from sg_migrate.site.schema import SiteSchema
from sg_migrate.site.selection import Selection, expand
from sg_migrate.site.sources import load_schema


def chosen(selection: Selection, *places: str) -> list[str]:
    return [
        place for place in places if (selection.field(field(place)) if "." in place else selection.entity_type(place))
    ]


PLACES = (
    "Shot",
    "Shot.id",
    "Shot.code",
    "Shot.sg_x",
    "Asset",
    "Asset.code",
    "CustomNonProjectEntity01",
    "shot",
    "Shots",
)


@pytest.mark.parametrize(
    ("include", "exclude", "expected"),
    [
        ((), (), list(PLACES)),
        (("Shot",), (), ["Shot", "Shot.id", "Shot.code", "Shot.sg_x"]),
        (("Shot.{code,sg_*}",), (), ["Shot", "Shot.code", "Shot.sg_x"]),
        (("{Shot,Asset}.code",), (), ["Shot", "Shot.code", "Asset", "Asset.code"]),
        (("{Shot.sg_*,Asset}",), (), ["Shot", "Shot.sg_x", "Asset", "Asset.code"]),
        (("CustomNonProjectEntity*",), (), ["CustomNonProjectEntity01"]),
        (("S?ot",), (), ["Shot", "Shot.id", "Shot.code", "Shot.sg_x"]),
        (("[!S]*",), (), ["Asset", "Asset.code", "CustomNonProjectEntity01", "shot"]),
        (("*.code",), ("Asset",), ["Shot", "Shot.code", "CustomNonProjectEntity01", "shot", "Shots"]),
        ((), ("*.code", "shot*", "Custom*"), ["Shot", "Shot.id", "Shot.sg_x", "Asset", "Shots"]),
        ((), ("Shot.*",), ["Shot", "Asset", "Asset.code", "CustomNonProjectEntity01", "shot", "Shots"]),
        (("Shot",), ("Shot",), []),
    ],
)
def test_patterns(include: tuple[str, ...], exclude: tuple[str, ...], expected: list[str]) -> None:
    assert chosen(Selection(include, exclude), *PLACES) == expected


@pytest.mark.parametrize(
    ("pattern", "expanded"),
    [
        ("a", ["a"]),
        ("a{b,c}d", ["abd", "acd"]),
        ("{a,b}{c,d}", ["ac", "ad", "bc", "bd"]),
        ("a{b,c{d,e}}", ["ab", "acd", "ace"]),
        ("sg_cut{,_in}", ["sg_cut", "sg_cut_in"]),
        ("{a}", ["a"]),
        ("{a,a}", ["a"]),
    ],
)
def test_braces(pattern: str, expanded: list[str]) -> None:
    assert expand(pattern) == expanded


SIGNS = "only letters, digits, _ and the signs * ? [...] {a,b} can be used."
MISSING = "a name is missing; write ENTITY or ENTITY.FIELD."


@pytest.mark.parametrize(
    ("pattern", "problem"),
    [
        ("", MISSING),
        (".code", MISSING),
        ("Shot.", MISSING),
        ("Shot.{,code}", MISSING),
        ("Shot.code.x", "more than one dot; write ENTITY or ENTITY.FIELD."),
        ("Shot code", SIGNS),
        ("Shot.[sg", SIGNS),
        ("Shot.sg-x", SIGNS),
        ("Shot,Asset", SIGNS),
        ("Shot.{code", "a { without its }."),
        ("Shot.code}", "a } without its {."),
        ("Shot.}code{", "a } without its {."),
        ("{a,b}" * 40, "more than 1000 alternatives."),
    ],
)
def test_bad_patterns_are_settings_errors(pattern: str, problem: str) -> None:
    for arguments in ({"include": (pattern,)}, {"exclude": ("Shot", pattern)}):
        with pytest.raises(SettingsError) as caught:
            Selection(**arguments)
        assert str(caught.value) == f"pattern {pattern!r}: {problem}"


def kept_by_shotgrid_orm(schema: SiteSchema, tables: list[str], fields: list[str]) -> list[str]:
    """The rule of its lists, written down independently: names, compared exactly."""
    return [str(one) for one in schema.fields() if one.entity_type not in tables and one.code not in fields]


@pytest.mark.parametrize("path", [*SAMPLES[:1], *REAL[-1:]], ids=lambda path: path.stem)
def test_shotgrid_orms_lists(path: object) -> None:
    schema = load_schema(str(path)).schema
    tables, fields = ["EventLogEntry", "Page", "Nowhere"], ["image_source_entity", "updated_by", "sg_nowhere"]
    selection = Selection.from_shotgrid_orm(tables, fields)
    assert [str(one) for one in schema.fields() if selection.field(one)] == kept_by_shotgrid_orm(schema, tables, fields)
    kept = [code for code in schema.entity_types if selection.entity_type(code)]
    assert kept == [code for code in schema.entity_types if code not in tables]
    assert selection.exclude == (*tables, *(f"*.{name}" for name in fields))


def test_empty_lists_leave_everything() -> None:
    assert all(map(Selection.from_shotgrid_orm([], []).field, SMALL.fields()))
