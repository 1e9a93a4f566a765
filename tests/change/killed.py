"""Runs a command in this process and kills it, as a power cut would, at the n-th passing of a named point.

    python killed.py "before ddl" 3 alembic upgrade head

The points hang on Python's and SQLAlchemy's own hooks; nothing of the product is replaced. With ``count`` as the
point nothing is killed, and the last line of stderr says how often each point was passed.
"""

from __future__ import annotations

import atexit
import json
import os
import re
import runpy
import signal
import stat
import sys
from collections import Counter
from pathlib import Path
from typing import Any

STATEMENTS = {
    "stamp": re.compile(r"\s*(INSERT INTO|UPDATE|DELETE FROM) alembic_version", re.IGNORECASE),
    "ddl": re.compile(r"\s*(CREATE|ALTER|DROP|COMMENT)\b", re.IGNORECASE),
    "values": re.compile(r"\s*(INSERT|UPDATE|DELETE)\b", re.IGNORECASE),
}
passed: Counter[str] = Counter()


def arm(point: str, number: int) -> None:
    """From now on passing ``point`` for the ``number``-th time is the end."""

    def passing(name: str) -> None:
        passed[name] += 1
        if name == point and passed[name] == number:
            os.kill(os.getpid(), signal.SIGKILL)

    arm_files(passing)
    arm_statements(passing)
    atexit.register(passing, "exit")


def arm_files(passing: Any) -> None:
    """The snapshot's fsync and rename, and the moment before a revision's file is made."""
    fsync, replace = os.fsync, os.replace

    def noted_fsync(descriptor: int) -> None:
        name = "fsync" if stat.S_ISREG(os.fstat(descriptor).st_mode) else "folder fsync"
        passing(f"before {name}")
        fsync(descriptor)
        passing(f"after {name}")

    def noted_replace(*arguments: Any, **options: Any) -> None:
        passing("before rename")
        replace(*arguments, **options)
        passing("after rename")

    vars(os).update(fsync=noted_fsync, replace=noted_replace)

    def opened(event: str, arguments: tuple[Any, ...]) -> None:
        if event == "open" and "/versions/" in str(arguments[0]) and "w" in str(arguments[1]):
            passing("before revision" if str(arguments[0]).endswith(".py") else "cache")

    sys.addaudithook(opened)


def arm_statements(passing: Any) -> None:
    """Every statement by its kind, and the commit that follows the stamp."""
    from sqlalchemy import Engine, event
    from sqlalchemy.engine.default import DefaultDialect

    def noted(when: str) -> Any:
        def on_statement(connection: Any, cursor: Any, statement: str, *_: Any) -> None:
            for name, pattern in STATEMENTS.items():
                if pattern.match(statement):
                    passing(f"{when} {name}")
                    break

        return on_statement

    event.listen(Engine, "before_cursor_execute", noted("before"))
    event.listen(Engine, "after_cursor_execute", noted("after"))
    commit = DefaultDialect.do_commit

    def noted_commit(dialect: Any, connection: Any) -> None:
        stamped = passed["after stamp"]
        if stamped:
            passing("before commit")
        call(commit, dialect, connection)
        if stamped:
            passing("after commit")

    DefaultDialect.do_commit = noted_commit  # type: ignore[method-assign]


def call(function: Any, *arguments: Any) -> None:
    function(*arguments)


def main() -> None:
    """See above."""
    point, number, command = sys.argv[1], int(sys.argv[2]), sys.argv[3]
    arm(point, number)
    if point == "count":
        atexit.register(lambda: print("\n" + json.dumps(passed), file=sys.stderr))
    sys.argv = [command, *sys.argv[4:]]
    runpy.run_path(str(Path(sys.executable).parent / command), run_name="__main__")


if __name__ == "__main__":
    main()
