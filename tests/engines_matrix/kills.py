"""Kills migrations with SIGKILL at every statement and finishes them; run by test_resume.py in a process of its own.

    python kills.py FOLDER URL REPEATS STRIDE

FOLDER is a project with the revisions r1 and r2; the database of URL is empty. Every STRIDE-th statement is met.
The variable RENAMED says which columns r2 renames, as JSON: a list of pairs of [table, column].
Prints one JSON object a line for each kill: where it fell, what `sg-migrate resume` said, and what was wrong
afterwards.
"""

from __future__ import annotations

import json
import os
import signal
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import sqlalchemy as sa
from oracle import Oracle
from sqlalchemy import event
from structure import Structure, diff_structure, snapshot_structure
from studio import Studio

from sg_migrate.revisions.resume import resume

WRITES = ("CREATE", "ALTER", "DROP", "RENAME", "UPDATE", "INSERT", "DELETE")
PHASES = (("base", "r1"), ("r1", "r2"), ("r2", "r1"))
RENAMED: dict[Any, Any] = {tuple(old): tuple(new) for old, new in json.loads(os.environ["RENAMED"])}
"""The names that values have at r2."""


class Kill:
    """Ends this process before or after its n-th statement that writes; counts them for n = 0."""

    def __init__(self, number: int = 0, when: str = "before") -> None:
        self.number, self.when = number, when
        self.statements: list[str] = []
        event.listen(sa.Engine, "before_cursor_execute", self.before)
        event.listen(sa.Engine, "after_cursor_execute", self.after)

    def __enter__(self) -> Kill:
        return self

    def __exit__(self, *_: object) -> None:
        event.remove(sa.Engine, "before_cursor_execute", self.before)
        event.remove(sa.Engine, "after_cursor_execute", self.after)

    def before(self, connection: Any, cursor: Any, statement: str, *_: Any) -> None:
        if statement.split()[0].upper() in WRITES:
            self.statements.append(" ".join(statement.split())[:60])
            self.end_at("before")

    def after(self, connection: Any, cursor: Any, statement: str, *_: Any) -> None:
        if statement.split()[0].upper() in WRITES:
            self.end_at("after")

    def end_at(self, when: str) -> None:
        if when == self.when and len(self.statements) == self.number:
            os.kill(os.getpid(), signal.SIGKILL)


def go(studio: Studio, begin: str, end: str) -> None:
    """From one revision to another; "base" comes before "r1" in the alphabet too."""
    studio.upgrade(end) if begin < end else studio.downgrade(end)


def killed(work: Callable[[], None], number: int, when: str) -> None:
    """Do some work in a child that is killed at a statement."""
    child = os.fork()
    if child == 0:
        Kill(number, when)
        work()
        os._exit(0)
    _, status = os.waitpid(child, 0)
    if not os.WIFSIGNALED(status):
        raise RuntimeError(f"the child was not killed at statement {number}")


def structure(url: str) -> Structure:
    return snapshot_structure(url, ignore=["sg_carry"])


def main(folder: Path, url: str, repeats: int, stride: int) -> None:
    studio = Studio.at(folder, url)
    oracle = Oracle(url, ignore=["sg_catalog_*", "sg_carry"])
    go(studio, "base", "r1")
    go(studio, "r1", "base")
    states = {"base": structure(url)}
    for begin, end in PHASES:
        with Kill() as counted:
            go(studio, begin, end)
        states.setdefault(end, structure(url))
        go(studio, end, begin)
        for number, statement in list(enumerate(counted.statements, 1))[::stride]:
            for when in ("before", "after") * repeats:
                killed(lambda: go(studio, begin, end), number, when)  # noqa: B023 - called at once
                wrong = []
                try:
                    resumed = resume(studio.config())
                    go(studio, begin, end) if begin != "r2" or not resumed else None
                    wrong = diff_structure(structure(url), states[end])
                    if end == "r2":
                        studio.check()
                    if begin != "base":
                        oracle.verify(renamed=RENAMED if end == "r2" else {})
                    go(studio, end, begin)
                    wrong += diff_structure(structure(url), states[begin])
                except Exception as error:
                    wrong.append(f"{type(error).__name__}: {error}")
                finished = [resumed.direction, resumed.had_run, resumed.ran_now] if resumed else None
                outcome = {"phase": f"{begin} -> {end}", "statement": f"{number} {statement}", "when": when}
                print(json.dumps({**outcome, "resumed": finished, "wrong": wrong[:3]}), flush=True)
                if wrong:
                    return
        go(studio, begin, end)
        if end == "r1" and begin == "base":
            oracle.fill()


if __name__ == "__main__":
    main(Path(sys.argv[1]), sys.argv[2], int(sys.argv[3]), int(sys.argv[4]))
