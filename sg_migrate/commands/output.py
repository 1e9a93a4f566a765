"""Results on stdout: colours on a terminal, and only there."""

from __future__ import annotations

import sys
from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING

import click

if TYPE_CHECKING:
    from sg_migrate.review.run import Review


def echo_lines(lines: Iterable[tuple[str, str]]) -> None:
    """Print lines with their styles (Rich's words); plain text where stdout is no terminal.

    Whatever is invisible or acts on a terminal is taken out: names and texts in them are anybody's.
    """
    from sg_migrate.reports.document import code_line

    lines = [(code_line(text), style) for text, style in lines]
    if not sys.stdout.isatty():
        for text, _ in lines:
            click.echo(text)
        return
    from rich.console import Console
    from rich.text import Text

    console = Console(highlight=False)
    for text, style in lines:
        console.print(Text(text, style=style), soft_wrap=True)


def echo_reviews(reviews: Sequence[Review], format_: str, *, details: bool = False) -> None:
    """Print reviews in a format."""
    if format_ == "text":
        from sg_migrate.reports.text import text_report

        echo_lines(text_report(reviews, details=details))
    elif format_ == "json":
        from sg_migrate.reports.json_report import json_report

        click.echo(json_report(reviews))
    else:
        from sg_migrate.reports import html, markdown
        from sg_migrate.reports.review_document import review_document

        document = review_document(reviews)
        click.echo(markdown.render(document) if format_ == "markdown" else html.render(document))
