"""Site texts are written by anybody: one line, nothing invisible, nothing that acts on a terminal."""

from __future__ import annotations

import unicodedata

_JOINERS = "\u200c\u200d"
"""Zero-width (non-)joiners: emoji and several scripts need them; they reorder and hide nothing."""


def clean(text: str) -> str:
    """``text`` on one line, without control, bidirectional and other invisible characters.

    White space runs become one space; lone surrogates, which no database stores, become U+FFFD.
    """
    if not text.isprintable():
        text = "".join(map(_clean_character, text))
    return " ".join(text.split())


def _clean_character(character: str) -> str:
    category = unicodedata.category(character)
    if category == "Cs":
        return "\ufffd"
    if category in ("Cc", "Zl", "Zp"):
        return " "
    if category == "Cf" and character not in _JOINERS:
        return ""
    return character


def shorten(text: str, length: int) -> str:
    """``text``, cut to ``length`` characters with an ellipsis at the end."""
    return text if len(text) <= length else text[: length - 1].rstrip() + "…"


def plural(count: int, word: str) -> str:
    """``1 row``, ``2,000 rows``."""
    return f"{count:,} {word}" if count == 1 else f"{count:,} {word}s"
