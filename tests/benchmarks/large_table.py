"""How long a reader and a writer are blocked while a large PostgreSQL table changes: our revisions, and plain ALTERs.

    python tests/benchmarks/large_table.py [--rows 2000000]

One table as EventLogEntry has it, and two copies of the same database. In one the revisions of a project run through
the real commands; in the other the statements that stock Alembic would emit for the same change. All the while a reader
and a writer each go on with a short statement on the table, and the longest that one of theirs took is printed.
"""

from __future__ import annotations

import argparse
import os
import random
import signal
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import sqlalchemy as sa

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from engines import Databases, Servers
from sites import site
from studio import Studio, execute

FIELDS = {
    "event_type": "list", "description": "text", "meta": "serializable", "created_at": "date_time",
    "entity": "entity:Shot", "user": "entity:HumanUser", "session_uuid": "uuid", "sg_frames": "text",
    **{f"sg_old_{n}": "text" for n in range(10)},
}  # fmt: skip
ROWS = """
    INSERT INTO event_log_entry (id, event_type, description, meta, created_at, entity_id, entity_type, session_uuid,
                                 sg_frames, sg_old_0, sg_old_9)
    SELECT n, 'Shotgun_Shot_Change', 'changed the status of shot ' || n, jsonb_build_object('old', n, 'new', n + 1),
           timestamptz '2024-01-01' + n * interval '1 second', n / 10, 'Shot', md5(n::text),
           CASE WHEN mod(n, 20) = 0 THEN n || ' frames' ELSE n::text END, 'old ' || n, 'older ' || n
    FROM generate_series(1, {rows}) n"""


class Worker(threading.Thread):
    """Repeats one short statement on the table, and remembers how long the longest took."""

    def __init__(self, url: str, statement: str, rows: int) -> None:
        super().__init__(daemon=True)
        self.url, self.statement, self.rows = url, sa.text(statement), rows
        self.longest = 0.0
        self.done = threading.Event()

    def run(self) -> None:
        chance = random.Random(7)
        unprepared = {"prepare_threshold": None}  # a prepared statement fails once when a column's type has changed
        engine = sa.create_engine(self.url, poolclass=sa.NullPool, connect_args=unprepared)
        with engine.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
            while not self.done.is_set():
                begun = time.perf_counter()
                connection.execute(self.statement, {"id": chance.randint(1, self.rows)}).close()
                self.longest = max(self.longest, time.perf_counter() - begun)
                time.sleep(0.002)


@contextmanager
def workers(url: str, rows: int) -> Iterator[tuple[Worker, Worker]]:
    reader = Worker(url, "SELECT event_type, meta FROM event_log_entry WHERE id = :id", rows)
    writer = Worker(url, "UPDATE event_log_entry SET description = 'written' WHERE id = :id", rows)
    for worker in (reader, writer):
        worker.start()
    time.sleep(0.5)
    reader.longest = writer.longest = 0.0
    try:
        yield reader, writer
    finally:
        for worker in (reader, writer):
            worker.done.set()
            worker.join()


class Measured:
    """One change: how long it took, and the longest that reader and writer waited."""

    def __init__(self, seconds: float, reader: float, writer: float) -> None:
        self.seconds, self.reader, self.writer = seconds, reader, writer

    def __str__(self) -> str:
        return f"{self.seconds:8.2f} s {self.reader * 1000:9.0f} ms {self.writer * 1000:9.0f} ms"


@contextmanager
def measured(url: str, rows: int, into: list[Measured]) -> Iterator[None]:
    with workers(url, rows) as (reader, writer):
        begun = time.perf_counter()
        yield
        seconds = time.perf_counter() - begun
        time.sleep(0.2)
        into.append(Measured(seconds, reader.longest, writer.longest))


def command(studio: Studio, *arguments: str, kill_after: float | None = None) -> bool:
    """Run a command of ours as a user would; whether it ended by itself."""
    process = subprocess.Popen(
        [sys.executable, "-m", *arguments],
        cwd=studio.folder, env=os.environ | {"DATABASE_URL": studio.url},
        stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True,
    )  # fmt: skip
    try:
        output, _ = process.communicate(timeout=kill_after)
    except subprocess.TimeoutExpired:
        process.send_signal(signal.SIGKILL)
        process.communicate()
        return False
    if process.returncode:
        raise SystemExit(f"{' '.join(arguments)}:\n{output}")
    return True


def prepare(folder: Path, url: str) -> Studio:
    """A project at its first revision, with the revisions of every change written."""
    studio = Studio(folder, url)
    others = {"Shot": {"code": "text"}, "HumanUser": {"login": "text"}}
    added = {**FIELDS, **{f"sg_new_{n}": kind for n, kind in enumerate(("text", "number", "date", "list", "float"))}}
    kept = {code: kind for code, kind in added.items() if not code.startswith("sg_old_")}
    longer = {**kept, "event_type": "text"}
    for number, fields in enumerate((FIELDS, added, kept, longer, {**longer, "sg_frames": "number"}), 1):
        studio.follow(site(others, EventLogEntry=fields), f"r{number}")
    studio.upgrade("r1")
    return studio


STOCK = {
    "add five fields": [
        f"ALTER TABLE event_log_entry ADD COLUMN sg_new_{n} {kind}"
        for n, kind in enumerate(("TEXT", "INTEGER", "DATE", "VARCHAR(255)", "DOUBLE PRECISION"))
    ],
    "ten fields vanish": [f"ALTER TABLE event_log_entry DROP COLUMN sg_old_{n}" for n in range(10)],
    "list -> text": ["ALTER TABLE event_log_entry ALTER COLUMN event_type TYPE TEXT"],
    "text -> number": [
        "ALTER TABLE event_log_entry ALTER COLUMN sg_frames TYPE INTEGER"
        " USING CASE WHEN sg_frames ~ '^[0-9]{1,9}$' THEN sg_frames::integer END"
    ],
}


def main() -> None:
    arguments = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    arguments.add_argument("--rows", type=int, default=2_000_000)
    rows = arguments.parse_args().rows
    with tempfile.TemporaryDirectory() as folder, Servers() as servers, Databases(servers, Path(folder)) as databases:
        ours_url, stock_url = databases.new("postgresql"), databases.new("postgresql")
        studio = prepare(Path(folder) / "project", ours_url)
        studio.upgrade("r1", url=stock_url)
        for url in (ours_url, stock_url):
            execute(url, ROWS.format(rows=rows))
        idle: list[Measured] = []
        with measured(ours_url, rows, idle):
            time.sleep(2)
        print(f"{rows:,} rows; change, its seconds, the longest statement of a reader and of a writer meanwhile")
        print(f"{'nothing':20} {'':6} {idle[0]}")
        for number, (change, statements) in enumerate(STOCK.items(), 2):
            compare(change, studio, f"r{number}", stock_url, statements, rows)
        carry(studio, rows)


def compare(change: str, studio: Studio, revision: str, stock_url: str, statements: list[str], rows: int) -> None:
    """Our revision, and the statements that stock Alembic emits for the change: one transaction, too."""
    found: list[Measured] = []
    with measured(studio.url, rows, found):
        command(studio, "alembic", "upgrade", revision)
    with measured(stock_url, rows, found):
        execute(stock_url, *statements)
    ours, stock = found
    print(f"{change:20} ours   {ours}")
    print(f"{'':20} stock  {stock}   blocked {stock.writer / ours.writer:.1f} times as long", flush=True)


def carry(studio: Studio, rows: int) -> None:
    """The values of the conversion, in batches: killed once on the way, and gone on with."""
    found: list[Measured] = []
    with measured(studio.url, rows, found):
        ended = command(studio, "sg_migrate", "carry", kill_after=3)
        command(studio, "sg_migrate", "carry")
    print(f"{'sg-migrate carry':20} {'' if ended else 'killed':6} {found[0]}")
    carried = studio.value("SELECT count(*) FROM event_log_entry WHERE sg_frames IS NOT NULL")
    if carried != rows - rows // 20:
        raise SystemExit(f"{carried} values were carried over, not {rows - rows // 20}")
    print(f"{carried:,} values carried over, {rows // 20:,} did not convert and stay in sg_frames__was_text")


if __name__ == "__main__":
    main()
