"""A report as a value: headings, tables and folded parts, for Markdown and HTML alike."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import TypeAlias

from sg_migrate.text import clean


@dataclass(frozen=True, slots=True)
class Name:
    """A text that somebody else wrote, or an identifier: shown as it is, in a fixed-width font."""

    text: str


Span: TypeAlias = "str | Name"
Cell: TypeAlias = tuple[Span, ...]
"""Words beside each other."""


@dataclass(frozen=True, slots=True)
class Heading:
    """A heading; ``level`` as in HTML."""

    cell: Cell
    level: int = 2


@dataclass(frozen=True, slots=True)
class Paragraph:
    """A paragraph; ``strong`` for what nobody may miss."""

    cell: Cell
    strong: bool = False


@dataclass(frozen=True, slots=True)
class Table:
    """A table; every row has as many cells as the header."""

    header: tuple[str, ...]
    rows: tuple[tuple[Cell, ...], ...]


@dataclass(frozen=True, slots=True)
class Code:
    """Lines of code."""

    text: str
    language: str = ""


@dataclass(frozen=True, slots=True)
class Details:
    """Something folded away under a line of our own words."""

    summary: str
    blocks: tuple[Block, ...]


Block: TypeAlias = "Heading | Paragraph | Table | Code | Details"


@dataclass(frozen=True, slots=True)
class Document:
    """A report; what matters most comes first, because the end is cut where a page has no room."""

    title: str
    blocks: tuple[Block, ...]
    rest: str = ""
    """The command that shows what a page has no room for."""
    about: str = ""
    """The site and the date, for a page that travels alone."""


def beside(texts: Iterable[str]) -> str:
    """Rendered spans beside each other: a space between them, but for punctuation."""
    words = ""
    for text in texts:
        words += text if not words or not text or text[0] in ".,;:" else f" {text}"
    return words


def code_line(line: str) -> str:
    """A line of code without control, bidirectional and other invisible characters; its spaces stay."""
    return " ".join(clean(word) for word in line.expandtabs(4).rstrip().split(" "))
