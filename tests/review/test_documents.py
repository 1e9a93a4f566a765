"""Markdown and HTML: whatever others wrote stays text, tables render, and a comment is never too long."""

from __future__ import annotations

from html.parser import HTMLParser

import pytest
from hypothesis import given
from hypothesis import strategies as st
from markdowncheck import inline, parsed, tables

from sg_migrate.reports import html, markdown
from sg_migrate.reports.document import Code, Details, Document, Heading, Name, Paragraph, Table
from sg_migrate.text import clean

HOSTILE = [
    "| pipe | `tick` | **bold** [x](javascript:alert(1))",
    "``two`` ticks ` and ``` three",
    "<script>alert(1)</script><img src=x onerror=alert(1)>",
    "</details></summary><h1>",
    "@everyone and @team/leads, #12, GH-7, see https://evil.example/x or www.evil.example",
    "[link]: https://evil.example",
    "![image](https://evil.example/x.png)",
    "a\\|b \\` \\",
    "`",
    "$x$ ~~gone~~ _under_ *star* # head",
    "abc\u202egnp.exe\u200b\x1b[31m\x00",
    "--- \n\n# heading\n- list\n> quote\n\n    code",
    "&lt;b&gt; &amp; &#64;team",
    "🎬 👩‍🎨 日本語",
]
ALLOWED_HTML = {"<!-- -->"}


def document(text: str) -> Document:
    row = ((Name(text),), (text,), (Name(text), text))
    table = Table(("A", "B", "C"), (row, row))
    blocks = (
        Heading((Name(text), text)),
        Paragraph((text,), strong=True),
        table,
        Details("More", (table, Code(text, "sql"))),
    )
    return Document(text, blocks)


@pytest.mark.parametrize("text", HOSTILE)
def test_markdown_shows_texts_and_nothing_else(text: str) -> None:
    check(text)


@given(st.text(alphabet=st.sampled_from("`|\\*_[]()<>@#~&$!: .-\nab\u202e"), max_size=30))
def test_markdown_shows_any_text_and_nothing_else(text: str) -> None:
    check(text)


def check(text: str) -> None:
    shown = markdown.render(document(text))
    kinds = {token.type for token in inline(shown)}
    assert kinds <= {"text", "code_inline", "html_inline", "strong_open", "strong_close", "text_special"}
    assert {token.content for token in inline(shown) if token.type == "html_inline"} <= ALLOWED_HTML
    blocks = {token.content.strip() for token in parsed(shown) if token.type == "html_block"}
    assert blocks <= {"<details>\n<summary>More</summary>", "</details>"}
    if clean(text):
        codes = {token.content for token in inline(shown) if token.type == "code_inline"}
        assert codes == {clean(text)}
    found = tables(shown)
    assert [(len(table), len(table[0])) for table in found] == [(3, 3), (3, 3)]
    assert not {"\u202e", "\u200b", "\x1b", "\x00"} & set(shown)


def test_mentions_references_and_links_are_broken_up() -> None:
    shown = markdown.plain("ask @team about #12 and GH-7 at https://x.example, www.x.example")
    assert "@<!-- -->team" in shown
    assert "#<!-- -->12" in shown
    assert "GH<!-- -->-7" in shown
    assert "https:/<!-- -->/x" in shown
    assert "www<!-- -->.x" in shown


class _Elements(HTMLParser):
    """What a browser would build."""

    def __init__(self) -> None:
        super().__init__()
        self.elements: set[str] = set()
        self.open: list[str] = []
        self.words = ""

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.elements.add(tag)
        assert not attrs or tag in ("html", "meta")
        if tag != "meta":
            self.open.append(tag)

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag

    def handle_data(self, data: str) -> None:
        self.words += data


@pytest.mark.parametrize("text", HOSTILE)
def test_html_shows_texts_and_nothing_else(text: str) -> None:
    parser = _Elements()
    parser.feed(html.render(document(text)))
    parser.close()
    assert not parser.open
    assert parser.elements <= {"html", "head", "meta", "title", "style", "body", "h2", "p", "strong", "table", "thead",
                               "tbody", "tr", "th", "td", "code", "details", "summary", "pre"}  # fmt: skip
    assert clean(text) in parser.words


def test_a_long_table_is_cut_with_a_count() -> None:
    rows = tuple(((Name(f"row {number}"),),) for number in range(1_000))
    shown = markdown.render(Document("x", (Table(("A",), rows),)))
    assert shown.endswith("and 800 more")
    assert len(tables(shown)[0]) == 201


@pytest.mark.parametrize("character", ["x", "|", "é", "🎬"])
def test_a_document_without_end_stays_below_the_limit_and_names_the_rest(character: str) -> None:
    rows = tuple(((Name(character * 200),), (character * 200,)) for _ in range(1_000))
    blocks = tuple(Details("Folded", (Table(("A", "B"), rows),)) for _ in range(20))
    shown = markdown.render(Document("x", blocks, "sg-migrate review r2 --details"))
    assert len(shown) < 65_536
    assert len(shown.encode()) <= markdown.LIMIT
    assert "All of it: `sg-migrate review r2 --details`" in shown
    assert shown.count("<details>") == shown.count("</details>") >= 1
    tables(shown)
