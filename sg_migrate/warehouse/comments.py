"""Comments of tables and columns: display name and description, and the mark of what is retired."""

from __future__ import annotations

from sg_migrate.text import clean, shorten
from sg_migrate.warehouse.state import RETIRED

MAX_LENGTH = 1024
"""Characters; MariaDB refuses longer column comments (error 1629)."""


def comment_for(name: str, description: str = "") -> str | None:
    """The comment for a display name and a description, cleaned and cut; ``None`` when both are empty."""
    name, description = clean(name), clean(description)
    text = f"{name}: {description}" if name and description else name or description
    if text.lower().startswith(RETIRED.strip()):
        text = f'"{text}"'  # a display name must not look like our mark
    return shorten(text, MAX_LENGTH) or None


def with_retired(comment: str | None, retired: bool) -> str | None:
    """``comment`` with the mark in front, or without it."""
    text = (comment or "").removeprefix(RETIRED).removeprefix(RETIRED.strip())
    return shorten(RETIRED + text, MAX_LENGTH).rstrip() if retired else text or None
