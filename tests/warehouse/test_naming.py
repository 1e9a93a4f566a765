"""Names: readable, at most 63 characters, unique without regard to case, stable."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sg_migrate.warehouse import naming

CODES = st.from_regex(r"[A-Za-z][A-Za-z0-9_]{0,90}", fullmatch=True)


@pytest.mark.parametrize(
    ("site", "table"),
    [
        ("Shot", "shot"),
        ("HumanUser", "human_user"),
        ("CustomEntity07", "custom_entity07"),
        ("CustomNonProjectEntity03", "custom_non_project_entity03"),
        ("AssetShotConnection", "asset_shot_connection"),
        ("CustomEntity07_sg_shots_Connection", "custom_entity07_sg_shots_connection"),
        ("RVLicense", "rv_license"),
    ],
)
def test_snake_case(site: str, table: str) -> None:
    assert naming.snake_case(site) == table


@given(CODES, st.sampled_from(["", "id", "type"]), st.sampled_from(["snake", "shotgrid"]))
def test_every_candidate_fits_on_every_engine(code: str, role: str, style: naming.Naming) -> None:
    candidates = [
        *naming.column_names(code, naming=style, role=role),
        *naming.table_names(code, naming=style),
        *naming.link_table_names(code, code, naming=style),
        naming.index_name(code, [code, code]),
    ]
    assert all(0 < len(candidate) <= naming.MAX_LENGTH for candidate in candidates)


@given(CODES, CODES)
def test_long_names_with_the_same_beginning_stay_apart(first: str, second: str) -> None:
    beginning = "a" * 63
    names = {naming.shorten(beginning + first), naming.shorten(beginning + second)}
    assert len(names) == len({first, second})


def test_former_names_count_up_and_fit() -> None:
    names = naming.former_names("x" * 63, "multi_entity")
    (label, first), (other, second) = (name for name, _ in zip(names, range(2), strict=False))
    assert (label, other) == ("multi_entity", "multi_entity_2")
    assert first.endswith("__was_multi_entity")
    assert second.endswith("__was_multi_entity_2")
    assert len(first) <= 63 >= len(second)


def test_names_are_compared_without_case_and_given_once() -> None:
    names = naming.Names(["Shot"])
    assert names.take(["shot", "shot_1"]) == "shot_1"
    assert names.take(["SHOT_1", "other"]) == "other"
    hashed = names.take(["other"])
    assert hashed.startswith("other_")
    assert len(hashed) == len("other_") + 8


def test_a_built_name_stays_while_it_is_a_candidate() -> None:
    names = naming.Names(["task_link_id"])
    assert names.take(["task_id", "task_link_id"], "task_link_id") == "task_link_id"
    assert names.take(["renamed"], "task_link_id") == "renamed"
    assert names.take(["task_link_id"]) == "task_link_id", "the old name is free again"
