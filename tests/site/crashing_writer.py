"""A program for the crash test: writes a snapshot in forked children that are killed, and says what was left.

Run with a folder. Prints a JSON list of ``[point, outcome, next]``: where the child was killed; whether the file was
then "old", "new" or "torn"; and whether the next ordinary write made it "new". Nothing of sg_migrate is changed: in the
child, ``os.fsync`` is wrapped and an audit hook watches for the rename.
"""

from __future__ import annotations

import contextlib
import json
import os
import random
import signal
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

from sg_migrate.site.schema import EntityType, Field, SiteSchema
from sg_migrate.site.snapshot import Snapshot, read_snapshot, write_snapshot

TIMES = 10
RANDOM_TIMES = 40


def snapshot(fields: int) -> Snapshot:
    codes = [f"sg_{number:04}" for number in range(fields)]
    return Snapshot(
        SiteSchema({"Shot": EntityType("Shot", "Shot", True, {c: Field("Shot", c, "text") for c in codes})})
    )


OLD, NEW = snapshot(300), snapshot(600)


def die() -> None:
    os.kill(os.getpid(), signal.SIGKILL)


def at_fsync(number: int, after: bool) -> Callable[[], None]:
    """Die at the ``number``-th fsync: 1 is the file's, 2 the folder's."""

    def arm() -> None:
        original, calls = os.fsync, iter(range(1, 10))

        def fsync(fd: Any) -> None:
            here = next(calls) == number
            if here and not after:
                die()
            original(fd)
            if here:
                die()

        os.fsync = fsync

    return arm


def at_rename() -> None:
    """Die when the rename is about to happen."""
    sys.addaudithook(lambda event, _: die() if event == "os.rename" else None)


POINTS: dict[str, Callable[[], None]] = {
    "before the file's fsync": at_fsync(1, after=False),
    "after the file's fsync": at_fsync(1, after=True),
    "before the rename": at_rename,
    "after the rename": at_fsync(2, after=False),
    "after the folder's fsync": at_fsync(2, after=True),
}


def killed(path: Path, arm: Callable[[], None], delay: float | None) -> None:
    """Write NEW in a child; it is killed where ``arm`` says, or after ``delay`` seconds."""
    child = os.fork()
    if child == 0:
        arm()
        write_snapshot(path, NEW)
        os._exit(0)
    if delay is not None:
        time.sleep(delay)
        with contextlib.suppress(ProcessLookupError):
            os.kill(child, signal.SIGKILL)
    os.waitpid(child, 0)


def outcome(path: Path) -> str:
    text = path.read_text(encoding="utf-8")
    read_snapshot(path)
    return {OLD.text(): "old", NEW.text(): "new"}.get(text, "torn")


def trial(path: Path, point: str, arm: Callable[[], None], delay: float | None = None) -> list[str]:
    write_snapshot(path, OLD)
    killed(path, arm, delay)
    left = outcome(path)
    write_snapshot(path, NEW)
    return [point, left, outcome(path)]


def main(folder: Path) -> None:
    path = folder / "site_schema.json"
    results = [trial(path, point, arm) for point, arm in POINTS.items() for _ in range(TIMES)]
    order = random.Random(7)
    start = time.perf_counter()
    trial(path, "", lambda: None)
    whole = time.perf_counter() - start
    for _ in range(RANDOM_TIMES):
        results.append(trial(path, "at random", lambda: None, delay=order.uniform(0, whole)))
    print(json.dumps(results))


if __name__ == "__main__":
    main(Path(sys.argv[1]))
