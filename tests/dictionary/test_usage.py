"""How full fields are, counted on every engine."""

from __future__ import annotations

import json
from pathlib import Path

import sqlalchemy as sa
from engines import Databases
from sites import site
from studio import Studio

from sg_migrate import SiteSchema
from sg_migrate.database.usage import usage


def used(databases: Databases, engine_name: str, tmp_path: Path) -> Studio:
    studio = Studio(tmp_path / "project", databases.new(engine_name))
    shot = {
        "code": "text Shot Code", "project": "entity:Project", "updated_at": "date_time", "sg_empty": "text Empty",
        "sg_one": "number One", "sg_both": "list Both", "sg_tags": "multi_entity:Tag",
        "sg_lead": "entity:HumanUser",
    }  # fmt: skip
    studio.follow(
        site(Shot=shot, Project={"name": "text"}, Tag={"sg_kind": "text"}, HumanUser={"sg_desk": "text"}), "r1"
    )
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
    assert counted["Shot"] == (3, {"1": 2, "2": 1}, "2026-01-03")
    assert found["Shot.sg_both"]["values"] == [["x", 2], ["y", 1]]
    assert not any(one["values"] for place, one in found.items() if place != "Shot.sg_both")
    assert counted["Tag.sg_kind"] == (0, {}, "")


def test_what_could_go(databases: Databases, tmp_path: Path) -> None:
    """Not ``Tag.sg_kind``: of what has no records nobody can tell."""
    studio = used(databases, "sqlite", tmp_path)
    result = studio.sg_migrate("usage")
    assert result.exit_code == 0, result.output
    lines = result.stdout.splitlines()
    assert [line.split()[0] for line in lines[:-1]] == ["Shot.sg_empty", "Shot.sg_lead", "Shot.sg_one"]
    assert "1 of 3 (33 %), in project 1 only, last written 2026-01-01" in lines[2]
    assert lines[-1] == "3 of 15 entity types and fields"


def test_a_bounded_number_of_queries(databases: Databases, tmp_path: Path) -> None:
    """One for each table, and one more for all lists of an entity type, however many fields there are."""
    lists = {f"sg_{number}": "list" for number in range(40)}
    studio = Studio(tmp_path / "project", databases.new("sqlite"))
    studio.follow(site(Shot={"sg_tags": "multi_entity:Tag", "sg_x": "text", **lists}, Tag={"code": "text"}), "r1")
    studio.upgrade()
    asked: list[str] = []
    with studio.project().database() as (database, _):
        assert database is not None
        sa.event.listen(database.connection, "before_cursor_execute", lambda *told: asked.append(told[2]))
        assert len([*usage(database.connection, studio.built, SiteSchema())]) == 45
    assert len([one for one in asked if one.startswith("SELECT")]) == 4


def custom(databases: Databases, engine_name: str, tmp_path: Path) -> Studio:
    """A warehouse of which two fields and two entity types go."""
    studio = Studio(tmp_path / "project", databases.new(engine_name))
    shot = {"code": "text", "project": "entity:Project", "sg_old": "text Old", "sg_links": "multi_entity:Shot Links",
            "updated_at": "date_time"}  # fmt: skip
    kit = {"code": "text", "project": "entity:Project"}
    studio.follow(site(Shot=shot, CustomEntity07=kit, CustomEntity08=kit, Project={"name": "text"}), "r1")
    studio.upgrade()
    for number in (1, 2, 3):
        old = "'x'" if number < 3 else "NULL"
        studio.execute(
            "INSERT INTO shot (id, sg_old, project_id, project_type, updated_at) VALUES"
            f" ({number}, {old}, 7, 'Project', '2026-01-0{number} 00:00:00')"
        )
    studio.execute(
        "INSERT INTO shot__sg_links (owner_id, linked_type, linked_id) VALUES (1, 'Shot', 2), (1, 'Shot', 3)"
    )
    studio.execute("INSERT INTO custom_entity07 (id, project_id, project_type) VALUES (5, 7, 'Project')")
    studio.follow(site(Shot={"code": "text", "project": "entity:Project", "updated_at": "date_time"},
                       Project={"name": "text"}), "r2")  # fmt: skip
    return studio


def test_the_review_says_how_what_retires_is_used(databases: Databases, engine_name: str, tmp_path: Path) -> None:
    studio = custom(databases, engine_name, tmp_path)
    said = studio.sg_migrate("review", "r2", "--details").stdout
    assert '"Old"; 2 of 3 (67 %), in project 7 only, last written 2026-01-02 00:00:00' in said
    assert '"Links"; 1 of 3 (33 %), in project 7 only' in said
    assert "1 record, in project 7 only" in said
    assert "0 records" in said
    shown = json.loads(studio.sg_migrate("review", "r2", "--format", "json").stdout)
    uses = {one["entity_type"] + "." + (one["field"] or ""): one["use"] for one in shown["revisions"][0]["changes"]}
    assert uses["Shot.sg_old"]["filled"] == 2
    assert uses["CustomEntity07."]["projects"] == {"7": 1}
    for format_ in ("markdown", "html"):
        assert "2 of 3 (67 %), in project 7 only" in studio.sg_migrate("review", "r2", "--format", format_).stdout
    studio.upgrade()
    assert "2 of 3" not in studio.sg_migrate("review", "r2", "--details").stdout, "the database has it already"


def test_the_dictionary_says_how_what_there_is_is_used(databases: Databases, engine_name: str, tmp_path: Path) -> None:
    studio = used(databases, engine_name, tmp_path)
    asks = ("dictionary", "-", "--url", studio.url)
    found = json.loads(studio.sg_migrate(*asks, "--format", "json").stdout)
    fields = {one["code"]: one for one in found["entities"]["Shot"]["fields"]}
    assert fields["sg_both"]["use"]["values"] == [["x", 2], ["y", 1]]
    assert fields["sg_tags"]["use"]["filled"] == 2
    assert found["entities"]["Shot"]["use"]["records"] == 3
    page = studio.sg_migrate(*asks).stdout
    assert '<p class="use idle">0 of 3 (0 %)' in page
    assert '<code>x</code> not offered any more <span class="dim">(2)</span>' in page
    assert "3 of 3 (100 %), in 2 projects" in studio.sg_migrate(*asks, "--format", "markdown").stdout
    assert 'class="use' not in studio.sg_migrate("dictionary", "-").stdout
    assert studio.sg_migrate("dictionary", "-", "--url", "sqlite:///nowhere.db").exit_code == 1
    assert studio.sg_migrate(*asks, "--from", "x.json").exit_code == 2


def test_without_a_warehouse(tmp_path: Path) -> None:
    studio = Studio(tmp_path / "project")
    studio.follow(site(Shot={"code": "text"}), "r1")
    result = studio.sg_migrate("usage")
    assert result.exit_code == 1
    assert "there is no such file" in str(result.exception)
