"""`alembic upgrade --sql`: the script, run by the engine's own client, builds what the online upgrade builds."""

from __future__ import annotations

import shutil
import subprocess
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa
from engines import Databases
from oracle import Oracle
from sites import SAMPLES, changed, site
from structure import diff_structure, raw_connection, snapshot_structure
from studio import Studio

from sg_migrate import SiteSchema

HOSTILE = '100 % of %(this)s and %s; it\'s "quoted" \\ back\\n, :colon :name, -- no comment, /* nor here */ $$ ${x} {y}'
FIRST = site(Shot={"code": "list", "cut": "text Cut", "when": "text", "asset": "entity:Asset"}, Asset={"code": "text"})
SECOND = site(
    Shot={"code": "text", "cut": "number Cut", "when": "date", "asset": "multi_entity:Asset", "new": "float"},
    Asset={"code": "text", "shot": "entity:Shot"},
)
ENGINES = ["postgresql", "postgresql-new", "mariadb", "mysql"]


def hostile(schema: SiteSchema) -> SiteSchema:
    """The site with descriptions that a script may stumble over."""
    for field in schema.fields():
        schema = changed(schema, f"{field.entity_type}.{field.code}", description=HOSTILE)
    return schema


def run_script(url: str, script: str) -> None:
    """Run a script in the engine's client, which stops at the first error."""
    finished = subprocess.run(client(sa.make_url(url)), input=script, capture_output=True, text=True, encoding="utf-8")
    assert finished.returncode == 0, finished.stderr[-2000:]


def client(url: sa.URL) -> list[str]:
    """The command line of the engine's own client."""
    plain = url.set(drivername=url.get_backend_name(), query={})
    if plain.drivername == "postgresql":
        command = ["psql", "--no-psqlrc", "--quiet", "--set=ON_ERROR_STOP=1", plain.render_as_string()]
    else:
        place = ["--protocol=tcp", f"--host={url.host}", f"--port={url.port}", f"--user={url.username}"]
        command = ["mariadb", "--no-defaults", *place, "--default-character-set=utf8mb4", str(url.database)]
    if shutil.which(command[0]) is None:
        pytest.skip(f"{command[0]}, the client, is not installed")
    return command


def values(url: str) -> dict[str, list[Any]]:
    """Every row of every table but the catalog's, which a script leaves alone."""
    with raw_connection(url) as connection:
        names = [name for name in sa.inspect(connection).get_table_names() if not name.startswith("sg_c")]
        tables = [sa.Table(name, sa.MetaData(), autoload_with=connection, resolve_fks=False) for name in sorted(names)]
        return {t.name: sorted(map(repr, connection.execute(sa.select(t)).mappings())) for t in tables}


@pytest.mark.parametrize("engine_name", ENGINES)
def test_a_script_does_what_the_upgrade_does(tmp_path: Path, databases: Databases, engine_name: str) -> None:
    online, scripted = databases.new(engine_name), databases.new(engine_name)
    studio = Studio(tmp_path / "project", online, foreign_keys="true")
    studio.take(hostile(FIRST))
    studio.revise(rev_id="r1")
    studio.upgrade()
    run_script(scripted, studio.script(revision="r1"))
    for url in (online, scripted):
        Oracle(url, ignore=["sg_catalog_*"]).fill(rows_per_table=20)
    studio.take(hostile(SECOND))
    studio.revise(rev_id="r2")
    studio.upgrade()
    run_script(scripted, studio.script(revision="r1:r2"))
    assert diff_structure(snapshot_structure(online), snapshot_structure(scripted), column_order=True) == []
    comment = snapshot_structure(scripted)["tables"]["shot"]["columns"]["cut"]["comment"]
    assert comment == f"Cut: {HOSTILE}"
    assert values(online) == values(scripted)
    studio.check(url=scripted)


@pytest.mark.long
@pytest.mark.parametrize("engine_name", ENGINES)
def test_the_whole_story_as_one_script(tmp_path: Path, databases: Databases, engine_name: str) -> None:
    online, scripted = databases.new(engine_name), databases.new(engine_name)
    studio = Studio(tmp_path / "project", online)
    for state in SAMPLES:
        studio.take(state)
        studio.revise()
        studio.upgrade()
    run_script(scripted, studio.script())
    assert diff_structure(snapshot_structure(online, ignore=["sg_carry"]), snapshot_structure(scripted)) == []
    studio.check(url=scripted)
