"""How far a load is, on a terminal: types, records a second, time left."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from rich.console import Console
    from rich.progress import TaskID

    from sg_migrate.load.session import Outcome


@contextmanager
def watched(console: Console) -> Iterator[Callable[[Outcome, float], object]]:
    """What a load calls after each page; it shows something on a terminal alone."""
    from rich.progress import BarColumn, Progress, TextColumn, TimeRemainingColumn

    columns = (TextColumn("{task.description}"), BarColumn(), TextColumn("{task.fields[rate]}"), TimeRemainingColumn())
    with Progress(*columns, console=console, disable=not console.is_terminal) as progress:
        tasks: dict[str, TaskID] = {}
        begun = time.monotonic()
        read: dict[str, int] = {}

        def watch(outcome: Outcome, done: float) -> None:
            name = outcome.entity_type
            if name not in tasks:
                tasks[name] = progress.add_task(name, total=1.0, rate="")
            read[name] = outcome.read
            rate = sum(read.values()) / max(time.monotonic() - begun, 0.001)
            shown = f"{outcome.read:,} records, {rate:,.0f}/s in all"
            progress.update(tasks[name], completed=done, rate=shown, visible=done < 1.0)

        yield watch
