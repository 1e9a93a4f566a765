"""Documents as one HTML page that needs nothing else; every text is escaped."""

from __future__ import annotations

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
    code_line,
)  # fmt: skip
from sg_migrate.text import clean

_STYLE = """
body { font: 15px/1.5 system-ui, sans-serif; max-width: 70rem; margin: 2rem auto; padding: 0 1rem; }
table { border-collapse: collapse; }
th, td { text-align: left; vertical-align: top; padding: .2rem .8rem .2rem 0; border-bottom: 1px solid #ddd; }
code, pre { font: 13px/1.5 ui-monospace, monospace; background: #f4f4f4; }
pre { padding: .6rem; overflow-x: auto; }
summary { cursor: pointer; }
"""


def render(document: Document) -> str:
    """The whole page."""
    body = "\n".join(_block(block) for block in document.blocks)
    return (
        '<!DOCTYPE html>\n<html lang="en">\n<head>\n<meta charset="utf-8">\n'
        f"<title>{escape(clean(document.title))}</title>\n<style>{_STYLE}</style>\n</head>\n"
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
    return " ".join(text for text in texts if text not in ("", "<code></code>"))
