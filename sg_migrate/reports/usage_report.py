"""How full fields are, as lines of text."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from sg_migrate.dictionary.usage import FieldUse
from sg_migrate.text import plural, shorten

NAME_LENGTH = 32


def text(found: Sequence[FieldUse], asked: int) -> Iterator[tuple[str, str]]:
    """A line for each field, those of one entity type below each other."""
    width = max((len(one.place) for one in found), default=0)
    named = max((len(shorten(one.name, NAME_LENGTH)) for one in found), default=0)
    for one in found:
        where = f"in {plural(len(one.projects), 'project')}" if one.projects.keys() - {None} else ""
        if len(one.projects) == 1 and where:
            where = f"in project {next(iter(one.projects))} only"
        share = f"{100 * one.filled / one.records:.0f} %" if one.records else "no records"
        words = [f"{one.filled:,} of {one.records:,} ({share})" if one.records else share, where]
        words += [f"last written {one.last_written}"] if one.last_written else []
        line = f"{one.place:<{width}}  {shorten(one.name, NAME_LENGTH):<{named}}  {', '.join(filter(None, words))}"
        yield line.rstrip(), "yellow" if one.could_go else ""
    yield f"{plural(len(found), 'field')} of {asked:,}", ""
