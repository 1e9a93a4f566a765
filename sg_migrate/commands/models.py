"""``sg-migrate models``: ORM classes of the warehouse."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import click

from sg_migrate.commands.options import config_option, project, setting_option, settings

if TYPE_CHECKING:
    from sg_migrate.models.layouts import Layout
    from sg_migrate.models.script import Style


@click.command(name="models", epilog="Example: sg-migrate models warehouse.py --style dataclasses")
@click.argument("out", type=click.Path(path_type=Path, dir_okay=False, allow_dash=True))
@click.option(
    "--style",
    type=click.Choice(["declarative", "dataclasses", "tables"]),
    default="declarative",
    show_default=True,
    help="What to write for each table.",
)
@click.option(
    "--from",
    "source",
    type=click.Path(path_type=Path),
    help="The warehouse of this schema, from any file that snapshot --from takes, instead of the project's.",
)
@click.option(
    "--layout",
    type=click.Choice(["sg_migrate", "shotgrid_orm-0.2", "shotgrid_orm-0.3"]),
    default="sg_migrate",
    show_default=True,
    help="Whose tables they are: a warehouse that shotgrid_orm made has others.",
)
@click.option("--retired", is_flag=True, help="With what the site has no longer, or with another type.")
@config_option
@setting_option
def command(
    out: Path,
    style: Style,
    source: Path | None,
    layout: Layout,
    retired: bool,
    config: Path,
    arguments: tuple[str, ...],
) -> None:
    """Write SQLAlchemy classes for the tables that the revisions have built to OUT; - is stdout.

    It needs no database, and the script needs SQLAlchemy alone.
    """
    from sg_migrate.models.sources import plan_for

    if source and retired:
        raise click.UsageError("--retired is of a project: a schema alone has no tables that are only kept.")
    if source:
        plan = plan_for(source, settings(arguments), layout=layout)
    else:
        plan = plan_for(project(config, arguments), layout=layout, retired=retired)

    from sg_migrate.models.script import render_models
    from sg_migrate.site.atomic import replace_file

    text = render_models(plan, style)
    if str(out) == "-":
        click.echo(text, nl=False)
    else:
        replace_file(out.resolve(), text.encode())
        click.echo(f"{out}: written", err=True)
