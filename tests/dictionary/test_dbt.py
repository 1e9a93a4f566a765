"""dbt itself reads the sources that a dictionary writes, and runs their tests on the warehouse."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest
from hostile import HOSTILE
from sites import REAL, SAMPLES, field, site
from studio import Studio

from sg_migrate import Field, Settings, load_schema
from sg_migrate.dictionary.collect import schema_dictionary
from sg_migrate.reports import dictionary_formats

pytestmark = pytest.mark.long

PROFILE = """
warehouse:
  target: here
  outputs:
    here: {{type: sqlite, threads: 1, database: database, schema: main, schema_directory: {folder},
           schemas_and_paths: {{main: {path}}}}}
"""
PROJECT = "name: warehouse\nversion: '1.0.0'\nconfig-version: 2\nprofile: warehouse\nmodel-paths: [models]\n"


@pytest.fixture(scope="module")
def dbt(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """dbt's program, in an environment of its own: it wants other versions of what we use."""
    folder = tmp_path_factory.mktemp("dbt")
    subprocess.run([sys.executable, "-m", "venv", str(folder)], check=True)
    subprocess.run([str(folder / "bin" / "pip"), "install", "-q", "dbt-core>=1.10,<1.12", "dbt-sqlite"], check=True)
    return folder / "bin" / "dbt"


def run(dbt: Path, folder: Path, sources: str, database: Path, *command: str, fails: bool = False) -> str:
    (folder / "models").mkdir(parents=True, exist_ok=True)
    (folder / "models" / "sources.yml").write_text(sources, encoding="utf-8")
    (folder / "dbt_project.yml").write_text(PROJECT)
    (folder / "profiles.yml").write_text(PROFILE.format(folder=folder, path=database))
    arguments = [str(dbt), "--no-send-anonymous-usage-stats", *command, "--profiles-dir", ".", "--project-dir", "."]
    done = subprocess.run(arguments, cwd=folder, capture_output=True, text=True)
    assert bool(done.returncode) == fails, done.stdout + done.stderr
    return done.stdout


@pytest.mark.parametrize("path", [SAMPLES[4], *REAL[-1:]], ids=lambda path: path.stem)
def test_dbt_parses_the_sources(dbt: Path, tmp_path: Path, path: Path) -> None:
    sources = dictionary_formats.dbt(schema_dictionary(load_schema(path).schema, Settings()), "main")
    said = run(dbt, tmp_path / "project", sources, tmp_path / "none.db", "parse", "--warn-error")
    assert "Error" not in said


def test_their_tests_hold_on_the_warehouse_and_find_what_is_wrong(dbt: Path, tmp_path: Path) -> None:
    kinds = field("Shot.sg_kind", "list Kind", valid_values=("it's", "plain"))
    hostile = field("Shot.sg_x", name=HOSTILE, description=HOSTILE)
    shot: dict[str, str | Field] = {
        "code": "text",
        "sg_kind": kinds,
        "sg_x": hostile,
        "sg_seq": "entity:Sequence Sequence",
        "assets": "multi_entity:Asset Assets",
    }
    schema = site(Shot=shot, Sequence={"code": "text"}, Asset={"code": "text"})
    database = tmp_path / "warehouse.db"
    studio = Studio(tmp_path / "studio", f"sqlite:///{database}")
    studio.follow(schema, "r1")
    studio.upgrade()
    studio.execute("INSERT INTO sequence (id, code) VALUES (1, 'a')")
    studio.execute("INSERT INTO shot (id, sg_kind, sg_seq_id) VALUES (1, 'it''s', 1), (2, 'plain', NULL)")
    studio.execute("INSERT INTO shot__assets (owner_id, linked_type, linked_id) VALUES (1, 'Asset', 7)")
    sources = studio.sg_migrate("dictionary", "-", "--format", "dbt").stdout
    said = run(dbt, tmp_path / "project", sources, database, "test")
    assert "ERROR=0" in said
    assert "PASS=9" in said, said
    studio.execute("UPDATE shot SET sg_kind = 'other', sg_seq_id = 5")
    wrong = run(dbt, tmp_path / "project", sources, database, "test", fails=True)
    assert "ERROR=2" in wrong or "FAIL 1" in wrong
    assert "accepted_values_shotgrid_shot_sg_kind" in wrong
    assert "relationships_shotgrid_shot_sg_seq_id" in wrong or "source_relationships" in wrong
