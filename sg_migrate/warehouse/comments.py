"""Comments of tables and columns: display name and description, for every tool that reads the database.

They are written from what the site says and from marks. Nothing is built from what they say; only a display name is
read back (`name_in`), for a person who wants to know what something was called.
"""

from __future__ import annotations

from sg_migrate.text import clean, shorten

MAX_LENGTH = 1024
"""Characters; MariaDB refuses longer column comments (error 1629)."""

RETIRED = "[retired]"


_COLON = ":\u00a0"
"""A colon in a display name: with a space that does not end the name."""


def comment_for(name: str, description: str = "") -> str | None:
    """The comment for a display name and a description, cleaned and cut; ``None`` when both are empty."""
    name, description = clean(name).replace(": ", _COLON), clean(description)
    text = f"{name}: {description}" if description else name
    if text.lower().startswith(RETIRED):
        text = f'"{text}"'  # a display name must not look like ours
    return shorten(text, MAX_LENGTH) or None


def name_in(comment: str | None, *, kept: bool) -> str:
    """The display name that a comment was written of; empty where there was none, or two branches differ on it."""
    shown = shown_comment(comment, kept=kept)
    if shown == UNSETTLED:
        return ""
    if shown.lower().startswith(f'"{RETIRED}'):
        shown = shown.removeprefix('"').removesuffix('"')
    return shown.partition(": ")[0].replace(_COLON, ": ")


def kept_comment(comment: str | None) -> str:
    """The comment of something in use, for when it is only kept from now on: ``[retired] Cut In``."""
    return shorten(f"{RETIRED} {comment}", MAX_LENGTH) if comment else RETIRED


def shown_comment(comment: str | None, *, kept: bool) -> str:
    """A comment for a reader who knows already whether the thing is only kept."""
    return (comment or "").removeprefix(RETIRED).lstrip() if kept else comment or ""


UNSETTLED = "[differs between branches]"
"""In place of a comment that two branches have set, while databases may have either; the next revision sets it."""
