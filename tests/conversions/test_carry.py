"""Large tables: the migration notes what is to be carried over, ``sg-migrate carry`` does it, kills or not."""

from __future__ import annotations

import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import pytest
from engines import Databases
from sites import site
from studio import Studio

from sg_migrate import SiteSchema
from sg_migrate.errors import DiscardError

TEXT, NUMBER, FLOAT = (site(Shot={"code": "text", "sg_x": kind}) for kind in ("text", "number", "float"))
ONE, MANY = (site(Shot={"code": "text", "sg_x": kind}) for kind in ("entity:Asset", "multi_entity:Asset"))


def _studio(folder: Path, url: str, before: SiteSchema, *rows: str, inline: int = 3) -> Studio:
    studio = Studio(folder / "p", url, carry_inline_rows=str(inline))
    studio.take(before)
    studio.revise()
    studio.upgrade()
    studio.execute(*rows)
    return studio


def _change(studio: Studio, after: SiteSchema) -> None:
    studio.take(after)
    assert studio.revise()
    studio.upgrade()


def _pending(studio: Studio) -> list[tuple[Any, ...]]:
    return studio.rows("SELECT entity_type, field, last_id FROM sg_carry")


FIVE = "INSERT INTO shot (id, sg_x) VALUES (1, '1'), (2, '2 frames'), (30, '30'), (31, NULL), (900, '900')"
FIVE_LINKS = (
    "INSERT INTO shot (id, sg_x_id, sg_x_type) VALUES (1, 10, 'Asset'), (2, NULL, NULL), (30, 10, 'Asset'),"
    " (31, 12, 'Asset'), (900, 13, 'Asset')"
)


def test_a_large_table_waits(engine_url: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    studio = _studio(tmp_path, engine_url, TEXT, FIVE)
    _change(studio, NUMBER)
    assert (
        "Shot.sg_x number: shot has more than 3 rows: their values are carried over by `sg-migrate carry`; until then"
        " they are in shot.sg_x__was_text only" in capsys.readouterr().err
    )
    assert studio.rows("SELECT id FROM shot WHERE sg_x IS NOT NULL") == []
    assert _pending(studio) == [("Shot", "sg_x", None)]
    studio.check()
    studio.execute("UPDATE shot SET sg_x = 5 WHERE id = 30")  # the studio's loader goes on

    done = studio.sg_migrate("carry", "--batch-size", "2")
    assert done.output == "Shot.sg_x: 3 of 4 values converted, 1 did not; the old ones stay in shot.sg_x__was_text\n"
    assert studio.rows("SELECT id, sg_x FROM shot ORDER BY id") == [(1, 1), (2, None), (30, 5), (31, None), (900, 900)]
    assert _pending(studio) == []
    assert studio.sg_migrate("carry").output == "Nothing is pending.\n"
    studio.check()
    with pytest.raises(DiscardError):
        studio.downgrade()


def test_a_small_table_does_not_wait(sqlite_url: str, tmp_path: Path) -> None:
    studio = _studio(tmp_path, sqlite_url, TEXT, FIVE, inline=5)
    _change(studio, NUMBER)
    assert studio.rows("SELECT count(sg_x) FROM shot") == [(3,)]
    assert studio.sg_migrate("carry").output == "Nothing is pending.\n"


def test_going_back_while_it_waits(server_url: str, tmp_path: Path) -> None:
    studio = _studio(tmp_path, server_url, TEXT, FIVE)
    before = studio.structure()
    _change(studio, NUMBER)
    studio.downgrade()
    assert studio.structure() == before
    assert _pending(studio) == []
    assert studio.rows("SELECT sg_x FROM shot ORDER BY id") == [("1",), ("2 frames",), ("30",), (None,), ("900",)]
    studio.upgrade()
    assert _pending(studio) == [("Shot", "sg_x", None)]


def test_links_wait_too(server_url: str, tmp_path: Path) -> None:
    studio = _studio(tmp_path, server_url, ONE, FIVE_LINKS)
    _change(studio, MANY)
    assert studio.rows("SELECT * FROM shot__sg_x") == []
    done = studio.sg_migrate("carry", "--batch-size", "2")
    assert done.output.startswith("Shot.sg_x: 4 of 4 values converted, 0 did not")
    assert studio.rows("SELECT count(*) FROM shot__sg_x") == [(4,)]

    studio.execute("INSERT INTO shot__sg_x VALUES (1, 'Asset', 11)")
    _change(studio, ONE)
    assert studio.rows("SELECT count(sg_x_id) FROM shot") == [(0,)]
    done = studio.sg_migrate("carry", "--batch-size", "2")
    assert done.output.startswith("Shot.sg_x: 3 of 4 values converted, 1 did not; the old ones stay in shot__sg_x__was")
    assert studio.rows("SELECT id, sg_x_id, sg_x_type FROM shot ORDER BY id") == [
        (1, None, None), (2, None, None), (30, 10, "Asset"), (31, 12, "Asset"), (900, 13, "Asset"),
    ]  # fmt: skip


def test_a_field_that_changes_again_is_finished_first(server_url: str, tmp_path: Path) -> None:
    studio = _studio(tmp_path, server_url, TEXT, FIVE)
    _change(studio, NUMBER)
    _change(studio, FLOAT)
    assert _pending(studio) == [("Shot", "sg_x", None)]
    assert studio.rows("SELECT sg_x__was_number FROM shot ORDER BY id") == [(1,), (None,), (30,), (None,), (900,)]
    studio.sg_migrate("carry")
    assert studio.rows("SELECT sg_x FROM shot ORDER BY id") == [(1.0,), (None,), (30.0,), (None,), (900.0,)]


def test_links_that_change_again_are_finished_first(server_url: str, tmp_path: Path) -> None:
    studio = _studio(tmp_path, server_url, ONE, FIVE_LINKS)
    for kind in (MANY, ONE, MANY):
        _change(studio, kind)
    assert studio.sg_migrate("carry").output.startswith("Shot.sg_x: 4 of 4 values converted")
    links = studio.rows("SELECT owner_id, linked_type, linked_id FROM shot__sg_x ORDER BY owner_id")
    assert links == [(1, "Asset", 10), (30, "Asset", 10), (31, "Asset", 12), (900, "Asset", 13)]


def test_a_table_that_got_another_name_meanwhile(sqlite_url: str, tmp_path: Path) -> None:
    studio = _studio(tmp_path, sqlite_url, TEXT, FIVE)
    _change(studio, NUMBER)
    studio.configure(carry_inline_rows="3", table_prefix="sg_")
    assert studio.revise()
    studio.upgrade()
    assert studio.sg_migrate("carry").output.startswith("Shot.sg_x: 3 of 4 values converted")
    assert studio.rows("SELECT count(sg_x) FROM sg_shot") == [(3,)]


def test_a_field_that_becomes_a_link_is_finished_first(server_url: str, tmp_path: Path) -> None:
    studio = _studio(tmp_path, server_url, TEXT, FIVE)
    _change(studio, NUMBER)
    _change(studio, ONE)
    assert studio.rows("SELECT sg_x__was_number FROM shot ORDER BY id") == [(1,), (None,), (30,), (None,), (900,)]
    assert studio.sg_migrate("carry").output == "Nothing is pending.\n"


def test_nothing_to_carry_over_to_any_more(sqlite_url: str, tmp_path: Path) -> None:
    """A note whose table has gone, by whatever way, is no reason to fail for ever."""
    studio = _studio(tmp_path, sqlite_url, TEXT, FIVE)
    _change(studio, NUMBER)
    studio.execute("UPDATE sg_carry SET entity_type = 'Gone'")
    done = studio.sg_migrate("carry")
    assert done.output == ("Gone.sg_x: nothing to carry over to any more; the old values stay in shot.sg_x__was_text\n")
    assert _pending(studio) == []


def test_another_application_beside_ours_does_not_see_the_table(sqlite_url: str, tmp_path: Path) -> None:
    studio = _studio(tmp_path, sqlite_url, TEXT, FIVE)
    _change(studio, NUMBER)
    env = studio.folder / "migrations" / "env.py"
    text = env.read_text("utf-8").replace(
        "**sg.options())", "**sg.options(target_metadata=__import__('sqlalchemy').MetaData()))"
    )
    env.write_text(text, "utf-8")
    studio.check()


@pytest.mark.parametrize(
    "engine",
    ["postgresql", pytest.param("sqlite", marks=pytest.mark.long), pytest.param("mariadb", marks=pytest.mark.long)],
)
def test_killed_and_gone_on(databases: Databases, engine: str, tmp_path: Path) -> None:
    _killed_at(databases.new(engine), tmp_path, 1000, 100, 1000, 2000)


@pytest.mark.long
@pytest.mark.parametrize("engine", ["sqlite", "postgresql", "mariadb"])
def test_killed_ten_times(databases: Databases, engine: str, tmp_path: Path) -> None:
    reached = _killed_at(databases.new(engine), tmp_path, 3000, *range(1, 8000, 800))
    print(f"{engine}: killed when these ids were done: {reached}")


def _killed_at(url: str, folder: Path, rows: int, *ids: int) -> list[int]:
    """Carry over, killed whenever one of these ids is done; gives the ids that were done by then."""
    values = ", ".join(f"({n * 3}, '{n}{'x' if n % 7 == 0 else ''}')" for n in range(1, rows + 1))
    studio = _studio(folder, url, TEXT, f"INSERT INTO shot (id, sg_x) VALUES {values}")
    _change(studio, NUMBER)
    points: list[int] = []
    for kill_at in ids:
        reached = _carry_until(studio, max(kill_at, points[-1] + 30 if points else 0))
        points.append(reached)
        assert kill_at <= reached < rows * 3
        done, ahead = studio.rows(
            f"SELECT count(CASE WHEN id <= {reached} THEN sg_x END), count(CASE WHEN id > {reached} THEN sg_x END)"
            " FROM shot"
        )[0]
        assert (done, ahead) == (reached // 3 - reached // 21, 0)
    finished = studio.run("sg-migrate", "carry")
    not_converted = rows // 7
    assert finished.stdout == (
        f"Shot.sg_x: {rows - not_converted} of {rows} values converted, {not_converted} did not;"
        " the old ones stay in shot.sg_x__was_text\n"
    )
    expected = [(n * 3, None if n % 7 == 0 else n) for n in range(1, rows + 1)]
    assert studio.rows("SELECT id, sg_x FROM shot ORDER BY id") == expected
    return points


def _carry_until(studio: Studio, last_id: int) -> int:
    """Kill ``sg-migrate carry`` once it has noted that id; the id that is noted then."""
    command = [str(Path(sys.executable).parent / "sg-migrate"), "carry", "--batch-size", "7"]
    with subprocess.Popen(command, cwd=studio.folder, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL) as process:
        deadline = time.monotonic() + 60
        while (_pending(studio)[0][2] or 0) < last_id:
            assert process.poll() is None, "it was done before it could be killed"
            assert time.monotonic() < deadline
            time.sleep(0.01)  # or the looking takes the time that the command needs
        process.send_signal(signal.SIGKILL)
    time.sleep(0.2)  # a server may still be busy with the last statement
    return int(_pending(studio)[0][2] or 0)
