"""``sg-migrate models``: ORM classes of the warehouse."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import click

from sg_migrate.commands.options import config_option, project, setting_option

if TYPE_CHECKING:
    from sg_migrate.models.script import ScriptKind


@click.command(name="models", epilog="Example: sg-migrate models warehouse_models.py --kind dataclasses")
@click.argument("out", type=click.Path(path_type=Path, dir_okay=False, allow_dash=True))
@click.option(
    "--kind",
    type=click.Choice(["declarative", "dataclasses", "tables"]),
    default="declarative",
    show_default=True,
    help="What to write for each table.",
)
@config_option
@setting_option
def command(out: Path, kind: ScriptKind, config: Path, arguments: tuple[str, ...]) -> None:
    """Write SQLAlchemy classes for the tables that the revisions have built to OUT; - is stdout.

    It needs no database.
    """
    built = project(config, arguments).built

    from sg_migrate.models.script import render_models  # slow to import: what is wrong with the project is said first
    from sg_migrate.site.atomic import replace_file

    text = render_models(built, kind)
    if str(out) == "-":
        click.echo(text)
    else:
        replace_file(out.resolve(), text.encode())
        click.echo(f"{out}: written", err=True)
