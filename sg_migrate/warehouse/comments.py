"""Comments of tables and columns: display name and description, for every tool that reads the database.

They are written from what the site says and from marks, and never read back.
"""

from __future__ import annotations

from sg_migrate.text import clean, shorten

MAX_LENGTH = 1024
"""Characters; MariaDB refuses longer column comments (error 1629)."""

RETIRED = "[retired]"


def comment_for(name: str, description: str = "") -> str | None:
    """The comment for a display name and a description, cleaned and cut; ``None`` when both are empty."""
    name, description = clean(name), clean(description)
    text = f"{name}: {description}" if name and description else name or description
    if text.lower().startswith(RETIRED):
        text = f'"{text}"'  # a display name must not look like ours
    return shorten(text, MAX_LENGTH) or None


def kept_comment(comment: str | None) -> str:
    """The comment of something in use, for when it is only kept from now on: ``[retired] Cut In``."""
    return shorten(f"{RETIRED} {comment}", MAX_LENGTH) if comment else RETIRED


def shown_comment(comment: str | None, *, kept: bool) -> str:
    """A comment for a reader who knows already whether the thing is only kept."""
    return (comment or "").removeprefix(RETIRED).lstrip() if kept else comment or ""


def is_comment_of(name: str, comment: str | None, *, kept: bool) -> bool:
    """Whether a comment was written of something called ``name``, whatever its description was."""
    shown = shown_comment(comment, kept=kept)
    own = comment_for(name) or ""
    return shown == own or shown.startswith(f"{own}: ")


UNSETTLED = "[differs between branches]"
"""In place of a comment that two branches have set, while databases may have either; the next revision sets it."""
