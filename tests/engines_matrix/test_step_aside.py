"""A carry-over beside people at work: nobody becomes the victim of a deadlock with it, and every value is right."""

from __future__ import annotations

import random
import threading
import time
from collections.abc import Callable
from pathlib import Path

import pytest
import sqlalchemy as sa
from sites import site
from studio import Studio

from sg_migrate.revisions.finish import finish_conversions
from sg_migrate.warehouse.mark import Mark

pytestmark = pytest.mark.long

ROWS = 40_000
WRITERS = 4
TRANSACTIONS = 10_000
TOGETHER = 5
"""Rows that a transaction of a writer updates, in any order; each writer has rows of its own."""

KINDS = {
    "column": (site(Shot={"code": "text", "sg_x": "text"}), site(Shot={"code": "text", "sg_x": "number"})),
    "links": (
        site(Shot={"code": "text", "sg_x": "entity:Asset"}, Asset={"code": "text"}),
        site(Shot={"code": "text", "sg_x": "multi_entity:Asset"}, Asset={"code": "text"}),
    ),
}
FILLED = {
    "column": ("sg_x", "CAST(seq AS CHAR(9))"),
    "links": ("sg_x_id, sg_x_type", "MOD(seq, 7) + 1, 'Asset'"),
}


class Writers:
    """Threads that update several rows a transaction, until they have done their number."""

    def __init__(self, url: str) -> None:
        self.engine = sa.create_engine(url, pool_size=WRITERS)
        self.errors: list[str] = []
        self.done = 0
        self._lock = threading.Lock()
        self._threads = [threading.Thread(target=self._run, args=(number,)) for number in range(WRITERS)]

    def _run(self, number: int) -> None:
        chance = random.Random(number)
        with self.engine.connect() as connection:
            for _ in range(TRANSACTIONS // WRITERS):
                first = chance.randrange(1, ROWS - 400) // WRITERS * WRITERS + number + 1
                ids = chance.sample(range(first, first + 400, WRITERS), TOGETHER)
                try:
                    with connection.begin():
                        for row in ids:
                            connection.exec_driver_sql(f"UPDATE shot SET code = 'w{number}' WHERE id = {row}")
                except sa.exc.DBAPIError as error:
                    self.errors.append(str(error.orig))
                with self._lock:
                    self.done += 1

    def watch(self, mark: Mark, rows: int) -> Callable[[int], None]:
        """Has the carry-over take as long as the writers do: the next batch waits until they are as far."""
        seen = 0

        def advance(number: int) -> None:
            nonlocal seen
            seen += number
            while self.done < TRANSACTIONS * seen // rows and any(thread.is_alive() for thread in self._threads):
                time.sleep(0.001)

        return advance

    def __enter__(self) -> Writers:
        for thread in self._threads:
            thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        for thread in self._threads:
            thread.join()
        self.engine.dispose()


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("engine", ["postgresql", "mariadb"])
def test_nobody_is_the_victim_of_a_deadlock(
    request: pytest.FixtureRequest, tmp_path: Path, engine: str, kind: str
) -> None:
    url = request.getfixturevalue(f"{engine}_url")
    studio = Studio(tmp_path / "project", url, carry_inline_rows="10")
    before, after = KINDS[kind]
    studio.follow(before, "r1")
    studio.upgrade()
    numbers = f"seq_1_to_{ROWS}" if engine == "mariadb" else f"generate_series(1, {ROWS}) AS seq"
    value = {"column": ("sg_x", "CAST(seq AS CHAR(9))"), "links": ("sg_x_id, sg_x_type", "MOD(seq, 7) + 1, 'Asset'")}[
        kind
    ]
    studio.execute(f"INSERT INTO shot (id, code, {value[0]}) SELECT seq, 'x', {value[1]} FROM {numbers}")
    studio.follow(after, "r2")
    studio.upgrade()
    with Writers(url) as writers:
        for _ in finish_conversions(studio.project(), 200, writers.watch):
            pass
    assert writers.done == TRANSACTIONS
    assert writers.errors == []
    if kind == "column":
        assert studio.rows("SELECT COUNT(*) FROM shot WHERE sg_x = id") == [(ROWS,)]
    else:
        assert studio.rows("SELECT COUNT(*), SUM(linked_id) FROM shot__sg_x") == studio.rows(
            "SELECT COUNT(*), SUM(MOD(id, 7) + 1) FROM shot"
        )
