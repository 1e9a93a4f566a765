"""Settings that are refused: what the messages say to do, done."""

from __future__ import annotations

import io
import re
from collections.abc import Callable
from pathlib import Path

import alembic.command
import pytest
from alembic.config import Config
from carried import commands_in, contents, refused, says, type_in
from engines import Databases
from sites import site, without
from studio import Studio, environment, undisturbed

from sg_migrate.errors import (
    BuiltOtherwiseError,
    ImpossibleSettingError,
    SameNameError,
    SchemaChangedError,
    SettingsError,
    UnknownNameError,
    UnknownSettingError,
)

SITE = site(Shot={"code": "text", "sg_old": "text", "assets": "multi_entity:Asset"}, Asset={})


def filled(studio: Studio) -> Studio:
    studio.follow(SITE, "0001")
    studio.upgrade()
    studio.execute("INSERT INTO shot (id, code) VALUES (1, 'a')")
    return studio


@pytest.fixture
def studio(tmp_path: Path, sqlite_url: str) -> Studio:
    return Studio(tmp_path / "project", sqlite_url)


def in_step(studio: Studio, table: str = "shot") -> None:
    studio.check()
    assert studio.rows(f"SELECT id, code FROM {table}") == [(1, "a")]


# --- names and values


@pytest.mark.parametrize("place", ["alembic.ini", "pyproject.toml", "-x"])
def test_a_setting_that_there_is_not(studio: Studio, place: str) -> None:
    """The message names the nearest one that there is."""
    filled(studio)
    command: Callable[[], None] = studio.check
    if place == "alembic.ini":
        studio.configure(table_perfix="")
    elif place == "pyproject.toml":
        (studio.folder / "pyproject.toml").write_text('[tool.sg_migrate]\ntable_perfix = ""\n')
    else:
        command = lambda: studio.check("sg_table_perfix=")  # noqa: E731
    said = refused(studio, UnknownSettingError, command)
    assert said.endswith("no setting is called 'table_perfix'. Was it table_prefix?")
    studio.configure(table_prefix="")
    (studio.folder / "pyproject.toml").write_text('[tool.sg_migrate]\ntable_prefix = ""\n')
    studio.check("sg_table_prefix=")
    in_step(studio)


@pytest.mark.parametrize(
    ("setting", "wrong", "right"),
    [("include", "Shott", "Shot"), ("include", "Shot.cod", "Shot.code"), ("entity_names", "Shott=shot", "Shot=shot")],
)
def test_a_name_that_the_site_does_not_have(studio: Studio, setting: str, wrong: str, right: str) -> None:
    """The message names the nearest one that it has."""
    filled(studio)
    studio.configure(**{setting: wrong})
    said = refused(studio, UnknownNameError, studio.check)
    assert f"Was it {right.partition('=')[0]}?" in said
    studio.configure(**{setting: right})
    in_step(studio)


def test_a_pattern_that_means_nothing(studio: Studio) -> None:
    """The message says how one is written."""
    filled(studio)
    studio.configure(include="Shot..code")
    said = refused(studio, SettingsError, studio.check)  # PatternError, with the file and the key
    assert "include: pattern 'Shot..code': more than one dot; write ENTITY or ENTITY.FIELD." in said
    studio.configure(include="Shot.code Shot")
    in_step(studio)


@pytest.mark.parametrize(
    ("setting", "wrong", "right"),
    [("track", "nothing", ""), ("drift", "ask", ""), ("retire", "drop it", ""), ("lock_timeout", "soon", "0"),
     ("lock_timeout", "3000000", "2147483"), ("catalog", "perhaps", "true"), ("carry_inline_rows", "-1", "0"),
     ("table_prefix", "sg-", ""), ("entity_names", "Shot=a-b", ""), ("catalog_field", "x" * 64, "sg_catalog_field")],
)  # fmt: skip
def test_a_value_that_a_setting_cannot_have(studio: Studio, setting: str, wrong: str, right: str) -> None:
    """Whatever the message allows, works."""
    filled(studio)
    studio.configure(**{setting: wrong})
    said = refused(studio, ImpossibleSettingError, studio.check)
    allowed = re.search(r"must be one of (.*)\.$", said)
    for value in allowed[1].split(", ") if allowed else [right]:
        studio.configure(**{setting: value})
        in_step(studio)


def test_a_percent_sign_in_an_ini_file(studio: Studio) -> None:
    filled(studio)
    studio.configure(snapshot="100%.json")
    said = refused(studio, SettingsError, studio.check)
    assert said.endswith("snapshot: a % must be written as %%.")
    studio.snapshot.rename(studio.snapshot.with_name("100%.json"))
    studio.configure(snapshot="100%%.json")
    in_step(studio)


def test_no_database_is_set(studio: Studio) -> None:
    """Either of the two places that the message names."""
    filled(studio)
    text = studio.ini.read_text("utf-8")
    studio.ini.write_text(re.sub(r"(?m)^sqlalchemy\.url.*\n", "", text), "utf-8")

    def check() -> None:
        with undisturbed():
            alembic.command.check(Config(str(studio.ini), stdout=io.StringIO()))

    said = refused(studio, SettingsError, check)
    assert said == "No database is set: DATABASE_URL in the environment, or sqlalchemy.url in alembic.ini."
    with environment(DATABASE_URL=studio.url):
        check()
    studio.ini.write_text(text, "utf-8")
    check()
    in_step(studio)


def test_a_repair_without_a_database(studio: Studio) -> None:
    filled(studio)
    studio.execute("ALTER TABLE shot DROP COLUMN sg_old")
    said = refused(studio, SettingsError, says(studio, "revision", "-x", "sg_drift=repair"))
    ((program, *autogenerate),) = commands_in(said)
    type_in(studio.folder, program, "-x", "sg_drift=repair", *autogenerate, "-m", "repair")
    studio.upgrade()
    in_step(studio)


@pytest.mark.parametrize("engine", ["sqlite", "mariadb"])
def test_a_schema_where_there_are_none(engine: str, databases: Databases, tmp_path: Path) -> None:
    studio = filled(Studio(tmp_path / "project", databases.new(engine)))
    studio.configure(schema="shotgrid")
    assert "is for PostgreSQL" in refused(studio, SettingsError, studio.check)
    studio.configure()
    in_step(studio)


OWN = """
import sqlalchemy as sa
OWN = sa.MetaData()
sa.Table("shot", OWN, sa.Column("id", sa.Integer, primary_key=True))
"""


@pytest.mark.parametrize(
    "remedy", [{"table_prefix": "sg_"}, {"entity_names": "Shot=plan"}], ids=lambda remedy: next(iter(remedy))
)
def test_an_application_with_a_table_of_the_same_name(studio: Studio, remedy: dict[str, str]) -> None:
    env = studio.folder / "migrations" / "env.py"
    text = env.read_text("utf-8").replace("sg.options()", "sg.options(target_metadata=OWN)")
    env.write_text(text.replace("config = context.config\n", f"config = context.config\n{OWN}", 1), "utf-8")
    studio.take(SITE)
    said = refused(studio, SettingsError, studio.revise)
    assert next(iter(remedy)) in said.partition("other names: ")[2]
    studio.configure(**remedy)
    studio.apply()
    assert {"shot", "sg_shot" if "table_prefix" in remedy else "plan"} <= studio.structure()["tables"].keys()
    studio.configure(schema="shotgrid", **remedy)
    assert "use table_prefix." in refused(studio, SettingsError, studio.script)


# --- what is built otherwise


SAME = {
    "catalog_entity": ({"catalog_entity": "shot"}, ["catalog_entity", "entity_names", "table_prefix"]),
    "catalog_field": ({"catalog_field": "shot"}, ["catalog_field", "entity_names", "table_prefix"]),
    "each other": ({"catalog_field": "sg_catalog_entity"}, ["catalog_entity", "catalog_field"]),
}
OTHERWISE = {"catalog_entity": "types", "catalog_field": "fields", "entity_names": "Shot=plan", "table_prefix": "sg_"}


@pytest.mark.parametrize(
    ("clash", "setting"), [(clash, setting) for clash, (_, settings) in SAME.items() for setting in settings]
)
def test_two_tables_of_one_name(studio: Studio, clash: str, setting: str) -> None:
    """The message names the settings that give tables their names; each that gives one of the two its name helps."""
    wrong, _ = SAME[clash]
    studio.take(SITE)
    studio.configure(**wrong)
    said = refused(studio, SameNameError, studio.revise)
    named = said.rpartition("another name: ")[2].rstrip(".").split(", ")
    assert set(named) == set(OTHERWISE)
    studio.configure(**{**wrong, setting: OTHERWISE[setting]})
    studio.apply()


def test_two_tables_of_one_name_on_a_warehouse_with_rows(studio: Studio) -> None:
    filled(studio)
    studio.configure(catalog_entity="shot")
    refused(studio, SameNameError, studio.revise)
    studio.configure(catalog_entity="types")
    studio.apply()
    in_step(studio)


@pytest.mark.parametrize("built", ["table", "json"])
def test_links_that_are_built_otherwise(studio: Studio, built: str, tmp_path: Path, databases: Databases) -> None:
    """Set back; or a new warehouse with a folder and a database of its own, made with the command of the message."""
    other = {"table": "json", "json": "table"}[built]
    studio.configure(multi_entity=built)
    filled(studio)
    studio.configure(multi_entity=other)
    said = refused(studio, BuiltOtherwiseError, studio.revise)
    assert refused(studio, BuiltOtherwiseError, says(studio, "revision")) == said
    studio.configure(multi_entity=built)
    in_step(studio)

    command = re.search(r"\(sg-migrate (\w+)\)", said)
    assert command is not None
    url = databases.new("sqlite")
    type_in(tmp_path, "sg-migrate", command[1], "new", "--from", str(studio.snapshot), "--url", url)
    new = Studio.at(tmp_path / "new", url)
    new.configure(multi_entity=other)
    new.apply()
    assert ("shot__assets" in new.built) == (other == "table")
    in_step(studio)


@pytest.mark.parametrize("way", ["set back", "moved", "a second one"])
def test_another_schema(way: str, databases: Databases, tmp_path: Path) -> None:
    """The three ways of the message, with its own statements."""
    studio = filled(Studio(tmp_path / "project", databases.new("postgresql")))
    studio.execute("CREATE TABLE theirs (id INTEGER)")
    studio.configure(schema="shotgrid")
    said = refused(studio, SchemaChangedError, studio.upgrade)
    for command in (studio.revise, studio.check, studio.downgrade):
        assert refused(studio, SchemaChangedError, command) == said
    create, move = re.findall(r"(CREATE SCHEMA \w+|ALTER TABLE \.\.\. SET SCHEMA \w+)", said)
    if way == "set back":
        studio.configure()
        in_step(studio)
    elif way == "moved":
        tables = [*studio.built, "alembic_version"]
        studio.execute(create, *(move.replace("...", name) for name in tables))
        in_step(studio, "shotgrid.shot")
        studio.take(without(SITE, "Shot.sg_old"))
        studio.revise()
        studio.upgrade()
        in_step(studio, "shotgrid.shot")
        assert set(studio.structure()["tables"]) == {"theirs"}
    else:
        before = contents(studio.url)
        empty = re.search(r"begins with an empty (alembic_version) in schema '(\w+)'", said)
        assert empty is not None
        studio.execute(create, f"CREATE TABLE {empty[2]}.{empty[1]} (version_num VARCHAR(32) PRIMARY KEY)")
        studio.upgrade()
        studio.check()
        assert studio.rows("SELECT * FROM shotgrid.shot") == []
        assert contents(studio.url) == before
