"""How full fields are, counted on every engine."""

from __future__ import annotations

import json
from pathlib import Path

from engines import Databases
from sites import site
from studio import Studio


def used(databases: Databases, engine_name: str, tmp_path: Path) -> Studio:
    studio = Studio(tmp_path / "project", databases.new(engine_name))
    shot = {
        "code": "text Shot Code", "project": "entity:Project", "updated_at": "date_time", "sg_empty": "text Empty",
        "sg_one": "number One", "sg_both": "list Both", "sg_tags": "multi_entity:Tag",
        "sg_lead": "entity:HumanUser",
    }  # fmt: skip
    studio.follow(site(Shot=shot, Project={"name": "text"}, Tag={"name": "text"}, HumanUser={"sg_desk": "text"}), "r1")
    studio.upgrade()
    studio.execute("INSERT INTO human_user (id, sg_desk) VALUES (7, 'by the window')")
    columns = "id, code, project_id, project_type, updated_at, sg_one, sg_both, sg_lead_id, retired_at"
    for row in (
        "1, 'a', 1, 'Project', '2026-01-01 10:00:00', 5, 'x', 7, NULL",
        "2, 'b', 1, 'Project', '2026-01-03 10:00:00', NULL, 'x', NULL, NULL",
        "3, 'c', 2, 'Project', '2026-01-02 10:00:00', NULL, 'y', NULL, NULL",
        "4, 'd', 2, 'Project', '2026-01-09 10:00:00', 9, NULL, 7, '2026-01-10 10:00:00'",
    ):
        studio.execute(f"INSERT INTO shot ({columns}) VALUES ({row})")
    for row in ("1, 'Tag', 1", "1, 'Tag', 2", "3, 'Tag', 1", "4, 'Tag', 1"):
        studio.execute(f"INSERT INTO shot__sg_tags (owner_id, linked_type, linked_id) VALUES ({row})")
    return studio


def test_what_is_counted(databases: Databases, engine_name: str, tmp_path: Path) -> None:
    studio = used(databases, engine_name, tmp_path)
    result = studio.sg_migrate("usage", "--all", "--format", "json")
    assert result.exit_code == 0, result.output
    found = {one["place"]: one for one in json.loads(result.stdout)}
    assert {one["records"] for place, one in found.items() if place.startswith("Shot.")} == {3}
    counted = {place: (one["filled"], one["projects"], one["last_written"][:10]) for place, one in found.items()}
    assert counted["Shot.sg_empty"] == (0, {}, "")
    assert counted["Shot.sg_one"] == (1, {"1": 1}, "2026-01-01")
    assert counted["Shot.sg_both"] == (3, {"1": 2, "2": 1}, "2026-01-03")
    assert counted["Shot.sg_lead"] == (1, {"1": 1}, "2026-01-01")
    assert counted["Shot.sg_tags"] == (2, {"1": 1, "2": 1}, "")
    assert counted["HumanUser.sg_desk"] == (1, {"null": 1}, "")
    assert counted["Project.name"] == (0, {}, "")


def test_what_could_go(databases: Databases, tmp_path: Path) -> None:
    studio = used(databases, "sqlite", tmp_path)
    result = studio.sg_migrate("usage")
    assert result.exit_code == 0, result.output
    lines = result.stdout.splitlines()
    assert [line.split()[0] for line in lines[:-1]] == ["Shot.sg_empty", "Shot.sg_lead", "Shot.sg_one"]
    assert "1 of 3 (33 %), in project 1 only, last written 2026-01-01" in lines[2]
    assert lines[-1].startswith("3 fields of ")


def test_without_a_warehouse(tmp_path: Path) -> None:
    studio = Studio(tmp_path / "project")
    studio.follow(site(Shot={"code": "text"}), "r1")
    result = studio.sg_migrate("usage")
    assert result.exit_code == 1
    assert "there is no such file" in str(result.exception)
