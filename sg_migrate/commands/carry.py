"""``sg-migrate carry``: finish the conversions of large tables, in batches."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import click

from sg_migrate.commands.options import config_option, project, setting_option

if TYPE_CHECKING:
    import sqlalchemy as sa
    from rich.progress import Progress

    from sg_migrate.conversion.pending import Pending
    from sg_migrate.revisions.project import Project
    from sg_migrate.warehouse.state import State


@click.command(name="carry", epilog="Example: sg-migrate carry --batch-size 50000")
@click.option(
    "--batch-size",
    type=click.IntRange(min=1),
    default=10_000,
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

    from sg_migrate.conversion import pending
    from sg_migrate.database.connection import connect

    here = project(config, arguments)
    section = here.config.get_section(here.config.config_ini_section, {})
    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeRemainingColumn())
    console = Console(stderr=True)
    with connect(section, here.url, here.settings) as connection:
        built = _built(connection, here)
        found = pending.read(connection)
        connection.commit()
        if not found:
            click.echo("Nothing is pending.")
        with Progress(*columns, console=console, disable=not console.is_terminal) as progress:
            for item in found:
                click.echo(f"{item.mark}: {_carry(connection, item, built, batch_size, progress)}")


def _built(connection: sa.Connection, here: Project) -> State:
    """The tables as the database has them: what its revisions have built."""
    from alembic.runtime.migration import MigrationContext

    from sg_migrate.revisions.recorder import quiet

    with quiet():
        heads = MigrationContext.configure(connection).get_current_heads()
    return here.history(connection.dialect.name).built(heads)


def _carry(connection: sa.Connection, item: Pending, built: State, size: int, progress: Progress) -> str:
    """Do one carry-over; gives its outcome in words."""
    from sg_migrate.conversion import pending

    now = pending.resolve(item, built)
    if now is None:
        with connection.begin():
            pending.forget(connection, item.mark)
        return f"nothing to carry over to any more; the old values stay in {item.carry_over.kept_in}"
    task = progress.add_task(str(item.mark), total=pending.remaining(connection, now))
    connection.commit()
    for rows in pending.batches(connection, now, size):
        progress.advance(task, rows)
    with connection.begin():
        pending.forget(connection, item.mark)
        return pending.outcome(connection, now.carry_over)
