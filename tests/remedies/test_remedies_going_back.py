"""A downgrade that would lose values: refused before anything, and done with the setting that the message names."""

from __future__ import annotations

from pathlib import Path

import pytest
from carried import refused, settings_in
from engines import Databases
from sites import site
from structure import diff_structure
from studio import Studio

from sg_migrate.errors import DiscardError

ENGINES = ["sqlite", "postgresql", "mariadb"]
LONG, EXACTLY = "x" * 300, "ä" * 255
FIRST = {"sg_cut": "text", "sg_lead": "entity:Asset", "sg_plates": "multi_entity:Asset", "sg_kind": "list"}
NEXT = {
    "0002": {"sg_cut": "number"},
    "0003": {"sg_lead": "multi_entity:Asset"},
    "0004": {"sg_plates": "entity:Asset"},
    "0005": {"sg_kind": "text"},
    "0006": {"sg_kind": "number"},
}
"""What each revision changes: a conversion, links both ways, and a text that grows and then becomes a number."""
LINKS = "SELECT owner_id, linked_id FROM shot__sg_plates ORDER BY linked_id"
ROWS = "SELECT id, code, sg_cut, sg_lead_id, sg_kind FROM shot ORDER BY id"


@pytest.fixture(scope="module")
def project(tmp_path_factory: pytest.TempPathFactory) -> Studio:
    """The revisions, the same for every engine; the last gives the table another name."""
    studio = Studio(tmp_path_factory.mktemp("back") / "project")
    fields = {"code": "text", **FIRST}
    studio.follow(site(Shot=fields, Asset={}), "0001")
    for rev_id, changed in NEXT.items():
        fields |= changed
        studio.follow(site(Shot=fields, Asset={}), rev_id)
    studio.configure(entity_names="Shot=plan")
    studio.follow(site(Shot=fields, Asset={}), "0007")
    return studio


@pytest.fixture(params=ENGINES)
def studio(request: pytest.FixtureRequest, databases: Databases, tmp_path: Path, project: Studio) -> Studio:
    """The first revision, with rows."""
    studio = project.copy(tmp_path / "project", databases.new(request.param))
    studio.upgrade("0001")
    studio.execute(
        "INSERT INTO shot (id, code, sg_cut, sg_lead_id, sg_lead_type, sg_kind) VALUES"
        " (1, 'a', '12', 7, 'Asset', 'k'), (2, 'b', '12 frames', NULL, NULL, '5'), (3, 'c', NULL, NULL, NULL, NULL)",
        "INSERT INTO shot__sg_plates (owner_id, linked_type, linked_id) VALUES (1, 'Asset', 7), (1, 'Asset', 8)",
    )
    return studio


def go_back(studio: Studio, target: str, *named: str) -> None:
    """Refused, and then as the message says."""
    said = refused(studio, DiscardError, lambda: studio.downgrade(target))
    assert [word for word in named if word not in said] == []
    studio.downgrade(target, *settings_in(said))


def test_step_by_step(studio: Studio) -> None:
    """Each kind of value that was written since, by itself; all others come back as they were."""
    first, rows, links = studio.structure(), studio.rows(ROWS), studio.rows(LINKS)
    studio.upgrade("0005")
    studio.execute(
        f"UPDATE shot SET sg_kind = '{LONG}' WHERE id = 2",
        f"UPDATE shot SET sg_kind = '{EXACTLY}' WHERE id = 3",
        "UPDATE shot SET sg_plates_id = 9, sg_plates_type = 'Asset' WHERE id = 1",
        "INSERT INTO shot__sg_lead (owner_id, linked_type, linked_id) VALUES (1, 'Asset', 8), (2, 'Asset', 9)",
        "UPDATE shot SET sg_cut = 13 WHERE id = 2",
    )
    go_back(studio, "0004", "shot.sg_kind: going back would lose 1 values")
    assert studio.rows("SELECT sg_kind FROM shot ORDER BY id") == [("k",), (None,), (EXACTLY,)]
    go_back(studio, "0003", "shot.sg_plates_id: going back would lose 1 values")
    assert studio.rows(LINKS) == links
    go_back(studio, "0002", "shot__sg_lead: going back would lose 2 values")
    go_back(studio, "0001", "shot.sg_cut: going back would lose 1 values")
    assert diff_structure(first, studio.structure()) == []
    assert [row[:4] for row in studio.rows(ROWS)] == [row[:4] for row in rows]
    studio.upgrade()
    studio.check()


def test_several_steps_at_once(studio: Studio) -> None:
    """The text that is too long lies in another column and another table by now."""
    first, rows = studio.structure(), studio.rows(ROWS)
    studio.upgrade("0005")
    studio.execute(f"UPDATE shot SET sg_kind = '{LONG}' WHERE id = 2")
    studio.upgrade()
    go_back(studio, "0001", "plan.sg_kind__was_text: going back would lose 1 values")
    assert diff_structure(first, studio.structure()) == []
    assert studio.rows(ROWS) == [rows[0], (*rows[1][:4], None), rows[2]]
    studio.upgrade()
    studio.check()
    studio.execute("UPDATE plan SET sg_cut = 13 WHERE id = 3")
    go_back(studio, "base", "would lose 1 values")
    assert studio.structure()["tables"] == {}
    studio.upgrade()
    studio.check()
