"""Documents as one HTML page that needs nothing else; every text is escaped."""

from __future__ import annotations

from html import escape
from pathlib import Path

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
from sg_migrate.text import clean

STYLE = Path(__file__).parent / "pages" / "style.css"


def render(document: Document) -> str:
    """The whole page."""
    about = f'<p class="about">{escape(clean(document.about))}</p>\n' if document.about else ""
    body = about + "\n".join(_block(block) for block in document.blocks)
    return (
        '<!DOCTYPE html>\n<html lang="en">\n<head>\n<meta charset="utf-8">\n'
        '<meta name="viewport" content="width=device-width, initial-scale=1">\n'
        f"<title>{escape(clean(document.title))}</title>\n<style>{STYLE.read_text(encoding='utf-8')}</style>\n</head>\n"
        f"<body>\n{body}\n</body>\n</html>"
    )


def _block(block: Block) -> str:
    if isinstance(block, Heading):
        return f"<h{block.level}>{_cell(block.cell)}</h{block.level}>"
    if isinstance(block, Paragraph):
        return f"<p><strong>{_cell(block.cell)}</strong></p>" if block.strong else f"<p>{_cell(block.cell)}</p>"
    if isinstance(block, Code):
        lines = "\n".join(code_line(line) for line in block.text.splitlines())
        return f"<pre>{escape(lines)}</pre>"
    if isinstance(block, Details):
        inner = "\n".join(_block(inner) for inner in block.blocks)
        return f"<details>\n<summary>{escape(block.summary)}</summary>\n{inner}\n</details>"
    return _table(block)


def _table(table: Table) -> str:
    header = "".join(f"<th>{escape(word)}</th>" for word in table.header)
    rows = "\n".join(f"<tr>{''.join(f'<td>{_cell(cell)}</td>' for cell in row)}</tr>" for row in table.rows)
    return f"<table>\n<thead><tr>{header}</tr></thead>\n<tbody>\n{rows}\n</tbody>\n</table>"


def _cell(spans: Cell) -> str:
    texts = (
        f"<code>{escape(clean(span.text))}</code>" if isinstance(span, Name) else escape(clean(span)) for span in spans
    )
    return beside(text for text in texts if text not in ("", "<code></code>"))
