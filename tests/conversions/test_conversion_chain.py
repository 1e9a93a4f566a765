"""Fields that change their type, step by step, on every engine: up, down, up again, and what the log says."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
import sqlalchemy as sa
from engines import Databases
from sites import site
from studio import Studio, run, summary

from sg_migrate.errors import DiscardError

TEXTS = ["12", "12 frames", "", "-7", "431.25", "99999999999", "2024-02-29", None]

SHOTS = {
    kind: site(Shot={"code": "text", "sg_x": kind})
    for kind in (
        "text",
        "number",
        "date",
        "list",
        "status_list",
        "entity:Asset",
        "multi_entity:Asset",
        "float",
        "currency",
    )
}


def _insert(studio: Studio, values: list[str | None]) -> None:
    shown = [f"({n}, {'NULL' if v is None else repr(v)})" for n, v in enumerate(values, 1)]
    studio.execute(f"INSERT INTO shot (id, sg_x) VALUES {', '.join(shown)}")


def _column(studio: Studio, name: str) -> list[object]:
    return [row[0] for row in studio.rows(f"SELECT {name} FROM shot ORDER BY id")]


def test_text_number_date(engine_url: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    studio = Studio(tmp_path / "p", engine_url)
    studio.step(SHOTS["text"])
    _insert(studio, TEXTS)
    number = studio.step(SHOTS["number"])
    assert (
        "Shot.sg_x number: 2 of 7 values converted, 5 did not; the old ones stay in shot.sg_x__was_text"
        in capsys.readouterr().err
    )
    assert summary(number) == ["Shot", '  ~ sg_x  text -> number  "sg_x"; the old values stay in sg_x__was_text']
    assert _column(studio, "sg_x") == [12, None, None, -7, None, None, None, None]
    assert _column(studio, "sg_x__was_text") == TEXTS

    date = studio.step(SHOTS["date"])
    assert summary(date) == ["Shot", '  ~ sg_x  number -> date  "sg_x"; the old values stay in sg_x__was_number']
    assert _column(studio, "sg_x") == [None] * len(TEXTS)
    assert _column(studio, "sg_x__was_number") == [12, None, None, -7, None, None, None, None]
    assert _column(studio, "sg_x__was_text") == TEXTS

    studio.step(SHOTS["text"])
    studio.step(SHOTS["number"])
    assert {name for name in studio.built["shot"].columns if name.startswith("sg_x")} == {
        "sg_x", "sg_x__was_text", "sg_x__was_number", "sg_x__was_date", "sg_x__was_text_2",
    }  # fmt: skip
    studio.downgrade("0001")
    assert _column(studio, "sg_x") == TEXTS


def test_several_changes_are_one_step(server_url: str, tmp_path: Path) -> None:
    """From what was built straight to what is wanted: the number in between was never built."""
    studio = Studio(tmp_path / "p", server_url)
    studio.step(SHOTS["text"])
    _insert(studio, TEXTS)
    studio.take(SHOTS["number"])
    text = studio.step(SHOTS["date"])
    assert "sg_x__was_number" not in text
    assert [str(value) for value in _column(studio, "sg_x")] == ["None"] * 6 + ["2024-02-29", "None"]
    assert _column(studio, "sg_x__was_text") == TEXTS


def test_there_and_back_between_two_revisions_is_nothing(sqlite_url: str, tmp_path: Path) -> None:
    studio = Studio(tmp_path / "p", sqlite_url)
    studio.step(SHOTS["text"])
    studio.take(SHOTS["number"])
    studio.take(SHOTS["text"])
    assert studio.revise() is None


def test_going_back_is_refused_where_values_would_be_lost(server_url: str, tmp_path: Path) -> None:
    studio = Studio(tmp_path / "p", server_url)
    studio.step(SHOTS["text"])
    _insert(studio, ["12", "12 frames", "5"])
    studio.take(site(Shot={"code": "text", "sg_x": "number", "sg_new": "text"}))
    studio.apply()
    before = studio.structure()
    studio.execute("UPDATE shot SET sg_x = 13 WHERE id = 1")
    studio.execute("UPDATE shot SET sg_x = 14 WHERE id = 2", "INSERT INTO shot (id, sg_x) VALUES (4, 15)")
    studio.execute("UPDATE shot SET sg_x = NULL WHERE id = 3")
    with pytest.raises(DiscardError, match=r"shot\.sg_x: going back would lose 3 values .*sg_discard=true"):
        studio.downgrade()
    assert studio.structure() == before
    assert _column(studio, "sg_x") == [13, 14, None, 15]
    studio.downgrade("-1", "sg_discard=true")
    assert _column(studio, "sg_x") == ["12", "12 frames", "5", None]


def test_a_text_that_differs_by_case_or_a_space_is_a_value_written_since(server_url: str, tmp_path: Path) -> None:
    studio = Studio(tmp_path / "p", server_url)
    studio.step(site(Shot={"sg_x": "checkbox"}))
    studio.execute("INSERT INTO shot (id, sg_x) VALUES (1, true), (2, true), (3, false)")
    studio.step(site(Shot={"sg_x": "text"}))
    assert _column(studio, "sg_x") == ["true", "true", "false"]
    studio.execute("UPDATE shot SET sg_x = 'True' WHERE id = 1", "UPDATE shot SET sg_x = 'true ' WHERE id = 2")
    with pytest.raises(DiscardError) as refused:
        studio.downgrade()
    assert refused.value.values == 2


LINKS = "SELECT owner_id, linked_type, linked_id FROM {} ORDER BY owner_id, linked_id"


def test_entity_to_multi_entity_and_back(engine_url: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    studio = Studio(tmp_path / "p", engine_url)
    studio.step(SHOTS["entity:Asset"])
    studio.execute(
        "INSERT INTO shot (id, sg_x_id, sg_x_type) VALUES (1, 10, 'Asset'), (2, 10, 'Asset'), (3, NULL, NULL)",
        "INSERT INTO shot (id, sg_x_id) VALUES (4, 7)",
    )
    many = studio.step(SHOTS["multi_entity:Asset"])
    assert (
        "Shot.sg_x multi_entity: 2 of 3 values converted, 1 did not; the old ones stay in shot.sg_x_id__was_entity"
        in capsys.readouterr().err
    )
    assert summary(many) == [
        "Shot",
        '  ~ sg_x  entity -> multi_entity  "sg_x"; the old values stay in sg_x_id__was_entity, sg_x_type__was_entity',
    ]
    assert studio.rows(LINKS.format("shot__sg_x")) == [(1, "Asset", 10), (2, "Asset", 10)]
    assert _column(studio, "sg_x_id__was_entity") == [10, 10, None, 7]

    studio.execute("INSERT INTO shot__sg_x VALUES (2, 'Asset', 11), (3, 'Shot', 12)")
    with pytest.raises(DiscardError, match=r"shot\.shot__sg_x: going back would lose 2 values"):
        studio.downgrade()
    one = studio.step(SHOTS["entity:Asset"])
    assert summary(one) == [
        "Shot", '  ~ sg_x  multi_entity -> entity  "sg_x"; the old values stay in shot__sg_x__was_multi_entity',
    ]  # fmt: skip
    assert studio.rows("SELECT id, sg_x_type, sg_x_id FROM shot ORDER BY id") == [
        (1, "Asset", 10), (2, None, None), (3, "Shot", 12), (4, None, None),
    ]  # fmt: skip
    kept = [(1, "Asset", 10), (2, "Asset", 10), (2, "Asset", 11), (3, "Shot", 12)]
    assert studio.rows(LINKS.format("shot__sg_x__was_multi_entity")) == kept

    studio.execute("UPDATE shot SET sg_x_id = 11, sg_x_type = 'Asset' WHERE id = 2")
    with pytest.raises(DiscardError) as refused:
        studio.downgrade()
    assert (refused.value.table, refused.value.column, refused.value.values) == ("shot", "sg_x_id", 1)
    studio.downgrade("-1", "sg_discard=true")
    assert studio.rows(LINKS.format("shot__sg_x")) == kept
    studio.downgrade("0001", "sg_discard=true")
    assert _column(studio, "sg_x_id") == [10, 10, None, 7]


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ("text", "entity:Asset"),
        ("entity:Asset", "text"),
        ("multi_entity:Asset", "number"),
        ("float", "multi_entity:Asset"),
    ],
)
def test_a_link_and_a_value_have_nothing_in_common(sqlite_url: str, tmp_path: Path, old: str, new: str) -> None:
    """No rule: the new place is empty, the old values stay and come back."""
    studio = Studio(tmp_path / "p", sqlite_url)
    studio.step(SHOTS[old])
    rows = {
        "text": "INSERT INTO shot (id, sg_x) VALUES (1, '7')",
        "entity": "INSERT INTO shot (id, sg_x_id, sg_x_type) VALUES (1, 7, 'Asset')",
        "multi_entity": "INSERT INTO shot__sg_x VALUES (1, 'Asset', 7)",
        "float": "INSERT INTO shot (id, sg_x) VALUES (1, 7.5)",
    }
    tables = ["shot__sg_x" if old.startswith("multi") else "shot"]
    studio.execute(rows[old.partition(":")[0]])
    before = studio.rows(f"SELECT * FROM {tables[0]}")
    studio.step(SHOTS[new])
    if new.startswith("multi"):
        assert studio.rows("SELECT * FROM shot__sg_x") == []
    elif old != "multi_entity:Asset":
        assert set(_column(studio, "sg_x_id" if new.startswith("entity") else "sg_x")) == {None}
    studio.downgrade()
    assert studio.rows(f"SELECT * FROM {tables[0]}") == before


def test_a_change_of_site_type_that_changes_no_column(server_url: str, tmp_path: Path) -> None:
    studio = Studio(tmp_path / "p", server_url)
    studio.step(site(Shot={"sg_a": "number", "sg_b": "percent", "sg_c": "text", "sg_d": "list", "sg_e": "url"}))
    studio.execute("INSERT INTO shot (id, sg_a, sg_b, sg_c, sg_d) VALUES (1, 5, 6, 'c', 'd')")
    text = studio.step(
        site(
            Shot={"sg_a": "duration", "sg_b": "timecode", "sg_c": "status_list", "sg_d": "text", "sg_e": "serializable"}
        )
    )
    assert "convert_column" not in text
    assert "__was_" not in text
    assert studio.rows("SELECT sg_a, sg_b, sg_c, sg_d FROM shot") == [(5, 6, "c", "d")]


def test_a_text_grows_in_place(server_url: str, tmp_path: Path) -> None:
    """status_list holds 64 characters, list 255, text what comes: every value stays what it is."""
    texts = ["", " ", "wtg ", "WTG", "é\U0001f600" * 32, "x" * 64, "a\nb", "%s %(x)s 100%", "\\", "'", None]
    studio = Studio(tmp_path / "p", server_url)
    studio.step(SHOTS["status_list"])
    table = sa.table("shot", sa.column("id"), sa.column("sg_x"))
    engine = sa.create_engine(server_url, poolclass=sa.NullPool)
    with engine.begin() as connection:
        connection.execute(sa.insert(table), [{"id": n, "sg_x": text} for n, text in enumerate(texts)])
    assert _column(studio, "sg_x") == texts
    studio.step(SHOTS["list"])
    assert _column(studio, "sg_x") == texts
    studio.step(SHOTS["text"])
    assert _column(studio, "sg_x") == texts
    studio.execute(f"UPDATE shot SET sg_x = '{'é' * 256}' WHERE id = 1")
    before = studio.structure()
    with pytest.raises(DiscardError, match=r"shot\.sg_x: going back would lose 1 values"):
        studio.downgrade()
    assert studio.structure() == before
    studio.execute(f"UPDATE shot SET sg_x = '{'é' * 255}' WHERE id = 1")
    studio.downgrade()
    assert _column(studio, "sg_x")[1] == "é" * 255


@pytest.mark.parametrize("inline", ["0", "100000"])
def test_a_script_converts_at_once(databases: Databases, tmp_path: Path, inline: str) -> None:
    """``alembic upgrade --sql``, run by the database's own means, gives what the online upgrade gives."""
    for engine in ("postgresql", "mariadb"):
        studio = Studio(tmp_path / engine, databases.new(engine), carry_inline_rows=inline)
        studio.step(
            site(Shot={"sg_x": "text", "sg_y": "float", "sg_z": "date_time", "sg_l": "entity:Asset", "sg_u": "url"})
        )
        studio.execute(
            "INSERT INTO shot (id, sg_x, sg_y, sg_z, sg_l_id, sg_l_type) VALUES"
            " (1, '12', 0.5, '2024-02-29 23:59:59.999999', 7, 'Asset'), (2, '12\n', 24, NULL, NULL, NULL)"
        )
        studio.take(
            site(Shot={"sg_x": "number", "sg_y": "text", "sg_z": "date", "sg_l": "multi_entity:Asset", "sg_u": "text"})
        )
        studio.revise()
        for statement in studio.script(revision="0001:head").split(";\n"):
            if statement.strip():
                studio.execute(statement.replace("%", "%%"))
        rows = studio.rows("SELECT sg_x, sg_y, CAST(sg_z AS CHAR(10)) FROM shot ORDER BY id")
        assert rows == [(12, "0.5", "2024-02-29"), (None, "24", None)]
        assert studio.rows("SELECT * FROM shot__sg_l") == [(1, "Asset", 7)]
        studio.check()


def test_names_have_63_characters(server_url: str, tmp_path: Path) -> None:
    code = "sg_" + "x" * 60
    studio = Studio(tmp_path / "p", server_url)
    studio.step(site(Shot={code: "text"}))
    studio.execute(f"INSERT INTO shot (id, {code}) VALUES (1, '12')")
    for kind in ("number", "text", "number"):
        studio.step(site(Shot={code: kind}))
    names = [name for name in studio.built["shot"].columns if name not in ("id", "retired_at")]
    assert sorted(len(name) for name in names) == [63, 63, 63, 63]
    assert {name.rpartition("__was_")[2] for name in names} == {code, "text", "number", "text_2"}
    assert studio.rows(f"SELECT {code} FROM shot") == [(12,)]


def test_the_real_commands(tmp_path: Path, sqlite_url: str) -> None:
    """sg-migrate init and the alembic command, as a user types them."""
    site_file = tmp_path / "site.json"

    def site_says(kind: str) -> None:
        site_file.write_text(json.dumps({"Shot": {"sg_x": {"data_type": {"value": kind}}}}), "utf-8")

    site_says("text")
    run(tmp_path, "sg-migrate", "init", "p", "--from", str(site_file), "--url", sqlite_url)
    folder = tmp_path / "p"
    run(folder, "alembic", "revision", "--autogenerate", "-m", "first")
    run(folder, "alembic", "upgrade", "head")
    engine = sa.create_engine(sqlite_url)
    with engine.begin() as connection:
        connection.exec_driver_sql("INSERT INTO shot (id, sg_x) VALUES (1, '12'), (2, '12 frames')")
    site_says("number")
    run(folder, "sg-migrate", "snapshot", "--from", str(site_file))
    run(folder, "alembic", "revision", "--autogenerate", "-m", "second")
    upgraded = run(folder, "alembic", "upgrade", "head")
    assert (
        "Shot.sg_x number: 1 of 2 values converted, 1 did not; the old ones stay in shot.sg_x__was_text"
        in upgraded.stderr
    )
    run(folder, "alembic", "check")
    with engine.begin() as connection:
        connection.exec_driver_sql("UPDATE shot SET sg_x = 13")
    refused = run(folder, "alembic", "downgrade", "-1", fails=True)
    assert "going back would lose 2 values" in refused.stderr
    run(folder, "alembic", "-x", "sg_discard=true", "downgrade", "-1")
    with engine.connect() as connection:
        assert connection.exec_driver_sql("SELECT sg_x FROM shot").all() == [("12",), ("12 frames",)]
    engine.dispose()


def test_reserved_words_and_capitals(server_url: str, tmp_path: Path) -> None:
    studio = Studio(tmp_path / "p", server_url, naming="shotgrid")
    studio.step(site(Group={"order": "text", "Select": "entity:Group"}))
    table = sa.table("Group", *map(sa.column, ("id", "order", "Select_id", "Select_type")))
    engine = sa.create_engine(server_url, poolclass=sa.NullPool)
    with engine.begin() as connection:
        row = {"id": 1, "order": "12", "Select_id": 1, "Select_type": "Group"}
        connection.execute(sa.insert(table), row)
    studio.step(site(Group={"order": "number", "Select": "multi_entity:Group"}))
    with engine.connect() as connection:
        assert connection.execute(sa.select(table.c.order)).scalar_one() == 12
        links = sa.table("Group__Select", sa.column("owner_id"), sa.column("linked_type"), sa.column("linked_id"))
        assert tuple(connection.execute(sa.select(*links.c)).one()) == (1, "Group", 1)
