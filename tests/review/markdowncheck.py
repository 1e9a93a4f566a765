"""Reading Markdown as GitHub does: CommonMark with GFM's tables, strikethrough and bare links."""

from __future__ import annotations

from markdown_it import MarkdownIt
from markdown_it.token import Token


def parsed(text: str) -> list[Token]:
    """The tokens of a text."""
    reader = MarkdownIt("gfm-like")
    assert reader.linkify is not None
    reader.linkify.set({"fuzzy_link": False})  # GitHub makes links of addresses and of www. only, not of any x.example
    return reader.parse(text)


def inline(text: str) -> list[Token]:
    """Every inline token of a text."""
    return [child for token in parsed(text) for child in token.children or []]


def tables(text: str) -> list[list[list[str]]]:
    """The cells of every table: the text of each, code spans as they are read; rows of equal length or an error."""
    found: list[list[list[str]]] = []
    for token, following in zip(parsed(text), [*parsed(text)[1:], None], strict=True):
        if token.type == "table_open":
            found.append([])
        elif token.type == "tr_open":
            found[-1].append([])
        elif token.type in ("td_open", "th_open"):
            assert following is not None
            found[-1][-1].append("".join(child.content for child in following.children or []))
    for table in found:
        assert len({len(row) for row in table}) == 1
    return found
