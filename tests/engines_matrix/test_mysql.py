"""MySQL and MariaDB: wide tables, characters, time, long texts, comments, reserved words, and what ALTER keeps."""

from __future__ import annotations

import datetime
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa
from sites import field, site
from structure import raw_connection, snapshot_structure
from studio import Studio, execute

from sg_migrate import Field, SiteSchema
from sg_migrate.errors import SettingsError

EMOJI = "👩‍🚀 shot naïve 🦋"
WIDE = site(
    Shot={
        **{f"text_{n}": "text" for n in range(120)},
        **{f"list_{n}": "list" for n in range(40)},
        **{f"link_{n}": "entity:Asset" for n in range(30)},
        "at": "date_time",
        "meta": "serializable",
    },
    Asset={"code": "text"},
)


@pytest.fixture(params=["mariadb", "mysql"])
def latin1_url(request: pytest.FixtureRequest, mariadb_url: str, mysql_url: str) -> str:
    """A database whose default is latin1, as MariaDB's own default was for twenty years."""
    url = mariadb_url if request.param == "mariadb" else mysql_url
    execute(url, f"ALTER DATABASE `{sa.make_url(url).database}` CHARACTER SET latin1")
    return url


def at_first(folder: Path, url: str, schema: SiteSchema) -> Studio:
    """A project with its database at the first revision."""
    studio = Studio(folder / "project", url)
    follow(studio, schema)
    return studio


def follow(studio: Studio, schema: SiteSchema) -> None:
    """The next revision, run."""
    studio.take(schema)
    assert studio.revise()
    studio.upgrade()


def test_a_wide_table_takes_long_rows_in_a_latin1_database(tmp_path: Path, latin1_url: str) -> None:
    studio = at_first(tmp_path, latin1_url, WIDE)
    at = datetime.datetime(2024, 2, 29, 23, 59, 59, 123457)
    row: dict[str, Any] = {"id": 2**62, "at": at, "meta": json.dumps({"name": EMOJI}, ensure_ascii=False)}
    row |= {f"text_{n}": EMOJI * 5_000 if n == 7 else EMOJI * 20 for n in range(120)}
    row |= {f"list_{n}": (EMOJI * 20)[:255] for n in range(40)}
    row |= {f"link_{n}_id": 2**40 + n for n in range(30)} | {f"link_{n}_type": "Asset" for n in range(30)}
    with raw_connection(latin1_url) as connection:
        shot = sa.Table("shot", sa.MetaData(), autoload_with=connection)
        connection.execute(sa.insert(shot), row)
        read = dict(connection.execute(sa.select(shot)).mappings().one())
    assert len(row["text_7"].encode()) > 64 * 1024
    assert {name: read[name] for name in row} == row
    studio.check()
    for name, table in snapshot_structure(latin1_url)["tables"].items():
        if name != "alembic_version":
            assert table["options"]["collation"].startswith("utf8mb4"), name


def test_columns_added_later_take_emoji_too(tmp_path: Path, latin1_url: str) -> None:
    studio = at_first(tmp_path, latin1_url, site(Shot={"code": "text"}))
    follow(studio, site(Shot={"code": "text", "mood": "list", "notes": "text", "assets": "multi_entity:Asset"}))
    with raw_connection(latin1_url) as connection:
        connection.execute(sa.text("INSERT INTO shot (id, mood, notes) VALUES (1, :x, :x)"), {"x": EMOJI})
        assert connection.execute(sa.text("SELECT mood, notes FROM shot")).one() == (EMOJI, EMOJI)
    studio.check()


RESERVED = ("group", "release", "order", "cut", "key", "index", "select", "rank", "system", "lead")


def test_reserved_words(tmp_path: Path, engine_url: str) -> None:
    group = {"order": "multi_entity:Release"}
    studio = at_first(tmp_path, engine_url, site(Release=dict.fromkeys(RESERVED, "text"), Group=group))
    follow(studio, site(Release=dict.fromkeys(RESERVED, "number"), Group=group))
    studio.check()
    studio.downgrade("base")
    assert snapshot_structure(engine_url)["tables"].keys() == {"alembic_version"}


LONG = "A description with an emoji 🦋 and 'quotes' and 100 % more, again and again. " * 40


def test_long_comments_are_shortened_once_and_for_all(tmp_path: Path, engine_url: str, engine_name: str) -> None:
    studio = at_first(tmp_path, engine_url, site(Shot={"code": field("Shot.code", description=LONG)}))
    studio.check()
    comment = snapshot_structure(engine_url)["tables"]["shot"]["columns"]["code"]["comment"]
    if engine_name == "sqlite":
        assert comment is None
    else:
        assert len(comment) <= 1024
        assert comment.endswith("…")
        assert ("🦋" in comment) == engine_name.startswith("postgresql")


COLUMNS = """SELECT column_name, column_type, is_nullable, column_default, column_comment, extra
             FROM information_schema.columns WHERE table_schema = DATABASE() AND table_name = 'shot' ORDER BY 1"""


def columns(studio: Studio) -> dict[str, tuple[Any, ...]]:
    return {row[0]: row[1:] for row in studio.rows(COLUMNS)}


def shot(code: str, cut: str, asset: str, id_: str) -> SiteSchema:
    """The site with these types of the code and the first frame, and these descriptions of the asset and the id."""
    fields: dict[str, Field] = {
        "code": field("Shot.code", f"{code} Code", description="The code"),
        "cut": field("Shot.cut", f"{cut} Cut", description="First frame"),
        "asset": field("Shot.asset", "entity:Asset Asset", description=asset),
        "id": field("Shot.id", "number Id", description=id_),
    }
    return site(Shot=fields)


@pytest.fixture
def altered(tmp_path: Path, mariadb_url: str) -> Iterator[Studio]:
    """A database at its first revision, to which it goes back after the test."""
    studio = at_first(tmp_path, mariadb_url, shot("list", "text", "What for", "The id"))
    before = columns(studio)
    assert before["code"] == ("varchar(255)", "YES", "NULL", "Code: The code", "")
    yield studio
    studio.check()
    studio.downgrade()
    assert columns(studio) == before


def test_alter_loses_nothing(altered: Studio) -> None:
    """A wider type, a conversion (a rename), and comments alone: everything else of the column stays."""
    before = columns(altered)
    follow(altered, shot("text", "number", "What for, anew", "Its id"))
    assert columns(altered) == {
        **before,
        "code": ("longtext", "YES", "NULL", "Code: The code", ""),
        "cut": ("int(11)", "YES", "NULL", "Cut: First frame", ""),
        "cut__was_text": ("longtext", "YES", "NULL", "[retired] Cut: First frame", ""),
        "asset_id": ("bigint(20)", "YES", "NULL", "Asset: What for, anew", ""),
        "asset_type": ("varchar(64)", "YES", "NULL", "Asset: What for, anew", ""),
        "id": ("bigint(20)", "NO", None, "Id: Its id", ""),
    }


def test_a_schema_is_for_postgresql(tmp_path: Path, mariadb_url: str) -> None:
    studio = Studio(tmp_path / "project", mariadb_url, schema="shotgrid")
    with pytest.raises(SettingsError, match="is for PostgreSQL"):
        studio.upgrade()
