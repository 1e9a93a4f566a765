"""Which entity types and fields are meant: patterns such as ``Shot.{code,sg_*}``, ``*.image_source_entity``."""

from __future__ import annotations

import fnmatch
import itertools
import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from functools import lru_cache

from sg_migrate.errors import PatternError
from sg_migrate.site.schema import Field

MAX_ALTERNATIVES = 1000
"""``{a,b}`` multiplies; nobody writes this many by hand."""

_PART = re.compile(r"(?:[A-Za-z0-9_*?]|\[!?[A-Za-z0-9_-]+\])+")
"""A pattern for one name: letters, digits, ``_``, ``*``, ``?`` and ``[...]``, as in file names."""


@dataclass(frozen=True, slots=True)
class _Pattern:
    entity_type: re.Pattern[str]
    field: re.Pattern[str] | None


@dataclass(frozen=True, slots=True)
class Selection:
    """What the patterns choose; without any, everything.

    A pattern is ``ENTITY`` (all of it) or ``ENTITY.FIELD``, each part with ``*``, ``?``, ``[...]`` and ``{a,b}``. Case
    counts. ``include`` names what is wanted, nothing there meaning all; ``exclude`` always wins.

    Raises:
        PatternError: a pattern that means nothing, naming it.
    """

    include: tuple[str, ...] = ()
    exclude: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        _compile(self.include)
        _compile(self.exclude)

    @classmethod
    def from_shotgrid_orm(cls, ignored_tables: Iterable[str] = (), ignored_fields: Iterable[str] = ()) -> Selection:
        """What shotgrid_orm's ``ignored_tables`` and ``ignored_fields`` leave: names, and field names of any type."""
        return cls(exclude=(*ignored_tables, *(f"*.{field}" for field in ignored_fields)))

    def entity_type(self, code: str) -> bool:
        """Whether the entity type is chosen, wholly or for some of its fields."""
        wanted = not self.include or any(p.entity_type.fullmatch(code) for p in _compile(self.include))
        return wanted and not any(p.field is None and p.entity_type.fullmatch(code) for p in _compile(self.exclude))

    def field(self, field: Field) -> bool:
        """Whether the field is chosen. ``id`` is judged like any other; a table has its key in any case."""
        wanted = not self.include or _any_match(self.include, field)
        return wanted and not _any_match(self.exclude, field)


def _any_match(patterns: tuple[str, ...], field: Field) -> bool:
    return any(
        pattern.entity_type.fullmatch(field.entity_type)
        and (pattern.field is None or pattern.field.fullmatch(field.code))
        for pattern in _compile(patterns)
    )


@lru_cache(maxsize=64)
def _compile(patterns: tuple[str, ...]) -> tuple[_Pattern, ...]:
    return tuple(_parse(pattern, plain) for pattern in patterns for plain in expand(pattern))


def _parse(pattern: str, plain: str) -> _Pattern:
    parts = plain.split(".")
    if len(parts) > 2:
        raise _bad(pattern, "more than one dot; write ENTITY or ENTITY.FIELD.")
    for part in parts:
        if not part:
            raise _bad(pattern, "a name is missing; write ENTITY or ENTITY.FIELD.")
        if not _PART.fullmatch(part):
            raise _bad(pattern, "only letters, digits, _ and the signs * ? [...] {a,b} can be used.")
    entity_type, *field = (re.compile(fnmatch.translate(part)) for part in parts)
    return _Pattern(entity_type, field[0] if field else None)


def expand(pattern: str) -> list[str]:
    """``pattern`` without braces, once for each alternative: ``a{b,c{d,e}}`` is ``ab``, ``acd``, ``ace``.

    Raises:
        PatternError: braces that do not match, or more than 1,000 alternatives.
    """
    waiting, done = [pattern], []
    while waiting:
        current = waiting.pop(0)
        opening = _opening(pattern, current)
        if opening is None:
            done.append(current)
        else:
            closing, alternatives = _group(pattern, current, opening)
            waiting[:0] = [current[:opening] + choice + current[closing + 1 :] for choice in alternatives]
        if len(waiting) + len(done) > MAX_ALTERNATIVES:
            raise _bad(pattern, f"more than {MAX_ALTERNATIVES} alternatives.")
    return list(dict.fromkeys(done))


def _opening(pattern: str, current: str) -> int | None:
    opening, closing = current.find("{"), current.find("}")
    if closing != -1 and (opening == -1 or closing < opening):
        raise _bad(pattern, "a } without its {.")
    return None if opening == -1 else opening


def _group(pattern: str, current: str, opening: int) -> tuple[int, list[str]]:
    """The position of the brace that closes the group, and the alternatives in between."""
    cuts = [opening]
    for position, depth in _depths(current, opening):
        if depth == 0:
            cuts.append(position)
            return position, [current[a + 1 : b] for a, b in itertools.pairwise(cuts)]
        if depth == 1 and current[position] == ",":
            cuts.append(position)
    raise _bad(pattern, "a { without its }.")


def _depths(text: str, start: int) -> Iterator[tuple[int, int]]:
    depth = 0
    for position in range(start, len(text)):
        depth += {"{": 1, "}": -1}.get(text[position], 0)
        yield position, depth


def _bad(pattern: str, problem: str) -> PatternError:
    return PatternError(pattern, problem)
