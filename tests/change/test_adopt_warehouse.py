"""A warehouse that shotgrid_orm's ``create_all`` made, with rows in it, taken over: described, stamped, kept whole.

The tables are written by hand here, as shotgrid_orm 0.3 makes them of this site.
"""

from __future__ import annotations

import json
from pathlib import Path

import pytest
import sqlalchemy as sa
from engines import Databases
from in_process import run_here
from oracle import Name, Oracle
from sites import SAMPLES, site
from structure import Structure, diff_structure, snapshot_structure
from studio import Studio, execute, run
from testsite import raw_schema

from sg_migrate.database.adoption import describe
from sg_migrate.errors import AdoptError

SITE = site(
    Project={"name": "text Name"},
    HumanUser={"login": "text Login", "password_proxy": "password"},
    Task={"content": "text"},
    TaskDependency={"task": "entity:Task", "task_id": "number"},
    Shot={
        "code": "text Code",
        "project": "entity:Project Project",
        "created_by": "entity:HumanUser,ApiUser Created by",
        "created_at": "date_time Created",
        "assets": "multi_entity:Asset Assets",
        "notes": "multi_entity:Note,Task Notes",
        "to": "addressing",
        "sg_due": "date Due",
        "sg_cost": "currency",
        "sg_cut_in": "number",
        "sg_ratio": "float",
        "sg_flag": "checkbox",
        "sg_status_list": "status_list",
        "metadata": "text",
        "path": "url",
        "sg_uuid": "uuid",
        "sg_calc": "calculated",
    },
    CustomEntity01={"code": "text"},
)
DDL = """
CREATE TABLE "Project" (id BIGINT NOT NULL, name VARCHAR, PRIMARY KEY (id));
CREATE TABLE "HumanUser" (id BIGINT NOT NULL, login VARCHAR, password_proxy VARCHAR, PRIMARY KEY (id));
CREATE TABLE "Task" (content VARCHAR, id BIGINT NOT NULL, PRIMARY KEY (id));
CREATE TABLE "TaskDependency" (id BIGINT NOT NULL, task_id BIGINT, PRIMARY KEY (id),
  FOREIGN KEY (task_id) REFERENCES "Task" (id));
CREATE TABLE "Shot" (assets_ids VARCHAR, code VARCHAR, created_at {timestamp}, created_by_id BIGINT,
  created_by_type VARCHAR, id BIGINT NOT NULL, _metadata VARCHAR, notes_ids VARCHAR, notes_type VARCHAR, path VARCHAR,
  project_id BIGINT, sg_cost {double}, sg_cut_in INTEGER, sg_due VARCHAR, sg_flag BOOLEAN, sg_ratio {float},
  sg_status_list VARCHAR, "to" VARCHAR, PRIMARY KEY (id), FOREIGN KEY (project_id) REFERENCES "Project" (id));
CREATE TABLE invoice (id INTEGER NOT NULL PRIMARY KEY, project_id BIGINT REFERENCES "Project" (id));
CREATE INDEX by_code ON "Shot" (code)
"""
TYPES = {
    "sqlite": {"timestamp": "DATETIME", "double": "DOUBLE", "float": "FLOAT"},
    "postgresql": {"timestamp": "TIMESTAMP WITHOUT TIME ZONE", "double": "DOUBLE PRECISION", "float": "FLOAT"},
}
MOVED = {
    "_metadata": "metadata", "sg_due": "sg_due__was_text", "path": "path__was_text", "sg_cost": "sg_cost__was_float",
}  # fmt: skip
"""What becomes of columns of Shot."""


def made_by_shotgrid_orm(url: str, engine_name: str) -> Structure:
    execute(url, *DDL.format(**TYPES[engine_name]).split(";"))
    return snapshot_structure(url)


def schema_file(folder: Path) -> Path:
    """The site in shotgrid_orm's own format."""
    fields, entities = raw_schema(SITE)
    path = folder / "schema.json"
    path.write_text(json.dumps({code: {**entities[code], "fields": fields[code]} for code in entities}))
    return path


@pytest.mark.parametrize("engine_name", ["sqlite", "postgresql"])
def test_taken_over(tmp_path: Path, databases: Databases, engine_name: str) -> None:
    url = databases.new(engine_name)
    before = made_by_shotgrid_orm(url, engine_name)
    oracle = Oracle(url)
    oracle.fill()
    done = run(
        tmp_path, "sg-migrate", "init", "warehouse", "--adopt", "--from", str(schema_file(tmp_path)), "--url", url
    )
    assert "5 tables with 27 columns are taken over as they are" in done.stdout
    assert diff_structure(before, snapshot_structure(url, ignore=["alembic_version"])) == []
    studio = Studio.at(tmp_path / "warehouse", url)
    oracle.verify()

    text = studio.apply()
    added = {"project_type", "task_type", "metadata", "sg_due", "path", "sg_cost", "sg_uuid", "sg_calc", "retired_at"}
    for name, table in before["tables"].items():
        now = set(studio.structure()["tables"][name]["columns"])
        assert set(table["columns"]) - now == ({"_metadata"} if name == "Shot" else set()), name
        assert now - set(table["columns"]) <= added | set(MOVED.values()) | {"task_id_f51ebce9"}, name
    assert "op.drop" not in text.partition("def downgrade")[0]
    renamed: dict[Name, Name] = {("Shot", old): ("Shot", new) for old, new in MOVED.items()}
    oracle.verify(renamed=renamed)
    assert {"CustomEntity01", "Shot__assets", "Shot__notes", "Shot__to"} <= set(studio.built)
    assert "invoice" not in studio.built
    if engine_name == "postgresql":
        query = "SELECT data_type FROM information_schema.columns WHERE column_name = 'created_at'"
        assert studio.rows(query) == [("timestamp with time zone",)]

    fresh = databases.new(engine_name)
    for command in (["upgrade", "head"], ["check"]):  # a new database gets the tables by running the baseline
        run_here(studio.folder, "alembic", *command, env={"DATABASE_URL": fresh})
    theirs = {name for name in studio.structure()["tables"] if name != "invoice"}
    assert {name for name in snapshot_structure(fresh)["tables"] if name != "alembic_version"} == theirs


@pytest.mark.long
@pytest.mark.parametrize("engine_name", ["sqlite", "postgresql"])
def test_what_shotgrid_orm_really_makes(tmp_path: Path, databases: Databases, engine_name: str) -> None:
    url = databases.new(engine_name)
    sample = json.loads(SAMPLES[0].read_text("utf-8"))
    fields, entities = sample["schema_read"], sample["schema_entity_read"]
    schema = json.dumps({code: {**entities[code], "fields": fields[code]} for code in entities})
    (tmp_path / "schema.json").write_text(schema)
    create_all(schema, url)
    before = snapshot_structure(url)
    oracle = Oracle(url)
    oracle.fill()
    run(tmp_path, "sg-migrate", "init", "warehouse", "--adopt", "--from", "schema.json", "--url", url)
    assert diff_structure(before, snapshot_structure(url, ignore=["alembic_version"])) == []
    studio = Studio.at(tmp_path / "warehouse", url)
    columns = {(name, column) for name, table in before["tables"].items() for column in table["columns"]}
    assert {(t.name, c) for t in studio.built.values() for c in t.columns} == columns  # nothing was overlooked
    studio.apply()
    now = studio.structure()["tables"]
    moved: dict[Name, Name] = {
        (table, column): (table, next(c for c in now[table]["columns"] if c.startswith(f"{column}__was_")))
        for table, column in columns
        if any(c.startswith(f"{column}__was_") for c in now[table]["columns"])
    }
    moved |= {("PublishedFile", "_metadata"): ("PublishedFile", "_metadata__was_text")}
    assert oracle.verify(renamed=moved) > 1000
    studio.run("sg-migrate", "snapshot", "--from", str(SAMPLES[1]), "--accept-retirements")
    studio.apply()
    oracle.verify(renamed=moved | {("Sequence", "sg_due"): ("Sequence", "sg_due__was_text")})


def create_all(schema: str, url: str) -> None:
    """As the documentation of shotgrid_orm has it."""
    from shotgrid_orm import SGORM, SchemaType  # type: ignore[import-untyped]

    orm = SGORM(SchemaType.JSON_TEXT, schema, echo=False)
    engine = sa.create_engine(url, poolclass=sa.NullPool)
    orm.Base.metadata.create_all(engine)
    orm.session.close()
    orm.engine.dispose()


def test_the_baseline_runs_on_every_engine(tmp_path: Path, databases: Databases) -> None:
    url = databases.new("sqlite")
    made_by_shotgrid_orm(url, "sqlite")
    adopt = ["init", "warehouse", "--adopt", "--from", str(schema_file(tmp_path)), "--url", url]
    run_here(tmp_path, "sg-migrate", *adopt)
    studio = Studio.at(tmp_path / "warehouse", url)
    studio.apply()
    for engine in ("postgresql", "mariadb"):
        environment = {"DATABASE_URL": databases.new(engine)}
        for command in (["upgrade", "head"], ["check"], ["downgrade", "base"]):
            run_here(studio.folder, "alembic", *command, env=environment)


def test_what_cannot_be_taken_over_leaves_nothing_behind(tmp_path: Path, sqlite_url: str) -> None:
    schema = schema_file(tmp_path)
    arguments = ["sg-migrate", "init", "warehouse", "--adopt", "--url", sqlite_url]
    assert "There is no database" in run_here(tmp_path, *arguments, "--from", str(schema), fails=True).stderr
    assert not Path(sa.make_url(sqlite_url).database or "").exists()
    assert "--from FILE or --live" in run_here(tmp_path, *arguments, fails=True).stderr
    made_by_shotgrid_orm(sqlite_url, "sqlite")
    with pytest.raises(AdoptError, match="no table that is called as one of the site's entity types"):
        describe(sqlite_url, site(Nothing={}))
    execute(sqlite_url, "CREATE TABLE alembic_version (version_num VARCHAR(32) NOT NULL)")
    assert "history of revisions already" in run(tmp_path, *arguments, "--from", str(schema), fails=True).stderr
    assert not (tmp_path / "warehouse").exists()
