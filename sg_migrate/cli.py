"""``sg-migrate``: results on stdout, everything else on stderr, and an exit code that says what happened."""

from __future__ import annotations

import importlib
import os
import sys

import click

from sg_migrate.exit_codes import DONE, ERROR

COMMANDS = {
    "init": "Make an Alembic project that follows a site.",
    "snapshot": "Read the site's schema into the snapshot file.",
    "diff": "Compare schemas: snapshots, files, the live site, the database.",
    "revision": "Refresh the snapshot, write the next revision, and review it; no database needed.",
    "review": "Say what a revision does and what it risks.",
    "check": "For CI: does the site match the snapshot, the snapshot the revisions, those the database?",
    "load": "Fill the warehouse from the site, and keep it current.",
    "events": "Import what the site's event log has forgotten of who changed its fields.",
    "prune": "Decide that something retired may be dropped.",
    "set-aside": "Keep the values so far apart, where the site uses a name for another thing now.",
    "carry": "Finish the conversions of large tables, in batches.",
    "resume": "Finish a revision that stopped half way on MySQL or MariaDB.",
    "squash": "Make one revision of a long history.",
    "models": "Write ORM classes of the warehouse.",
    "usage": "Say how full the fields of a loaded warehouse are: what nobody uses.",
    "dictionary": "Write what every table and column means, as one page.",
    "demo": "Show the whole loop on SQLite, with a small site on this machine.",
}
"""The commands with their one-line help: ``--help`` must not import them."""


class _Commands(click.Group):
    """Imports ``sg_migrate.commands.NAME`` when the command is run."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        return list(COMMANDS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        if cmd_name not in COMMANDS:
            return None
        module = importlib.import_module(f"sg_migrate.commands.{cmd_name.replace('-', '_')}")
        command: click.Command = module.command
        return command

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        with formatter.section("Commands"):
            formatter.write_dl(list(COMMANDS.items()))


@click.group(cls=_Commands, context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(package_name="sg-migrate", prog_name="sg-migrate")
def cli() -> None:
    """Alembic migrations for an SQL warehouse that follows a ShotGrid site's schema.

    \b
    Exit codes: 0 in step or done, 1 error, 2 usage, 3 differs and nothing is unsafe or destructive,
    4 differs with something unsafe or destructive, or a finding at or above --fail-on.
    """


def main() -> None:
    """Run the command line; an expected failure is one message and never a traceback."""
    try:
        sys.exit(cli.main(standalone_mode=False) or DONE)  # a command that exits returns its code here
    except click.ClickException as error:
        error.show()
        sys.exit(error.exit_code)
    except click.Abort:
        sys.exit(130)
    except Exception as error:
        message = expected(error)
        if message is None:
            raise
        click.echo(f"sg-migrate: {message}", err=True)
        sys.exit(ERROR)


def expected(error: Exception) -> str | None:
    """The message of an expected failure: ours, Alembic's, or the database's; ``None`` for a defect."""
    from alembic.util.exc import CommandError

    if isinstance(error, CommandError):
        return str(error)
    if isinstance(error, SyntaxError) and error.filename:  # a revision or env.py, edited by hand
        return f"{error.filename}, line {error.lineno}: {error.msg}. Nothing was done."
    if isinstance(error, OSError) and error.filename is not None and error.strerror:
        # Of a file that was named: a folder that is not there, or that may not be written.
        return f"{os.fspath(error.filename)}: {error.strerror}. Check that its folder is there and may be written to."
    database = sys.modules.get("sqlalchemy.exc")
    if database is not None and isinstance(error, database.DBAPIError):
        return f"the database refused: {error.orig}"
    return None
