"""What each step of the sample schemas and of the real site does to names and values: written by hand.

`RENAMED` says where the old values are after a step, in the form that the oracle takes; the sample schemas' README
tells the same story in a producer's words.
"""

from __future__ import annotations

import re
from datetime import date, datetime, timezone
from decimal import Decimal
from typing import Any

from oracle import Oracle


def pairs(**tables: dict[str, str]) -> dict[Any, Any]:
    """``renamed`` for the oracle: ``pairs(shot={"sg_cut_in": "sg_cut_in__was_text"})``."""
    return {(table, old): (table, new) for table, columns in tables.items() for old, new in columns.items()}


COMMITTEE = "sg_round_of_comments_from_the_distributors_review_comm_10c1cc05"
"""The column of a field whose code has 72 characters: cut, with a hash of the whole."""
COMMITTEE_WAS_TEXT = "sg_round_of_comments_from_the_distributors_r_89a5de26__was_text"

SAMPLE_RENAMED: list[dict[Any, Any]] = [
    {},
    pairs(sequence={"sg_due": "sg_due__was_text"}),
    pairs(
        asset={
            "sg_hero": "sg_hero__was_text",
            "sg_supervisor_id": "sg_supervisor_id__was_entity",
            "sg_supervisor_type": "sg_supervisor_type__was_entity",
        },
        shot={
            "sg_cut_in": "sg_cut_in__was_text_2",  # a field of the site is called sg_cut_in__was_text
            "sg_handle_seconds": "sg_handle_seconds__was_number",
            "sg_location": "sg_location__was_text",
            "sg_turnover": "sg_turnover__was_text",
        },
    ),
    pairs(
        asset={
            "sg_build_number": "sg_build_number__was_number",
            "sg_poly_limit_k": "sg_poly_limit_k__was_float",
        },
        note={"sg_reference": "sg_reference__was_url"},
        published_file={"sg_size": "sg_size__was_number"},
        shot={"sg_turnover": "sg_turnover__was_number"},
        task={"sg_bid_code": "sg_bid_code__was_text", "sg_client_approved": "sg_client_approved__was_checkbox"},
        version={"sg_client_review": "sg_client_review__was_date"},
    )
    | {"version__sg_linked_notes": "version__sg_linked_notes__was_multi_entity"},
    pairs(
        asset={"sg_cost": "sg_cost__was_currency"},
        custom_entity07={"sg_serial": "sg_serial__was_text"},
        note={"sg_audit_04": "sg_audit_04__was_text"},
        project={"sg_delivery": "sg_delivery__was_date_time"},
        shot={"sg_length": "sg_length__was_calculated"},
        version={COMMITTEE: COMMITTEE_WAS_TEXT},
    )
    | {
        "custom_entity07__sg_operators": "custom_entity07__sg_operators__was_multi_entity",
        "shot__sg_plates": "shot__sg_plates__was_multi_entity",
    },
    pairs(
        asset={"sg_build_number": "sg_build_number__was_text"},
        task={"sg_progress": "sg_progress__was_percent"},
        version={"sg_client_review": "sg_client_review__was_date_time"},
    ),
]

# fmt: off
_COUNTED = [
    "asset", "attachment", "booking", "custom_entity01", "custom_entity02", "custom_entity03", "department",
    "group", "phase", "playlist", "scene", "sequence", "shot", "task", "task_template", "version",
]
# fmt: on
"""Tables whose open_notes_count is text until 2014 and a summary of whole numbers from 2017 on."""

REAL_RENAMED: list[dict[Any, Any]] = [
    {},
    {},
    pairs(
        **{table: {"open_notes_count": "open_notes_count__was_text"} for table in _COUNTED},
        ticket={"due_date": "due_date__was_date"},
    ),
    {},
    {},
    pairs(
        **{
            table: {"open_notes_count": "open_notes_count__was_text"}
            for table in ("asset_library", "custom_non_project_entity01", "element")
        }
    ),
]

SAMPLE_WHOLE_NUMBERS: list[list[tuple[str, str]]] = [
    [],
    [],
    [("shot", "sg_cut_in"), ("shot", "sg_turnover")],
    [("task", "sg_bid_code")],
    [("custom_entity07", "sg_serial"), ("note", "sg_audit_04")],
    [],
]
"""Columns whose text becomes whole numbers, by step."""


STAYED = {
    "tables.asset.columns.sg_complexity.type",  # text, and holds what a list needs
    "tables.sequence.columns.sg_mood.type",
    "tables.shot.columns.sg_lead_id.comment",  # built for the link sg_lead, before a number called sg_lead_id came
    "tables.shot.columns.sg_lead_id.type",
    "tables.shot.columns.sg_lead_link_id",
    "tables.shot.indexes.ix_shot_sg_lead_link_id_sg_lead_type",
}
"""Where the warehouse of the sample schemas is not what it would be if it had no history."""

DAY = date(2025, 10, 1)
NIGHT = datetime(2025, 10, 1, 23, 30, tzinfo=timezone.utc)
NO_NUMBERS = ["12 frames", "", "431.25", "99999999999", "1e3", None]
NO_DAYS = ["end of May", "ASAP", "31/05/2024", "2024-02-30", "", None]

TYPED: list[list[tuple[str, str, dict[Any, Any]]]] = [
    [],
    [("sequence", "sg_due", {"2024-05-31": date(2024, 5, 31), **dict.fromkeys(NO_DAYS)})],
    [
        ("shot", "sg_cut_in", {"12": 12, " 7 ": None, "-3": -3, **dict.fromkeys(NO_NUMBERS)}),
        ("shot", "sg_turnover", {"34": 34, **dict.fromkeys(["wk 34", "2024-08-19", "2024-02-30"])}),
        ("shot", "sg_handle_seconds", {8: 8.0, -1: -1.0, None: None}),
        ("asset", "sg_hero", {"yes": True, "true": True, "no": False, "0": False, "x": None, None: None}),
    ],
    [
        ("asset", "sg_build_number", {12: "12", -5: "-5", None: None}),
        ("asset", "sg_poly_limit_k", {120.0: 120, 0.5: None, 3000000000.0: None, None: None}),
        ("task", "sg_bid_code", {"14": 14, **dict.fromkeys(["B-014", "14/2", None])}),
        ("task", "sg_client_approved", {True: "true", False: "false", None: None}),
        (
            "version",
            "sg_client_review",
            {
                date(2025, 1, 31): datetime(2025, 1, 31, tzinfo=timezone.utc),
                date(2024, 2, 29): datetime(2024, 2, 29, tzinfo=timezone.utc),
                None: None,
            },
        ),
    ],
    [
        ("asset", "sg_cost", {Decimal("1234.56"): 1234.56, Decimal("-0.01"): -0.01, None: None}),
        (
            "project",
            "sg_delivery",
            {NIGHT: DAY, NIGHT.replace(minute=59, second=59, microsecond=500000): DAY, None: None},
        ),
        ("custom_entity07", "sg_serial", {"007": 7, "K-7": None, None: None}),
    ],
    [
        ("asset", "sg_build_number", {"12": 12, "12b": None, "007": 7, None: None}),
        ("task", "sg_progress", {40: 40.0, 130: 130.0, None: None}),
        ("version", "sg_client_review", {NIGHT: DAY, datetime(2024, 2, 29, tzinfo=timezone.utc): date(2024, 2, 29)}),
    ],
]
"""What people had typed before each step, and what becomes of it: column by column, value by value."""

FIRST_TYPED = 70_000
"""The ids of the rows with the typed values begin here."""


def type_in(oracle: Oracle, step: int) -> None:
    """Rows with the values of `TYPED`, and what must become of them."""
    rows: dict[str, dict[int, dict[str, Any]]] = {}
    for table, column, values in TYPED[step]:
        for number, (before, after) in enumerate(values.items(), FIRST_TYPED + 100 * step):
            rows.setdefault(table, {}).setdefault(number, {})[column] = before
            oracle.expect(table, number, column, after)
    for table, written in rows.items():
        oracle.write(table, written)


def expect_whole_numbers(oracle: Oracle, table: str, column: str) -> None:
    """Every text that is a whole number of 32 bits is carried over, every other becomes NULL."""
    for key, text in oracle.values(table, column).items():
        whole = text is not None and re.fullmatch("-?[0-9]{1,18}", text) is not None
        number = int(text) if whole else None
        oracle.expect(table, key, column, number if number is not None and abs(number) < 2**31 else None)
