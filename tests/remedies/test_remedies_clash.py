"""Something of other people's under a name that the site's tables want: every remedy of the message, on each engine."""

from __future__ import annotations

from pathlib import Path

import pytest
from carried import commands_in, contents, refused, settings_named, type_in
from engines import Databases
from sites import site
from structure import raw_connection
from studio import Studio, environment
from testsite import LocalSite

from sg_migrate.errors import ClashError

ENGINES = ["sqlite", "postgresql", "mariadb"]
SITE = site(Shot={"code": "text", "assets": "multi_entity:Asset"}, Asset={"code": "text"})
THEIRS = {
    "asset": "theirs",
    "shot__assets": "theirs too",
    "sg_catalog_field": "and this",
}
"""Their tables, each with a row."""
REMEDIES = {
    "table_prefix": {"table_prefix": "sg_"},
    "entity_names": {"entity_names": "Asset=prop Shot=plan"},
    "exclude": {"exclude": "Asset Shot.assets"},
    "schema": {"schema": "shotgrid"},
}
"""What each setting can be where the site's tables stand in the way."""
VERSIONS = "CREATE TABLE alembic_version (version_num VARCHAR(32) NOT NULL PRIMARY KEY)"
OF_THE_CATALOG = {"catalog_entity": "about_types", "catalog_field": "about_fields"}


def in_the_way(url: str, *names: str) -> None:
    with raw_connection(url) as connection:
        for name in names:
            connection.exec_driver_sql(f"CREATE TABLE {name} (id INTEGER PRIMARY KEY, label VARCHAR(80))")
            connection.exec_driver_sql(f"INSERT INTO {name} VALUES (1, '{THEIRS[name]}')")


@pytest.mark.parametrize("engine", ENGINES)
def test_tables_of_the_same_name(engine: str, databases: Databases, tmp_path: Path) -> None:
    studio = Studio(tmp_path / "project", databases.new(engine))
    in_the_way(studio.url, *THEIRS)
    if engine == "mariadb":  # Alembic makes its table before it asks anybody, and here nothing takes it back
        studio.execute(VERSIONS)
    studio.take(SITE)
    said = refused(studio, ClashError, studio.revise)
    assert refused(studio, ClashError, studio.check) == said
    assert settings_named(said) == REMEDIES.keys() | OF_THE_CATALOG.keys()
    before = contents(studio.url)
    for name, settings in REMEDIES.items():
        if name == "schema" and engine != "postgresql":
            continue
        others = {} if name == "schema" else {"catalog_field": OF_THE_CATALOG["catalog_field"]}
        studio.configure(**settings, **others)
        made = studio.revise()
        assert made is not None, name
        studio.upgrade()
        studio.check()
        assert {n: studio.value(f"SELECT label FROM {n}") for n in THEIRS} == THEIRS, name
        studio.downgrade("base")
        made.unlink()
        if engine != "mariadb":
            studio.execute(f"DROP TABLE {'shotgrid.' if name == 'schema' else ''}alembic_version")
        assert contents(studio.url) == before, name


@pytest.mark.parametrize("setting", OF_THE_CATALOG)
def test_a_table_of_the_catalog(setting: str, databases: Databases, tmp_path: Path) -> None:
    studio = Studio(tmp_path / "project", databases.new("sqlite"))
    studio.execute(f"CREATE TABLE sg_{setting} (id INTEGER)")
    studio.take(SITE)
    assert setting in settings_named(refused(studio, ClashError, studio.revise))
    studio.configure(**{setting: OF_THE_CATALOG[setting]})
    studio.apply()


@pytest.mark.parametrize("engine", ENGINES)
def test_a_column_of_the_same_name(engine: str, databases: Databases, tmp_path: Path) -> None:
    studio = Studio(tmp_path / "project", databases.new(engine))
    studio.follow(SITE, "0001")
    studio.upgrade()
    studio.execute(
        "ALTER TABLE shot ADD COLUMN sg_day VARCHAR(20)", "INSERT INTO shot (id, sg_day) VALUES (1, 'Monday')"
    )
    studio.take(site(Shot={"code": "text", "assets": "multi_entity:Asset", "sg_day": "date"}, Asset={"code": "text"}))
    said = refused(studio, ClashError, studio.revise)
    assert settings_named(said) == {"exclude"}
    studio.configure(exclude="Shot.sg_day")
    studio.check()
    studio.configure()
    assert said.endswith("or give the column that is there another name.")
    studio.execute("ALTER TABLE shot RENAME COLUMN sg_day TO weekday")
    studio.apply()
    assert studio.rows("SELECT sg_day, weekday FROM shot") == [(None, "Monday")]


@pytest.mark.parametrize("engine", ["sqlite", "postgresql"])
def test_a_warehouse_that_shotgrid_orm_made(engine: str, databases: Databases, tmp_path: Path) -> None:
    url = databases.new(engine)
    studio = Studio(tmp_path / "project", url, naming="shotgrid")
    studio.execute('CREATE TABLE "Asset" (id BIGINT NOT NULL, code VARCHAR, PRIMARY KEY (id))')
    studio.execute("""INSERT INTO "Asset" VALUES (1, 'a')""")
    studio.take(SITE)
    (command,) = commands_in(refused(studio, ClashError, studio.revise))
    words = {"FOLDER": "warehouse", "URL": url}
    with LocalSite(SITE) as live, environment(**live.environment):
        type_in(tmp_path, *(words.get(word, word) for word in command))
    adopted = Studio.at(tmp_path / "warehouse", url)
    assert adopted.rows('SELECT "id", "code" FROM "Asset"') == [(1, "a")]
    adopted.apply()
    assert adopted.rows('SELECT "id", "code" FROM "Asset"') == [(1, "a")]
