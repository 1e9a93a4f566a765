"""Galera: two nodes of MariaDB, whose revisions, carry-overs and loads go to either, and of which one is killed."""

from __future__ import annotations

import os
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
import sqlalchemy as sa
from engines import EngineMissingError
from galera import Cluster, Node
from loads import fill, loads, same
from oracle import Oracle
from people import STUDIO
from sites import REAL, SAMPLES, site
from structure import diff_structure, snapshot_structure
from studio import Studio

from sg_migrate import load_schema

pytestmark = pytest.mark.long


@pytest.fixture(scope="module")
def running() -> Iterator[Cluster]:
    try:
        with Cluster() as cluster:
            yield cluster
    except EngineMissingError as error:
        if os.environ.get("SG_MIGRATE_REQUIRE_ENGINES") == "1":
            pytest.fail(f"galera: {error}", pytrace=False)
        pytest.skip(f"galera: {error}")


@pytest.fixture
def cluster(running: Cluster) -> Iterator[Cluster]:
    """Both nodes are there when a test begins, and in step when it has ended."""
    yield running
    for node in running.nodes:
        if not node.is_running():
            node.leave()
            node.start()
    for node in running.nodes:
        wait(node.is_ready)


def wait(until: Callable[[], bool], seconds: float = 60) -> None:
    deadline = time.monotonic() + seconds
    while not until():
        assert time.monotonic() < deadline
        time.sleep(0.1)


def equal(cluster: Cluster, urls: list[str]) -> None:
    """Both nodes have the same tables and rows."""
    for node in cluster.nodes:
        wait(node.is_ready)
    assert diff_structure(*(snapshot_structure(url) for url in urls)) == []
    names = sa.inspect(sa.create_engine(urls[0], poolclass=sa.NullPool)).get_table_names()
    database = sa.make_url(urls[0]).database or ""
    sums = [node.execute(f"CHECKSUM TABLE {', '.join(f'`{name}`' for name in names)}", database=database)
            for node in cluster.nodes]  # fmt: skip
    assert list(map(tuple, sums[0])) == list(map(tuple, sums[1]))


STATES = REAL or SAMPLES


def test_a_history_whose_revisions_alternate_between_the_nodes(cluster: Cluster, tmp_path: Path) -> None:
    urls = cluster.create_database()
    studio = Studio(tmp_path / "project", urls[0])
    oracle = Oracle(urls[0], ignore=["sg_catalog_*", "sg_carry"])
    for number, state in enumerate(SAMPLES, 1):
        studio.follow(load_schema(state).schema, f"r{number}")
        studio.upgrade(f"r{number}", url=urls[number % 2])
        if number == 1:
            oracle.fill()
    studio.check(url=urls[1])
    equal(cluster, urls)
    after = snapshot_structure(urls[0])
    studio.downgrade("r1", url=urls[1])
    oracle.verify()
    studio.upgrade("head", url=urls[0])
    assert diff_structure(after, snapshot_structure(urls[1])) == []
    equal(cluster, urls)


def in_the_middle(node: Node, command: subprocess.Popen[str], when: Callable[[], bool]) -> tuple[int, str]:
    """Kill a node as soon as a command that works on it is so far; the command's exit code and what it said."""
    wait(lambda: when() or command.poll() is not None, 120)
    assert command.poll() is None, "it was over before the node was killed"
    node.kill()
    said, _ = command.communicate(timeout=120)
    return command.returncode, said


def started(studio: Studio, url: str, *command: str, **environment: str) -> subprocess.Popen[str]:
    program = Path(sys.executable).parent / command[0]
    return subprocess.Popen(
        [str(program), *command[1:]], cwd=studio.folder, env=os.environ | {"DATABASE_URL": url, **environment},
        stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True,
    )  # fmt: skip


def rows(url: str, query: str) -> list[tuple[object, ...]]:
    engine = sa.create_engine(url, poolclass=sa.NullPool)
    with engine.connect() as connection:
        return [tuple(row) for row in connection.exec_driver_sql(query)]


def test_a_node_killed_in_the_middle_of_an_upgrade(cluster: Cluster, tmp_path: Path) -> None:
    """The other takes over with the same command, or with `resume` where that one says so."""
    urls = cluster.create_database()
    studio = Studio(tmp_path / "project", urls[0])
    studio.follow(load_schema(STATES[-1]).schema, "r1")
    there = "SELECT COUNT(*) FROM information_schema.tables WHERE table_schema = DATABASE()"
    for killed, words in ((1, "alembic upgrade head"), (1, "sg-migrate resume")):
        node, other = cluster.nodes[killed], cluster.nodes[1 - killed]
        begun = int(str(rows(urls[1 - killed], there)[0][0]))
        command = started(studio, urls[killed], *words.split())
        code, said = in_the_middle(
            node,
            command,
            lambda: int(str(rows(urls[1 - killed], there)[0][0])) > begun + 20,  # noqa: B023
        )
        assert code, said
        assert "Traceback" not in said
        assert "sg-migrate resume" in said
        wait(other.is_ready)
        node.start()
    resumed = started(studio, urls[0], "sg-migrate", "resume")
    said, _ = resumed.communicate()
    assert resumed.returncode == 0, said
    studio.upgrade("head", url=urls[0])
    studio.check(url=urls[1])
    equal(cluster, urls)


BEFORE = site(Shot={"code": "text", "sg_x": "text"})
AFTER = site(Shot={"code": "text", "sg_x": "number"})
MANY = 60_000


def large(cluster: Cluster, folder: Path, rows: int = MANY) -> tuple[Studio, list[str]]:
    """A table with so many numbers that are texts, and the revision that makes numbers of them."""
    urls = cluster.create_database()
    studio = Studio(folder / "project", urls[0], carry_inline_rows="100")
    studio.follow(BEFORE, "r1")
    studio.upgrade("head", url=urls[0])
    studio.execute(
        "INSERT INTO shot (id, code, sg_x) SELECT seq, 'x', IF(MOD(seq, 10) = 0, CONCAT('wk ', seq), seq)"
        f" FROM seq_1_to_{rows}"
    )
    studio.follow(AFTER, "r2")
    return studio, urls


def carried(url: str, rows_: int = MANY) -> None:
    right = "SELECT SUM(sg_x = id), SUM(sg_x IS NULL), SUM(sg_x__was_text IS NOT NULL) FROM shot"
    assert [tuple(map(int, row)) for row in rows(url, right)] == [(rows_ * 9 // 10, rows_ // 10, rows_)]  # type: ignore[arg-type]


def test_a_node_killed_in_the_middle_of_a_carry_over(cluster: Cluster, tmp_path: Path) -> None:
    studio, urls = large(cluster, tmp_path)
    studio.upgrade("head", url=urls[0])
    position = "SELECT last_id FROM sg_carry"
    command = started(studio, urls[1], "sg-migrate", "carry", "--batch-size", "500")
    code, said = in_the_middle(cluster.nodes[1], command, lambda: (rows(urls[0], position)[0][0] or 0) > 5000)  # type: ignore[operator]
    assert code == 1, said
    assert "Traceback" not in said
    wait(cluster.nodes[0].is_ready)
    done = started(studio, urls[0], "sg-migrate", "carry")
    said, _ = done.communicate()
    assert done.returncode == 0, said
    carried(urls[0])
    cluster.nodes[1].start()
    carried(urls[1])
    equal(cluster, urls)


def test_conflicts_with_the_other_node_are_tried_again(cluster: Cluster, tmp_path: Path) -> None:
    """Writers on the other node change the rows that are carried over, inline and in batches; nothing is lost."""
    studio, urls = large(cluster, tmp_path, 20_000)
    studio.configure(carry_inline_rows="1000000")
    over = threading.Event()
    written = [0]

    def write() -> None:
        engine = sa.create_engine(urls[1], poolclass=sa.NullPool, isolation_level="AUTOCOMMIT")
        with engine.connect() as connection:
            number = 0
            while not over.is_set():
                number = number % 20_000 + 7
                try:
                    connection.exec_driver_sql(f"UPDATE shot SET code = 'w{written[0]}' WHERE id = {number}")
                except sa.exc.DBAPIError:  # DDL on the other node takes the table, or its update won
                    continue
                written[0] += 1

    before = conflicts(cluster)
    writers = [threading.Thread(target=write) for _ in range(2)]
    for writer in writers:
        writer.start()
    try:
        studio.upgrade("head", url=urls[0])
        carried(urls[0], 20_000)
        studio.downgrade("r1", url=urls[0])
        studio.configure(carry_inline_rows="10")
        studio.upgrade("head", url=urls[0])
        done = started(studio, urls[0], "sg-migrate", "carry", "--batch-size", "500")
        said, _ = done.communicate()
        assert done.returncode == 0, said
    finally:
        over.set()
        for writer in writers:
            writer.join()
    carried(urls[0], 20_000)
    assert written[0] > 100
    assert conflicts(cluster) > before, "they were never in each other's way, so nothing was shown"
    equal(cluster, urls)


def conflicts(cluster: Cluster) -> int:
    """How many transactions the nodes gave back."""
    names = ("wsrep_local_cert_failures", "wsrep_local_bf_aborts")
    return sum(int(node.status(name)) for node in cluster.nodes for name in names)


def test_loads_to_both_nodes_at_once(cluster: Cluster, tmp_path: Path) -> None:
    urls = cluster.create_database()
    with loads(tmp_path / "project", urls[0], STUDIO) as studio:
        fill(studio, 3000)
        both = [started(studio.studio, url, "sg-migrate", "load", "--full", **studio.site.environment) for url in urls]
        for command in both:
            said, _ = command.communicate(timeout=300)
            assert command.returncode == 0, said
        same(studio)
        wait(lambda: rows(urls[1], "SELECT COUNT(*) FROM shot") == rows(urls[0], "SELECT COUNT(*) FROM shot"))
        equal(cluster, urls)


def test_a_node_killed_in_the_middle_of_a_load(cluster: Cluster, tmp_path: Path) -> None:
    urls = cluster.create_database()
    with loads(tmp_path / "project", urls[0], STUDIO) as studio:
        fill(studio, 4000)
        studio.site.latency = 0.1
        command = started(studio.studio, urls[1], "sg-migrate", "load", "--jobs", "1", **studio.site.environment)
        count = "SELECT COUNT(*) FROM shot"
        code, said = in_the_middle(cluster.nodes[1], command, lambda: 0 < rows(urls[0], count)[0][0] < 3500)  # type: ignore[operator]
        assert code == 1, said
        assert "Traceback" not in said
        studio.site.latency = 0
        wait(cluster.nodes[0].is_ready)
        done = started(studio.studio, urls[0], "sg-migrate", "load", **studio.site.environment)
        said, _ = done.communicate()
        assert done.returncode == 0, said
        same(studio)
    cluster.nodes[1].start()
    equal(cluster, urls)


def test_a_node_outside_of_the_primary_component_is_said(cluster: Cluster, tmp_path: Path) -> None:
    urls = cluster.create_database()
    studio = Studio(tmp_path / "project", urls[1])
    studio.follow(BEFORE, "r1")
    node = cluster.nodes[1]
    node.execute("SET GLOBAL wsrep_provider_options = 'gmcast.isolate=1; pc.ignore_sb=false'")
    wait(lambda: not node.is_ready())
    try:
        commands = "alembic upgrade head|alembic current|sg-migrate check|sg-migrate carry|sg-migrate usage"
        for command in commands.split("|"):
            done = started(studio, urls[1], *command.split())
            said, _ = done.communicate()
            assert done.returncode in (1, 255), said
            assert "Traceback" not in said, command
            assert "this node of a Galera cluster takes no statements now" in said, (command, said)
    finally:
        node.kill()
        node.start()
    studio.upgrade("head", url=urls[1])


def test_every_table_has_a_primary_key(cluster: Cluster, tmp_path: Path) -> None:
    urls = cluster.create_database()
    studio = Studio(tmp_path / "project", urls[0])
    for number, state in enumerate(SAMPLES, 1):
        studio.follow(load_schema(state).schema, f"r{number}")
    studio.upgrade("head", url=urls[0])
    without = """
        SELECT t.table_name FROM information_schema.tables t LEFT JOIN information_schema.table_constraints c
            ON c.table_schema = t.table_schema AND c.table_name = t.table_name AND c.constraint_type = 'PRIMARY KEY'
        WHERE t.table_schema = DATABASE() AND c.table_name IS NULL"""
    assert rows(urls[0], without) == []
