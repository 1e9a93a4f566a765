"""What a review finds: rules with stable codes, and findings that name a place."""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import IntEnum
from typing import Any, Literal

from sqlalchemy.types import TypeEngine

from sg_migrate.conversion.carry_over import LinkCarryOver
from sg_migrate.warehouse.mark import Mark


class Level(IntEnum):
    """How much attention something needs; the higher, the worse."""

    SAFE = 0
    """Nobody notices; worth knowing."""
    LOCKING = 1
    """Rewrites a table or makes others wait."""
    VISIBLE = 2
    """Nothing is lost, and whoever reads the warehouse sees other values, names or meanings: tell them."""
    UNSAFE = 3
    """Values may be lost, or the upgrade may stop or build something else: somebody must mend it."""
    DESTRUCTIVE = 4
    """Data is removed, or nobody can tell."""

    def __str__(self) -> str:
        return self.name.lower()

    @classmethod
    def parse(cls, text: str) -> Level:
        """The level called ``text``. Raises ``KeyError`` for any other word."""
        return cls[text.upper()]


@dataclass(frozen=True, slots=True)
class Rule:
    """Something that a revision may do, with the reason why it matters and what to do about it."""

    code: str
    level: Level
    title: str
    reason: str
    remedy: str
    needs: Literal["", "rows", "values"] = ""
    """What must be there for the rule to matter: rows in the table, or values in the column where one is named. A
    database that was asked may say that there are none."""
    if_all_convert: Rule | None = None
    """The rule that counts instead where a database says that every value converts."""
    comes_first: bool = False
    """Said before all else."""

    def finding(self, what: str, **place: Any) -> Finding:
        """A finding of this rule; ``place`` holds the other attributes of `Finding`."""
        return Finding(self, what, **place)


@dataclass(frozen=True, slots=True)
class Counts:
    """What a database says about the table and the column of a finding; ``None``: not asked or not known."""

    rows: int | None = None
    values: int | None = None
    unconverted: int | None = None
    """Values that will not convert."""
    records: int | None = None
    """Records that have links."""
    several: int | None = None
    """Records that have more than one."""
    size: int | None = None
    """Bytes of the table with its indexes."""


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing to know about a revision.

    ``mark`` says which field or entity type of the site it is about; ``table`` and ``column`` are the names in SQL
    before the upgrade; ``line`` is that of the revision's file. ``conversion`` holds the types of the old and the new
    column where values are carried over, ``links`` what happens to links. ``statement`` is SQL that does what the
    remedy says. ``allowed`` is the reason that the revision gives for it.
    """

    rule: Rule
    what: str
    mark: Mark | None = None
    table: str = ""
    column: str = ""
    line: int | None = None
    downgrade: bool = False
    conversion: tuple[TypeEngine[Any], TypeEngine[Any]] | None = field(default=None, compare=False)
    links: LinkCarryOver | None = field(default=None, compare=False)
    statement: str = ""
    counts: Counts = Counts()
    allowed: str | None = None

    @property
    def level(self) -> Level:
        """The rule's level."""
        return self.rule.level

    @property
    def place(self) -> str:
        """What it is about: ``Shot.sg_cut_in`` or ``Shot``; of what is not the site's, the name in SQL."""
        if self.mark is not None:
            return f"{self.mark.entity_type}.{self.mark.field}" if self.mark.field else self.mark.entity_type
        return self.sql_name

    @property
    def sql_name(self) -> str:
        """``shot.sg_cut_in``, ``shot`` or nothing."""
        return ".".join(name for name in (self.table, self.column) if name)
