"""docs/conversions.md shows the table of the code, and the cases of the tests cover every pair."""

from __future__ import annotations

from itertools import permutations
from typing import get_args

from conversioncases import CASES
from sites import REPOSITORY
from sqlalchemy.types import TypeEngine

from sg_migrate.conversion.rules import RULES, ColumnKind, kind_of
from sg_migrate.warehouse.mapping import MAPPING

PAGE = REPOSITORY / "docs" / "conversions.md"


def _table(header: str) -> list[list[str]]:
    """The rows of the table under a header line."""
    lines = PAGE.read_text(encoding="utf-8").partition(f"\n{header}\n")[2].partition("\n\n")[0].splitlines()[1:]
    return [[cell.strip() for cell in line.strip("|").split(" | ")] for line in lines]


def test_the_table_of_rules() -> None:
    expected = [[f"`{old}`", f"`{new}`", rule.converts] for (old, new), rule in RULES.items()]
    assert _table("| from | to | what converts |") == expected


def test_the_table_of_kinds() -> None:
    kinds: dict[str, list[str]] = {kind: [] for kind in get_args(ColumnKind)}
    for data_type, target in MAPPING.items():
        if target is not None:
            kinds[kind_of(target) if isinstance(target, TypeEngine) else target].append(f"`{data_type}`")
    expected = [[f"`{kind}`", ", ".join(data_types)] for kind, data_types in kinds.items()]
    assert _table("| kind | data types of the site |") == expected


def test_every_pair_of_columns_has_values_to_try() -> None:
    scalars = [kind for kind in get_args(ColumnKind) if kind not in ("link", "links")]
    assert set(CASES) == set(permutations(scalars, 2))


def test_a_pair_without_a_rule_converts_nothing() -> None:
    for pair, cases in CASES.items():
        converts = any(expected is not None for _, expected in cases)
        assert converts == (pair in RULES), pair
