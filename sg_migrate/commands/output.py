"""Results on stdout: colours on a terminal, and only there."""

from __future__ import annotations

import sys
from collections.abc import Iterable

import click


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
