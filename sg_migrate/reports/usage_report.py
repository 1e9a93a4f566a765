"""How full fields are, in words."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from sg_migrate.database.usage import Use
from sg_migrate.text import plural, shorten

NAME_LENGTH = 32


def use_words(one: Use) -> str:
    """``1 of 3 (33 %), in project 7 only, last written 2026-01-01 10:00:00``."""
    where = f"in {plural(len(one.projects), 'project')}" if one.projects.keys() - {None} else ""
    if len(one.projects) == 1 and where:
        where = f"in project {next(iter(one.projects))} only"
    if "." not in one.place:
        filled = plural(one.records, "record")
    elif one.records:
        filled = f"{one.filled:,} of {one.records:,} ({100 * one.filled / one.records:.0f} %)"
    else:
        filled = "no records"
    last = f"last written {one.last_written}" if one.last_written else ""
    return ", ".join(filter(None, (filled, where, last)))


def text(found: Sequence[Use], asked: int) -> Iterator[tuple[str, str]]:
    """A line for each field, those of one entity type below each other."""
    width = max((len(one.place) for one in found), default=0)
    named = max((len(shorten(one.name, NAME_LENGTH)) for one in found), default=0)
    for one in found:
        line = f"{one.place:<{width}}  {shorten(one.name, NAME_LENGTH):<{named}}  {use_words(one)}"
        yield line.rstrip(), "yellow" if one.could_go else ""
    yield f"{len(found):,} of {asked:,} entity types and fields", ""
