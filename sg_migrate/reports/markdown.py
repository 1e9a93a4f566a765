"""Documents as GitHub's Markdown, short enough for a comment; whatever others wrote stays text."""

from __future__ import annotations

import re
import sys
from collections.abc import Iterable
from html import escape

from sg_migrate.reports.document import (
    Block,
    Cell,
    Code,
    Details,
    Document,
    Heading,
    Name,
    Paragraph,
    Table,
    beside,
    code_line,
)  # fmt: skip
from sg_migrate.text import clean, shorten

LIMIT = 65_000
"""Bytes; a GitHub comment may have 65,536 characters, and something is put before it."""
MAX_ROWS = 200
"""Rows of one table."""
NAME_LENGTH = 300

_PUNCTUATION = re.compile(r"([\\`*_{}\[\]<|~$])")
_LINKS = re.compile(r"(?<=[@#])(?=\S)|(?<=/)(?=/)|(?<=\bwww)(?=\.)|(?<=\bGH)(?=-)", re.IGNORECASE)
"""Where GitHub would make a mention, a reference or a link out of plain words."""


def whole(document: Document) -> str:
    """The document, however long."""
    return "\n\n".join(_block(block, sys.maxsize) for block in document.blocks)


def render(document: Document) -> str:
    """The document, cut at the end with a pointer to the rest where it would be too long for a comment."""
    rest = f"\n\n*Cut here. All of it: `{document.rest}`*" if document.rest else "\n\n*Cut here.*"
    parts: list[str] = []
    room = LIMIT - len(rest.encode())
    for block in document.blocks:
        text = _fitting(block, room)
        if text is None:
            return "\n\n".join(parts) + rest
        parts.append(text)
        room -= len(text.encode()) + 2
    return "\n\n".join(parts)


def _fitting(block: Block, room: int) -> str | None:
    """The block, with as many rows in its tables as fit; ``None`` where not even one does."""
    rows = MAX_ROWS
    while rows:
        text = _block(block, rows)
        if len(text.encode()) + 2 <= room:
            return text
        rows //= 2
    return None


def _block(block: Block, rows: int) -> str:
    if isinstance(block, Heading):
        return f"{'#' * block.level} {cell(block.cell)}"
    if isinstance(block, Paragraph):
        return f"**{cell(block.cell)}**" if block.strong else cell(block.cell)
    if isinstance(block, Code):
        return _code_block(block, rows)
    if isinstance(block, Details):
        inner = "\n\n".join(_block(inner, rows) for inner in block.blocks)
        return f"<details>\n<summary>{escape(block.summary)}</summary>\n\n{inner}\n\n</details>"
    return _table(block, rows)


def _table(table: Table, rows: int) -> str:
    lines = [_row(table.header), _row("---" for _ in table.header)]
    lines += [_row(cell(spans, in_table=True) for spans in row) for row in table.rows[:rows]]
    if len(table.rows) > rows:
        lines.append(f"\nand {len(table.rows) - rows:,} more")
    return "\n".join(lines)


def _row(cells: Iterable[str]) -> str:
    return f"| {' | '.join(cells)} |"


def cell(spans: Cell, *, in_table: bool = False) -> str:
    """The spans beside each other, on one line."""
    texts = []
    for span in spans:
        if isinstance(span, Name):
            code = name(span.text)
            texts.append(code.replace("|", "\\|") if in_table else code)  # a table is cut at bars before all else
        else:
            texts.append(plain(span))
    return beside(text for text in texts if text)


def plain(text: str) -> str:
    """Words that can be no markup, no HTML, no link and no mention."""
    escaped = _PUNCTUATION.sub(r"\\\1", clean(text).replace("&", "&amp;"))
    return _LINKS.sub("<!-- -->", escaped)


def name(text: str) -> str:
    """A code span of exactly this text; inside it nothing is markup."""
    shown = shorten(clean(text), NAME_LENGTH)
    if not shown:
        return ""
    fence = "`" * (max((len(run) for run in re.findall("`+", shown)), default=0) + 1)
    padding = " " if shown.startswith(("`", " ")) or shown.endswith(("`", " ")) else ""
    return f"{fence}{padding}{shown}{padding}{fence}"


def _code_block(block: Code, rows: int) -> str:
    lines = [code_line(line) for line in block.text.splitlines()]
    shown = lines[: rows * 5]
    if len(lines) > len(shown):
        shown.append(f"and {len(lines) - len(shown):,} more lines")
    fence = "`" * max(3, *(len(run) + 1 for run in re.findall("`+", "\n".join(shown)) or [""]))
    return "\n".join([f"{fence}{block.language}", *shown, fence])
