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
@config_option
@setting_option
def command(out: Path, format_: str, source: Path | None, config: Path, arguments: tuple[str, ...]) -> None:
    """Write what every table and column of the warehouse means to OUT; - is stdout.

    The page is one file: it opens from a mail attachment, and asks the network for nothing. It needs no database.
    """
    from sg_migrate.dictionary.collect import project_dictionary, schema_dictionary
    from sg_migrate.site.atomic import replace_file
    from sg_migrate.site.sources import load_schema

    if source:
        found = schema_dictionary(load_schema(source).schema, settings(arguments))
        schema = ""
    else:
        of_project = project(config, arguments)
        found, schema = project_dictionary(of_project), of_project.settings.schema or ""

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
