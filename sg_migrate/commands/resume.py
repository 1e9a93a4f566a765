"""``sg-migrate resume``: finish a revision that stopped half way on MySQL or MariaDB."""

from __future__ import annotations

from argparse import Namespace
from pathlib import Path

import click

from sg_migrate.commands.options import config_option, project, setting_option


@click.command(name="resume", epilog="Example: sg-migrate resume, then alembic upgrade head")
@config_option
@setting_option
def command(config: Path, arguments: tuple[str, ...]) -> None:
    """Finish the revision that stopped half way, and stamp it.

    MySQL and MariaDB cannot take back what a revision did before it stopped. This looks at the database for what has
    run, runs the rest, and marks the revision as done. On SQLite and PostgreSQL there is never anything to finish.
    """
    from sg_migrate.revisions.resume import resume

    here = project(config, arguments)
    here.config.cmd_opts = Namespace(x=list(arguments))
    resumed = resume(here.config)
    if resumed is None:
        click.echo("Nothing to resume: no revision stopped half way.")
        return
    click.echo(
        f"{resumed.direction} {resumed.revision}: {resumed.had_run} operations had run,"
        f" the other {resumed.ran_now} have run now; it is done."
    )
