"""The reports of every step of sample_schemas, compared whole."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from golden import assert_golden
from markdowncheck import tables
from reviewed import Reviewed
from sites import SAMPLES
from studio import working_directory

from sg_migrate.reports import html, markdown
from sg_migrate.reports.json_report import json_report
from sg_migrate.reports.review_document import review_document
from sg_migrate.reports.text import text_report
from sg_migrate.site.sources import load_schema

GOLDEN = Path(__file__).parent / "golden"
STEPS = [path.stem for path in SAMPLES]
DIALECTS = {"text": "sqlite", "md": "postgresql", "json": "mysql"}
"""Each format shows another dialect's rules."""


@pytest.fixture(scope="module")
def reports(tmp_path_factory: pytest.TempPathFactory) -> dict[tuple[str, str], str]:
    """Every report of every step, made while the snapshot is that step's."""
    folder = tmp_path_factory.mktemp("golden") / "studio"
    found: dict[tuple[str, str], str] = {}
    made = Reviewed(folder)
    for number, path in enumerate(SAMPLES, start=1):
        made.follow(load_schema(path).schema, f"r{number}")
        with working_directory(folder):
            for format_ in DIALECTS:
                found[path.stem, format_] = report(made, f"r{number}", format_)
    return found


def report(made: Reviewed, revision: str, format_: str) -> str:
    result = made.review(revision, DIALECTS[format_])
    if format_ == "text":
        return "\n".join(line.rstrip() for line, _ in text_report([result], details=True)) + "\n"
    if format_ == "json":
        return json_report([result]) + "\n"
    assert html.render(review_document([result])).startswith("<!DOCTYPE html>")
    return markdown.render(review_document([result])) + "\n"


@pytest.mark.parametrize("step", STEPS)
@pytest.mark.parametrize("format_", DIALECTS)
def test_the_report_is_the_golden_one(step: str, format_: str, reports: dict[tuple[str, str], str]) -> None:
    assert_golden(GOLDEN / f"{step}.{format_.replace('text', 'txt')}", reports[step, format_])


@pytest.mark.parametrize("step", STEPS)
def test_no_step_is_destructive(step: str, reports: dict[tuple[str, str], str]) -> None:
    assert json.loads(reports[step, "json"])["level"] in ("safe", "visible")


@pytest.mark.parametrize("step", range(1, len(STEPS)))
def test_the_reports_say_what_happened_on_the_site(step: int, reports: dict[tuple[str, str], str]) -> None:
    """The truth about each step is written by hand, and shares no code with the product."""
    truth = json.loads((Path(__file__).parent.parent / "samples" / "expected_changes.json").read_text())["steps"][
        step - 1
    ]
    changes = json.loads(reports[STEPS[step], "json"])["revisions"][0]["changes"]
    said = {(f"{c['entity_type']}.{c['field']}" if c["field"] else c["entity_type"], c["sign"]) for c in changes}
    places = {place for place, _ in said}
    nothing = {"pivot_column", "summary", "password"}  # the API returns nothing of these
    for place, data_type in truth["fields_added"].items():
        assert (place, "+") in said or data_type in nothing
    for place, data_type in truth["fields_vanished"].items():
        # A link table retires with its entity type already, and does not come back with it.
        came_back = place.partition(".")[0] in truth["entity_types_returned"] and data_type == "multi_entity"
        assert (place, "-") in said or data_type in nothing or came_back
    for place, (old, new) in truth["fields_retyped"].items():
        assert (place, "~") in said or nothing & {old, new}
    for entity_type in truth["entity_types_added"]:
        assert (entity_type, "+") in said
    for entity_type in truth["entity_types_vanished"]:
        assert (entity_type, "-") in said
    known = {*truth["fields_added"], *truth["fields_vanished"], *truth["fields_retyped"], *truth["fields_returned"]}
    known |= {*truth["entity_types_added"], *truth["entity_types_vanished"], *truth["entity_types_returned"]}
    known |= {*truth["properties"], *truth["entity_type_names"], *truth["display_names"]}
    assert places <= known


@pytest.mark.parametrize("step", STEPS)
def test_every_table_of_the_markdown_renders(step: str, reports: dict[tuple[str, str], str]) -> None:
    text = reports[step, "md"]
    assert len(text) < 65_536
    headers = sum(1 for line in text.splitlines() if line.startswith("| --- "))
    assert len(tables(text)) == headers > 0
