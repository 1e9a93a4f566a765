"""Tables and columns called by every word that some engine reserves: built, changed, taken back; in scripts too."""

from __future__ import annotations

import ctypes
import ctypes.util
import re

import pytest
import sqlalchemy as sa
from engines import Databases
from sites import site
from structure import raw_connection
from studio import Studio

from sg_migrate import SiteSchema
from sg_migrate.database.reserved import RESERVED, quoting_reserved

WORDS = sorted(RESERVED)
ENGINES = ["sqlite", pytest.param("postgresql", marks=pytest.mark.long), "mariadb"]


def entity_type(word: str) -> str:
    return "".join(part.title() for part in word.split("_"))


def words_as(data_type: str, more: str) -> SiteSchema:
    """An entity type with a field for each word, and one called by each; some fields change, some types have a link."""
    types = [entity_type(word) for word in WORDS]
    fields = {word: "number" if number % 16 else data_type for number, word in enumerate(WORDS)}
    called = {
        code: {"more": more} if number % 16 else {"next": f"entity:{types[number - 1]}"}
        for number, code in enumerate(types)
    }
    return site({"Word": fields, **called})


CHANGED = {f"{word}__was_number" for word in WORDS[::16]}
"""The columns that the second revision keeps beside the new ones."""


@pytest.fixture(scope="module")
def stages(tmp_path_factory: pytest.TempPathFactory) -> tuple[Studio, Studio]:
    """A project with its first revision, and with its second too."""
    folder = tmp_path_factory.mktemp("stages")
    first = Studio(folder / "first", foreign_keys="true")
    first.follow(words_as("number", more="list"), "one")
    second = first.copy(folder / "second", first.url)
    second.follow(words_as("text", more="text"), "two")
    return first, second


def tables_of(url: str) -> set[str]:
    with raw_connection(url) as connection:
        return set(sa.inspect(connection).get_table_names())


def columns_of(url: str) -> set[str]:
    """The columns that are called by the words."""
    with raw_connection(url) as connection:
        return {column["name"] for column in sa.inspect(connection).get_columns("word")}


@pytest.mark.parametrize("engine", ENGINES)
def test_every_word_is_a_table_and_a_column(engine: str, stages: tuple[Studio, Studio], databases: Databases) -> None:
    first, second = stages
    url = databases.new(engine)
    first.upgrade(url=url)
    columns = columns_of(url)
    assert columns >= RESERVED
    assert tables_of(url) >= RESERVED
    first.check(url=url)
    second.upgrade(url=url)
    assert columns_of(url) >= CHANGED
    second.check(url=url)
    second.downgrade("one", url=url)
    assert columns_of(url) == columns
    second.downgrade("base", url=url)
    assert not tables_of(url) & RESERVED


def test_a_script_for_mysql_runs_on_mariadb(stages: tuple[Studio, Studio], databases: Databases) -> None:
    """Without a connection, SQLAlchemy's mysql dialect takes every server for MySQL."""
    url = databases.new("mysql")
    script = stages[1].script(url=url)
    assert url.startswith("mysql+pymysql")
    with raw_connection(url) as connection:
        for statement in re.split(r";\s*\n", script):
            if re.sub(r"(?m)^--.*$", "", statement).strip():
                connection.exec_driver_sql(statement.replace("%", "%%"))
    assert tables_of(url) >= RESERVED
    assert columns_of(url) >= RESERVED | CHANGED


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
