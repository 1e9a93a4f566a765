"""``sg-migrate resume``: finish a revision that stopped half way on MySQL or MariaDB."""

from __future__ import annotations

import sys
from argparse import Namespace
from collections.abc import Callable
from pathlib import Path

import click

from sg_migrate.commands.options import config_option, project, setting_option


@click.command(name="resume", epilog="Example: sg-migrate resume, then alembic upgrade head")
@click.option("--again/--skip", "again", default=None,
              help="Run a statement of which nobody can tell whether it has run, or leave it out.")  # fmt: skip
@config_option
@setting_option
def command(again: bool | None, config: Path, arguments: tuple[str, ...]) -> None:
    """Finish the revision that stopped half way, and stamp it.

    MySQL and MariaDB cannot take back what a revision did before it stopped. This looks at the database for what has
    run, runs the rest, and marks the revision as done. On SQLite and PostgreSQL there is never anything to finish.
    A statement that a person wrote into the revision leaves no trace: on a terminal it asks whether to run it.
    """
    from sg_migrate.revisions.resume import resume

    here = project(config, arguments)
    here.config.cmd_opts = Namespace(x=list(arguments))
    resumed = resume(here.config, _asker(again))
    if resumed is None:
        click.echo("Nothing to resume: no revision stopped half way.")
        return
    click.echo(
        f"{resumed.direction} {resumed.revision}: {resumed.had_run} operations had run,"
        f" the other {resumed.ran_now} have run now; it is done."
    )


def _asker(again: bool | None) -> Callable[[str], bool] | None:
    """How to find out whether a statement is to be run; ``None`` where nobody can be asked."""
    if again is not None:
        return lambda statement: again
    if not sys.stdin.isatty():
        return None
    return lambda statement: click.confirm(f"It may have run already, or not:\n  {statement}\nRun it?")
