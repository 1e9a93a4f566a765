"""``sg-migrate carry``: finish the conversions of large tables, in batches."""

from __future__ import annotations

from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

import click

from sg_migrate.commands.options import config_option, project, setting_option

if TYPE_CHECKING:
    from collections.abc import Callable

    from sg_migrate.warehouse.mark import Mark


@click.command(name="carry", epilog="Example: sg-migrate carry --batch-size 50000")
@click.option(
    "--batch-size",
    type=click.IntRange(min=1),
    default=1_000,
    show_default=True,
    help="How many rows are looked at between two commits.",
)
@config_option
@setting_option
def command(batch_size: int, config: Path, arguments: tuple[str, ...]) -> None:
    """Carry over the values of large tables whose fields have changed their type.

    `alembic upgrade` says when there is something to carry over: for tables with more rows than the setting
    carry_inline_rows. Only what is still empty is filled, and what does not convert stays where it is. Every batch is
    committed; after an interruption the same command goes on where it stopped.
    """
    from rich.console import Console
    from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

    from sg_migrate.revisions.finish import finish_conversions

    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeRemainingColumn())
    console = Console(stderr=True)
    with Progress(*columns, console=console, disable=not console.is_terminal) as progress:

        def watch(mark: Mark, rows: int) -> Callable[[int], None]:
            return partial(progress.advance, progress.add_task(str(mark), total=rows))

        pending = False
        for finished in finish_conversions(project(config, arguments), batch_size, watch):
            click.echo(f"{finished.mark}: {finished.outcome}")
            pending = True
    if not pending:
        click.echo("Nothing is pending.")
