"""``sg-migrate dictionary``: what every table and column of the warehouse means."""

from __future__ import annotations

from pathlib import Path

import click

from sg_migrate.commands.options import config_option, project, setting_option, settings

FORMATS = ("html", "markdown", "json", "dbt")


@click.command(name="dictionary", epilog="Example: sg-migrate dictionary dictionary.html")
@click.argument("out", type=click.Path(path_type=Path, dir_okay=False, allow_dash=True))
@click.option("--format", "format_", type=click.Choice(FORMATS), default="html", show_default=True)
@click.option(
    "--from",
    "source",
    type=click.Path(path_type=Path),
    help="Of this schema, from any file that snapshot --from takes, instead of the project's.",
)
@click.option("--url", help="A loaded warehouse: how full each field is goes into the dictionary; it is only read.")
@config_option
@setting_option
def command(
    out: Path, format_: str, source: Path | None, url: str | None, config: Path, arguments: tuple[str, ...]
) -> None:
    """Write what every table and column of the warehouse means to OUT; - is stdout.

    The page is one file: it opens from a mail attachment, and asks the network for nothing. It needs no database; with
    --url it also says how full each field is, in how many projects, and when it was last written.
    """
    from sg_migrate.dictionary.collect import project_dictionary, schema_dictionary
    from sg_migrate.dictionary.warehouse_use import warehouse_use
    from sg_migrate.site.atomic import replace_file
    from sg_migrate.site.sources import load_schema

    if source and url:
        raise click.UsageError("--url is for a project's dictionary, not for that of --from.")
    if source:
        found = schema_dictionary(load_schema(source).schema, settings(arguments))
        schema = ""
    else:
        of_project = project(config, arguments)
        uses = warehouse_use(of_project, url) if url else []
        found, schema = project_dictionary(of_project, uses), of_project.settings.schema or ""

    from sg_migrate.reports import dictionary_formats, dictionary_page

    if format_ == "html":
        text = dictionary_page.render(found)
    elif format_ == "dbt":
        text = dictionary_formats.dbt(found, schema)
    else:
        text = dictionary_formats.markdown(found) if format_ == "markdown" else dictionary_formats.json_text(found)
    if str(out) == "-":
        click.echo(text)
    else:
        replace_file(out.resolve(), (text + "\n").encode())
        click.echo(f"{out}: written", err=True)
