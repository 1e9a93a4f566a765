"""A database that also holds another application's tables: they are never altered and never mentioned."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest
from engines import Databases
from oracle import Oracle
from sites import SAMPLES
from small_site import small_site
from structure import diff_structure, snapshot_structure
from studio import Studio, execute

from sg_migrate.errors import ClashError

ENGINES = ["sqlite", "postgresql", pytest.param("mariadb", marks=pytest.mark.long)]

KESTREL = [
    "CREATE TABLE kestrel_show (id integer PRIMARY KEY, title varchar(80) NOT NULL UNIQUE)",
    """CREATE TABLE kestrel_reel (id integer PRIMARY KEY, show_id integer NOT NULL, weight numeric(9, 3) DEFAULT 1,
       CONSTRAINT fk_reel_show FOREIGN KEY (show_id) REFERENCES kestrel_show (id) ON DELETE CASCADE,
       CONSTRAINT ck_weight CHECK (weight > -9999999))""",
    "CREATE INDEX ix_kestrel_reel ON kestrel_reel (show_id, weight)",
    "CREATE TABLE shot_notes (id integer PRIMARY KEY, body text)",
    "CREATE VIEW kestrel_titles AS SELECT title FROM kestrel_show",
]
CLASHING = [
    "CREATE TABLE asset (id integer PRIMARY KEY, label varchar(80))",
    """CREATE TABLE task (id integer PRIMARY KEY, asset_id integer,
       CONSTRAINT fk_task_asset FOREIGN KEY (asset_id) REFERENCES asset (id))""",
]
IN_OUR_TABLE = [
    "ALTER TABLE shot ADD COLUMN kestrel_flag varchar(20)",
    "CREATE INDEX ix_shot_kestrel ON shot (kestrel_flag, sg_status_list)",
    "CREATE TABLE kestrel_log (id integer PRIMARY KEY, what varchar(80))",
]
TRIGGER = {
    "sqlite": [
        "CREATE TRIGGER kestrel_watch AFTER DELETE ON shot BEGIN INSERT INTO kestrel_log (what) VALUES ('gone'); END"
    ],
    "postgresql": [
        """CREATE FUNCTION kestrel_watch() RETURNS trigger LANGUAGE plpgsql AS
           'BEGIN INSERT INTO kestrel_log VALUES (old.id + 5000, ''gone''); RETURN old; END'""",
        "CREATE TRIGGER kestrel_watch AFTER DELETE ON shot FOR EACH ROW EXECUTE FUNCTION kestrel_watch()",
    ],
    "mariadb": [
        """CREATE TRIGGER kestrel_watch AFTER DELETE ON shot FOR EACH ROW
           INSERT INTO kestrel_log VALUES (old.id + 5000, 'gone')"""
    ],
}
WORDS = ("kestrel", "shot_notes")


def unmentioned(studio: Studio) -> None:
    for name, text in studio.text_of().items():
        assert not [word for word in WORDS if word in text], name


@pytest.mark.parametrize("engine", ENGINES)
def test_neighbours_are_left_alone(engine: str, databases: Databases, tmp_path: Path) -> None:
    studio = Studio(tmp_path / "project", databases.new(engine))
    studio.execute(*KESTREL)
    before = snapshot_structure(studio.url)
    studio.take(SAMPLES[3])
    studio.revise("first")
    studio.upgrade()
    studio.execute(*IN_OUR_TABLE, *TRIGGER[engine])
    oracle = Oracle(studio.url, ignore=["sg_catalog_*"])
    oracle.fill()
    studio.check()
    after = studio.structure()
    for source in SAMPLES[4:]:
        studio.take(source)
        assert studio.revise(source.stem) is not None
        studio.upgrade()
        studio.check()
        unmentioned(studio)
    for _ in SAMPLES[4:]:
        studio.downgrade()
    assert diff_structure(after, studio.structure()) == []
    oracle.verify()
    studio.execute("DELETE FROM shot WHERE id = (SELECT least_id FROM (SELECT min(id) AS least_id FROM shot) s)")
    oracle.forget("shot", min(k for k in oracle.values("shot", "id") if isinstance(k, int)))
    with pytest.raises(AssertionError, match=r"kestrel_log \[.*: the row appeared"):
        oracle.verify()
    studio.downgrade("base")
    left = studio.structure()
    assert (
        diff_structure(before, {**left, "tables": {n: t for n, t in left["tables"].items() if n != "kestrel_log"}})
        == []
    )


@pytest.mark.parametrize("engine", ENGINES)
def test_tables_of_the_same_name_clash(engine: str, databases: Databases, tmp_path: Path) -> None:
    url = databases.new(engine)
    execute(url, *KESTREL, *CLASHING)
    oracle = Oracle(url)
    oracle.fill()
    before = snapshot_structure(url, ignore=["alembic_version"])
    studio = Studio(tmp_path / "clash", url)
    studio.take(SAMPLES[0])
    commands: list[Callable[[], object]] = [studio.check, lambda: studio.revise("first")]
    for command in commands:
        with pytest.raises(ClashError) as caught:
            command()
        assert caught.value.tables == ["asset", "task"]
        assert caught.value.columns == []
        for remedy in ("table_prefix", "entity_names", "schema", "--adopt"):
            assert remedy in str(caught.value)
    assert studio.text_of() == {}
    assert diff_structure(before, studio.structure()) == []
    prefixed = Studio(tmp_path / "prefixed", url, table_prefix="sg_")
    for source in SAMPLES[:3]:
        prefixed.take(source)
        assert prefixed.revise(source.stem) is not None
        prefixed.upgrade()
        prefixed.check()
    assert {"asset", "task", "sg_asset", "sg_task"} <= prefixed.structure()["tables"].keys()
    oracle.verify()
    prefixed.downgrade("base")
    assert diff_structure(before, prefixed.structure()) == []


@pytest.mark.parametrize("engine", ENGINES)
def test_a_column_of_the_same_name_clashes(engine: str, databases: Databases, tmp_path: Path) -> None:
    studio = Studio(tmp_path / "project", databases.new(engine))
    studio.take(small_site())
    studio.revise("first")
    studio.upgrade()
    studio.execute("ALTER TABLE shot ADD COLUMN SG_Turnover varchar(20)")
    oracle = Oracle(studio.url, ignore=["sg_catalog_*"])
    oracle.fill()
    studio.check()
    before = studio.structure()
    studio.take(small_site(sg_turnover="date Turnover"))
    commands: list[Callable[[], object]] = [studio.check, lambda: studio.revise("second")]
    for command in commands:
        with pytest.raises(ClashError) as caught:
            command()
        assert caught.value.columns == ["shot.sg_turnover"]
        assert "exclude" in str(caught.value)
    assert list(studio.text_of()) == ["0001_first.py"]
    assert diff_structure(before, studio.structure()) == []
    oracle.verify()
    studio.check("sg_exclude=Shot.sg_turnover")


def test_a_view_of_the_same_name_clashes(databases: Databases, tmp_path: Path) -> None:
    studio = Studio(tmp_path / "project", databases.new("postgresql"))
    studio.execute("CREATE MATERIALIZED VIEW shot AS SELECT 1 AS id")
    studio.take(small_site())
    with pytest.raises(ClashError, match="table shot"):
        studio.revise("first")
