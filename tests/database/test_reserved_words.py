"""Tables and columns called by every word that some engine reserves: built, changed, taken back; in scripts too."""

from __future__ import annotations

import ctypes
import ctypes.util
import re
from collections.abc import Callable
from typing import Any

import pytest
import sqlalchemy as sa
from engines import Databases

from sg_migrate.database.reserved import RESERVED, quoting_reserved

pytest_plugins = ["projects"]

WORDS = sorted(RESERVED)
ENGINES = ["sqlite", "postgresql", "mariadb"]


def entity_type(word: str) -> str:
    return "".join(part.title() for part in word.split("_"))


def words_as(data_type: str, **other: str) -> dict[str, dict[str, str]]:
    """An entity type with a field for each word, and one called by each; some fields change, some types have a link."""
    types = [entity_type(word) for word in WORDS]
    fields = {word: "number" if number % 16 else data_type for number, word in enumerate(WORDS)}
    called = {code: {"next": f"entity {types[n - 1]}"} if n % 16 == 0 else other for n, code in enumerate(types)}
    return {"Word": fields, **called}


def names(url: str) -> tuple[set[str], set[str]]:
    engine = sa.create_engine(url, poolclass=sa.NullPool)
    inspector = sa.inspect(engine)
    return set(inspector.get_table_names()), {column["name"] for column in inspector.get_columns("word")}


@pytest.mark.parametrize("engine", ENGINES)
def test_every_word_is_a_table_and_a_column(engine: str, site: Callable[..., Any], databases: Databases) -> None:
    project = site(databases.new(engine), foreign_keys="true")
    project.take(words_as("number", more="list"))
    project.revise("one")
    project.alembic("upgrade", "head")
    tables, columns = names(project.url)
    assert tables >= RESERVED
    assert columns >= RESERVED
    project.alembic("check")
    project.take(words_as("text", more="text"))
    project.revise("two")
    project.alembic("upgrade", "head")
    assert names(project.url)[1] >= {f"{word}__was_number" for word in WORDS[::16]}
    project.alembic("check")
    project.alembic("downgrade", "one")
    assert names(project.url)[1] == columns
    project.alembic("downgrade", "base")
    assert not names_left(project.url) & RESERVED


def names_left(url: str) -> set[str]:
    return set(sa.inspect(sa.create_engine(url, poolclass=sa.NullPool)).get_table_names())


def test_a_script_for_mysql_runs_on_mariadb(site: Callable[..., Any], databases: Databases) -> None:
    """Without a connection, SQLAlchemy's mysql dialect takes every server for MySQL."""
    project = site("sqlite:///here.db", foreign_keys="true")
    target = databases.new("mysql")
    project.take(words_as("number", more="list"))
    project.revise("one")
    project.alembic("upgrade", "head")
    project.take(words_as("text", more="text"))
    project.revise("two")
    script = project.alembic("upgrade", "head", "--sql", url=target).stdout
    assert target.startswith("mysql+pymysql")
    with sa.create_engine(target, poolclass=sa.NullPool).connect() as connection:
        for statement in re.split(r";\s*\n", script):
            if re.sub(r"(?m)^--.*$", "", statement).strip():
                connection.exec_driver_sql(statement.replace("%", "%%"))
        connection.commit()
    tables, columns = names(target)
    assert tables >= RESERVED
    assert columns >= RESERVED | {f"{word}__was_number" for word in WORDS[::16]}


def sqlite_keywords() -> set[str]:
    library = ctypes.CDLL(ctypes.util.find_library("sqlite3") or "libsqlite3.so.0")
    found = set()
    for number in range(library.sqlite3_keyword_count()):
        word, length = ctypes.c_char_p(), ctypes.c_int()
        library.sqlite3_keyword_name(number, ctypes.byref(word), ctypes.byref(length))
        assert word.value is not None
        found.add(word.value[: length.value].decode().lower())
    return found


@pytest.mark.parametrize("engine", ["sqlite", "postgresql", "postgresql-new", "mariadb"])
def test_what_a_running_server_reserves_is_known(engine: str, databases: Databases) -> None:
    """A newer engine than those of today tells its new words here."""
    if engine == "sqlite":
        assert sqlite_keywords() <= RESERVED
        return
    with sa.create_engine(databases.new(engine), poolclass=sa.NullPool).connect() as connection:
        if engine.startswith("postgresql"):
            query = "SELECT word FROM pg_get_keywords() WHERE catcode IN ('R', 'T')"
            assert set(connection.exec_driver_sql(query).scalars()) <= RESERVED
            return
        query = "SELECT lower(word) FROM information_schema.keywords"
        for word in [word for word in connection.exec_driver_sql(query).scalars() if word.isidentifier()]:
            if word in RESERVED:
                continue
            connection.exec_driver_sql(f"CREATE TABLE {word} (before_{word} integer, {word} integer)")
            connection.exec_driver_sql(f"DROP TABLE {word}")


def test_an_instance_is_changed_and_put_back() -> None:
    """Names that an application's dialect has quoted, or not, are decided anew, and then again."""
    dialect = sa.create_engine("sqlite://").dialect
    before = dialect.identifier_preparer.reserved_words
    columns: list[sa.ColumnClause[int]] = [sa.column("returning"), sa.column("code")]
    statement = sa.select(*columns)
    assert "returning, code" in str(statement.compile(dialect=dialect))
    with quoting_reserved(dialect):
        assert '"returning", code' in str(statement.compile(dialect=dialect))
    assert "returning, code" in str(statement.compile(dialect=dialect))
    assert dialect.identifier_preparer.reserved_words is before
    assert sa.create_engine("sqlite://").dialect.identifier_preparer.reserved_words is before
