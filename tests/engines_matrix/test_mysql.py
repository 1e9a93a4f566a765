"""MySQL and MariaDB: wide tables, characters, time, long texts, comments, reserved words, and what ALTER keeps."""

from __future__ import annotations

import datetime
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa
from histories import Warehouse, write_site
from structure import snapshot_structure

from sg_migrate.errors import SettingsError

EMOJI = "👩‍🚀 shot naïve 🦋"
WIDE = {
    "Shot": {
        **{f"text_{n}": "text" for n in range(120)},
        **{f"list_{n}": "list" for n in range(40)},
        **{f"link_{n}": "entity Asset" for n in range(30)},
        "at": "date_time",
        "meta": "serializable",
    },
    "Asset": {"code": "text"},
}


@pytest.fixture(params=["mariadb", "mysql"])
def latin1_url(request: pytest.FixtureRequest, mariadb_url: str, mysql_url: str) -> str:
    """A database whose default is latin1, as MariaDB's own default was for twenty years."""
    url = mariadb_url if request.param == "mariadb" else mysql_url
    execute(url, f"ALTER DATABASE `{sa.make_url(url).database}` CHARACTER SET latin1")
    return url


def execute(url: str, *statements: str) -> None:
    with sa.create_engine(url, poolclass=sa.NullPool).begin() as connection:
        for statement in statements:
            connection.exec_driver_sql(statement)


def warehouse_of(folder: Path, url: str, site: dict[str, dict[str, str]]) -> Warehouse:
    warehouse = Warehouse(folder, url)
    warehouse.take(write_site(warehouse.folder / "site.json", site))
    warehouse.revision("r1")
    warehouse.upgrade()
    return warehouse


def test_a_wide_table_takes_long_rows_in_a_latin1_database(tmp_path: Path, latin1_url: str) -> None:
    warehouse = warehouse_of(tmp_path / "project", latin1_url, WIDE)
    at = datetime.datetime(2024, 2, 29, 23, 59, 59, 123457)
    row: dict[str, Any] = {"id": 2**62, "at": at, "meta": json.dumps({"name": EMOJI}, ensure_ascii=False)}
    row |= {f"text_{n}": EMOJI * 5_000 if n == 7 else EMOJI * 20 for n in range(120)}
    row |= {f"list_{n}": (EMOJI * 20)[:255] for n in range(40)}
    row |= {f"link_{n}_id": 2**40 + n for n in range(30)} | {f"link_{n}_type": "Asset" for n in range(30)}
    with sa.create_engine(latin1_url, poolclass=sa.NullPool).begin() as connection:
        shot = sa.Table("shot", sa.MetaData(), autoload_with=connection)
        connection.execute(sa.insert(shot), row)
        read = dict(connection.execute(sa.select(shot)).mappings().one())
    assert len(row["text_7"].encode()) > 64 * 1024
    assert {name: read[name] for name in row} == row
    warehouse.check()
    for name, table in snapshot_structure(latin1_url)["tables"].items():
        if name != "alembic_version":
            assert table["options"]["collation"].startswith("utf8mb4"), name


def test_columns_added_later_take_emoji_too(tmp_path: Path, latin1_url: str) -> None:
    warehouse = warehouse_of(tmp_path / "project", latin1_url, {"Shot": {"code": "text"}})
    site = {"Shot": {"code": "text", "mood": "list", "notes": "text", "assets": "multi_entity Asset"}}
    warehouse.take(write_site(warehouse.folder / "site.json", site))
    warehouse.revision("r2")
    warehouse.upgrade()
    with sa.create_engine(latin1_url, poolclass=sa.NullPool).begin() as connection:
        connection.execute(sa.text("INSERT INTO shot (id, mood, notes) VALUES (1, :x, :x)"), {"x": EMOJI})
        assert connection.execute(sa.text("SELECT mood, notes FROM shot")).one() == (EMOJI, EMOJI)
    warehouse.check()


RESERVED = ("group", "release", "order", "cut", "key", "index", "select", "rank", "system", "lead")


def test_reserved_words(tmp_path: Path, engine_url: str) -> None:
    site = {"Release": dict.fromkeys(RESERVED, "text"), "Group": {"order": "multi_entity Release"}}
    warehouse = warehouse_of(tmp_path / "project", engine_url, site)
    changed = {"Release": dict.fromkeys(RESERVED, "number"), "Group": {"order": "multi_entity Release"}}
    warehouse.take(write_site(warehouse.folder / "site.json", changed))
    warehouse.revision("r2")
    warehouse.upgrade()
    warehouse.check()
    warehouse.downgrade("base")
    assert snapshot_structure(engine_url)["tables"].keys() == {"alembic_version"}


LONG = "A description with an emoji 🦋 and 'quotes' and 100 % more, again and again. " * 40


def test_long_comments_are_shortened_once_and_for_all(tmp_path: Path, engine_url: str, engine_name: str) -> None:
    warehouse = Warehouse(tmp_path / "project", engine_url)
    site = write_site(warehouse.folder / "site.json", {"Shot": {"code": "text"}}, descriptions={"code": LONG})
    warehouse.take(site)
    warehouse.revision("r1")
    warehouse.upgrade()
    warehouse.check()
    comment = snapshot_structure(engine_url)["tables"]["shot"]["columns"]["code"]["comment"]
    if engine_name == "sqlite":
        assert comment is None
    else:
        assert len(comment) <= 1024
        assert comment.endswith("…")
        assert ("🦋" in comment) == engine_name.startswith("postgresql")


COLUMNS = """SELECT column_name, column_type, is_nullable, column_default, column_comment, extra
             FROM information_schema.columns WHERE table_schema = DATABASE() AND table_name = 'shot' ORDER BY 1"""


def columns(url: str) -> dict[str, tuple[Any, ...]]:
    with sa.create_engine(url, poolclass=sa.NullPool).begin() as connection:
        return {row[0]: tuple(row[1:]) for row in connection.exec_driver_sql(COLUMNS)}


@pytest.fixture
def altered(tmp_path: Path, mariadb_url: str) -> Iterator[tuple[Warehouse, dict[str, tuple[Any, ...]]]]:
    site = {"Shot": {"code": "list", "cut": "text", "asset": "entity Asset"}}
    warehouse = Warehouse(tmp_path / "project", mariadb_url)
    described = {"code": "The code", "cut": "First frame", "asset": "What for", "id": "The id"}
    warehouse.take(write_site(warehouse.folder / "site.json", site, descriptions=described))
    warehouse.revision("r1")
    warehouse.upgrade()
    before = columns(mariadb_url)
    assert before["code"] == ("varchar(255)", "YES", "NULL", "Code: The code", "")
    yield warehouse, before
    warehouse.check()
    warehouse.downgrade("r1")
    assert columns(mariadb_url) == before


def test_alter_loses_nothing(altered: tuple[Warehouse, dict[str, tuple[Any, ...]]]) -> None:
    """A wider type, a conversion (a rename), and comments alone: everything else of the column stays."""
    warehouse, before = altered
    site = {"Shot": {"code": "text", "cut": "number", "asset": "entity Asset"}}
    described = {"code": "The code", "cut": "First frame", "asset": "What for, anew", "id": "Its id"}
    warehouse.take(write_site(warehouse.folder / "site.json", site, descriptions=described))
    warehouse.revision("r2")
    warehouse.upgrade()
    assert columns(warehouse.url) == {
        **before,
        "code": ("longtext", "YES", "NULL", "Code: The code", ""),
        "cut": ("int(11)", "YES", "NULL", "Cut: First frame", ""),
        "cut__was_text": ("longtext", "YES", "NULL", "[retired] Cut: First frame", ""),
        "asset_id": ("bigint(20)", "YES", "NULL", "Asset: What for, anew", ""),
        "asset_type": ("varchar(64)", "YES", "NULL", "Asset: What for, anew", ""),
        "id": ("bigint(20)", "NO", None, "Id: Its id", ""),
    }


def test_a_schema_is_for_postgresql(tmp_path: Path, mariadb_url: str) -> None:
    warehouse = Warehouse(tmp_path / "project", mariadb_url, schema="shotgrid")
    with pytest.raises(SettingsError, match="is for PostgreSQL"):
        warehouse.upgrade()
