"""Marks: what of the site a table or column stands for, as revisions carry it in ``info["sg"]``.

A mark is how a revision says what it builds without needing sg_migrate to run. It also says whether what it stands on
is only kept; nothing of that is ever read out of a comment or a name.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, replace
from functools import lru_cache
from typing import Any

import sqlalchemy as sa

from sg_migrate.site.schema import Field

CATALOG = "sg_catalog"
"""In place of an entity type in the marks of the catalog's two tables."""
RETIRED_AT = "retired_at"
"""In place of a data type in the mark of the column that says since when a record is in the site's trash."""

_MARK = re.compile(
    r"(?P<entity_type>\w+)(?:\.(?P<field>\w+))?(?: (?P<data_type>\w+)(?: (?P<role>\w+))?)?"
    r"(?: \[(?:(?P<retired>retired)|was (?P<former>\w+))\])?"
)


@dataclass(frozen=True, slots=True, order=True)
class Mark:
    """What of the site a table or column stands for: ``Shot``, ``Shot.sg_cut_in number``, ``Shot.entity entity id``.

    A column of ours, which no field of the site is behind, is ``Shot retired_at``.

    Attributes:
        entity_type: the entity type's code.
        field: the field's code; empty for the entity type itself, and for a column of ours.
        data_type: the field's data type.
        role: tells several columns of one field apart (``id`` and ``type`` of a link).
        retired: the site no longer has it: ``Shot.sg_old text [retired]``.
        former: set where a field's values from before its type changed are kept; tells several of those apart:
            ``Shot.sg_cut_in text [was text_2]``.
    """

    entity_type: str
    field: str = ""
    data_type: str = ""
    role: str = ""
    retired: bool = False
    former: str = ""

    def __str__(self) -> str:
        words = " ".join(word for word in (self.place, self.data_type, self.role) if word)
        if self.former:
            return f"{words} [was {self.former}]"
        return f"{words} [retired]" if self.retired else words

    @classmethod
    def parse(cls, text: str) -> Mark:
        """The mark that ``str()`` wrote as ``text``. Raises ``ValueError`` for anything else."""
        return _parse(text)

    @property
    def place(self) -> str:
        """``Shot`` or ``Shot.sg_cut_in``."""
        return f"{self.entity_type}.{self.field}" if self.field else self.entity_type

    @property
    def code(self) -> str:
        """The field's code, or what a column of ours is called."""
        return self.field or self.data_type

    @property
    def kept(self) -> bool:
        """Whether it is only kept: the site has it no longer, or with another type."""
        return self.retired or bool(self.former)

    @property
    def key(self) -> tuple[str, str, str, str]:
        """What stays the same while the field's type and state change."""
        return (self.entity_type, self.field, self.role, self.former)

    def as_former(self, label: str) -> Mark:
        """The mark of what keeps the values from before the type changed; ``label`` tells several apart."""
        return replace(self, retired=False, former=label)

    def as_retired(self, retired: bool) -> Mark:
        """The mark of what the site no longer has, or has again; kept values of an earlier type stay what they are."""
        return self if self.former else replace(self, retired=retired)


@lru_cache(maxsize=100_000)
def _parse(text: str) -> Mark:
    found = _MARK.fullmatch(text)
    if found is None:
        raise ValueError(f"not a mark of sg_migrate: {text!r}")
    words = {name: found[name] or "" for name in ("entity_type", "field", "data_type", "role", "former")}
    return Mark(**words, retired=bool(found["retired"]))


def mark_for(site_field: Field, role: str = "") -> Mark:
    """The mark of a field's column; a data type that is no plain word is made one."""
    return Mark(site_field.entity_type, site_field.code, re.sub(r"\W", "_", site_field.data_type), role)


def mark_of(item: sa.Table | sa.Column[Any]) -> Mark | None:
    """The mark in ``info["sg"]``, or ``None`` where there is none: the object is not ours.

    Raises:
        ValueError: there is something else than a mark.
    """
    text = item.info.get("sg")
    return Mark.parse(text) if isinstance(text, str) else None
