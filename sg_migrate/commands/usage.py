"""``sg-migrate usage``: what nobody uses."""

from __future__ import annotations

import json
from dataclasses import asdict
from pathlib import Path

import click

from sg_migrate.commands.options import config_option, project, setting_option
from sg_migrate.commands.output import echo_lines


@click.command(name="usage", epilog="Example: sg-migrate usage --all")
@click.option("--all", "everything", is_flag=True, help="Every field, not only those that could go.")
@click.option("--format", "format_", type=click.Choice(["text", "json"]), default="text", show_default=True)
@click.option("--url", help="The warehouse, instead of the project's; it is only read.")
@config_option
@setting_option
def command(everything: bool, format_: str, url: str | None, config: Path, arguments: tuple[str, ...]) -> None:
    """Say how full the fields of a loaded warehouse are.

    Without --all: the fields (sg_*) and entity types (Custom*) that people made and that are empty, or used in one
    project only. Records in the trash do not count. JSON has the counts per value of lists too.
    """
    from sg_migrate.dictionary.warehouse_use import warehouse_use
    from sg_migrate.reports.usage_report import text

    found = warehouse_use(project(config, arguments), url)
    shown = found if everything else [one for one in found if one.is_custom and one.could_go]
    if format_ == "json":
        click.echo(json.dumps([asdict(one) for one in shown], indent=1, ensure_ascii=False))
    else:
        echo_lines(text(shown, len(found)))
