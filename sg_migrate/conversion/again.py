"""Trying again what an engine gave back: the victim of a deadlock, and what a cluster's other nodes were faster with.

An engine that takes a transaction back says so with a code of its own and has undone all of it; doing it once more is
what its documentation asks for. Galera does so at a commit too, where another node has written the same rows.
"""

from __future__ import annotations

import random
import time
from collections.abc import Callable
from typing import Final, TypeVar

from sqlalchemy.exc import DBAPIError

ATTEMPTS: Final = 12
"""With the pauses below it is some 20 seconds in all."""
_GIVEN_BACK: Final = ("40P01", "40001", 1213)
"""PostgreSQL: deadlock_detected, serialization_failure. MySQL, MariaDB, Galera: ER_LOCK_DEADLOCK."""

_T = TypeVar("_T")


def is_given_back(error: DBAPIError) -> bool:
    """Whether the engine has undone the transaction, and the same may well succeed now."""
    code = getattr(error.orig, "sqlstate", None)
    first = error.orig.args[0] if error.orig is not None and error.orig.args else None
    return code in _GIVEN_BACK or first in _GIVEN_BACK


def again(
    work: Callable[[], _T],
    undo: Callable[[], object] = lambda: None,
    passing: Callable[[DBAPIError], bool] = is_given_back,
) -> _T:
    """Do some work, and once more from its beginning where the engine gives it back.

    Args:
        work: a transaction from beginning to end.
        undo: done between two attempts; the engine has undone the work by then.
        passing: which errors are worth another attempt.

    Raises:
        DBAPIError: another error, or the last of all attempts.
    """
    for attempt in range(1, ATTEMPTS):
        try:
            return work()
        except DBAPIError as error:
            if not passing(error):
                raise
            undo()
            pause(attempt)
    return work()


def pause(attempt: int) -> None:
    """Wait, longer each time, and by chance: two that were in each other's way are not to meet again."""
    time.sleep(min(0.02 * 2**attempt, 4.0) * random.uniform(0.5, 1.0))
