"""What every source must pass before anything is made of it: plain data, sane depth, usable names."""

from __future__ import annotations

import math
import re
from collections.abc import Iterable
from typing import Any

from sg_migrate.text import clean, shorten

MAX_DEPTH = 200
"""Real schemas nest about a dozen levels (a summary field's query); beyond this lies only mischief."""

MAX_VALUES = 5_000_000
"""About fifty times what the largest known site holds; stops data that refers to itself over and over."""

MAX_INTEGER_BITS = 1024
"""Python refuses to print longer ones sooner or later; ShotGrid's numbers have 32 bits."""

RESERVED = frozenset({"format", "host", "end"})
"""Keys of the snapshot's own; ShotGrid's entity types begin with a capital letter."""

_CODE = re.compile(r"[A-Za-z][A-Za-z0-9_]*")
_SURROGATE = re.compile(r"[\ud800-\udfff]")


class Unreadable(Exception):
    """Internal: a problem and its place; whoever knows the source turns it into a ``SourceError``."""

    def __init__(self, place: str, problem: str, remedy: str = "") -> None:
        self.problem = f"{place}: {problem}" if place else problem
        self.remedy = remedy
        super().__init__(self.problem)


def check_plain(document: object) -> None:
    """Raise ``Unreadable`` unless ``document`` is plain JSON data, not too deep, not endless."""
    if not _is_plain(document):
        _find_the_place(document)


def _is_plain(document: object) -> bool:
    """Whether nothing is to be said of it, level by level; without places, which cost more than the rest of a read."""
    level, left = [document], MAX_VALUES
    for _ in range(MAX_DEPTH + 1):
        left -= len(level)
        if not level or left < 0:
            return not level
        below: list[object] = []
        for value in level:
            if isinstance(value, dict):
                below.extend(value)
                below.extend(value.values())
                if not all(isinstance(key, str) for key in value):
                    return False
            elif isinstance(value, list | tuple):
                below.extend(value)
            elif _problem(value) is not None:
                return False
        level = below
    return not level


def _find_the_place(document: object) -> None:
    waiting: list[tuple[object, tuple[str, ...]]] = [(document, ())]
    for _ in range(MAX_VALUES):
        if not waiting:
            return
        value, path = waiting.pop()
        if len(path) > MAX_DEPTH:
            raise Unreadable(_place(path), f"nested deeper than {MAX_DEPTH} levels.")
        waiting.extend(_children(value, path))
    if waiting:
        raise Unreadable("", "holds too many values for a ShotGrid schema.")


def _children(value: object, path: tuple[str, ...]) -> Iterable[tuple[object, tuple[str, ...]]]:
    if isinstance(value, dict):
        for key in value:
            _check_key(key, path)
        return [(item, (*path, key)) for key, item in value.items()]
    if isinstance(value, list | tuple):
        return [(item, (*path, str(index))) for index, item in enumerate(value)]
    _check_scalar(value, path)
    return ()


def _check_key(key: object, path: tuple[str, ...]) -> None:
    if not isinstance(key, str):
        raise Unreadable(_place(path), f"a key is {kind(key)}, not text.")
    _check_scalar(key, path)


def _check_scalar(value: object, path: tuple[str, ...]) -> None:
    problem = _problem(value)
    if problem is not None:
        raise Unreadable(_place(path), problem)


def _problem(value: object) -> str | None:
    """What is wrong with a value that holds no others."""
    if isinstance(value, str):
        return "holds half a character (a lone surrogate)." if _SURROGATE.search(value) else None
    if isinstance(value, float):
        return None if math.isfinite(value) else f"{value} is not a number that JSON knows."
    if isinstance(value, int):
        return "holds a number of absurd length." if value.bit_length() > MAX_INTEGER_BITS else None
    return None if value is None else f"holds {kind(value)}, which is not plain data."


def _place(path: tuple[str, ...]) -> str:
    shown = path if len(path) <= 6 else (*path[:6], "...")
    return quoted(".".join(shown))


def check_code(code: str, place: str, what: str) -> str:
    """Return ``code`` if it is a name that ShotGrid could have given; raise ``Unreadable`` otherwise."""
    if not _CODE.fullmatch(code):
        raise Unreadable(quoted(place), f"not a usable {what}: letters, digits and _ only, beginning with a letter.")
    return code


def check_entity_code(code: str) -> str:
    """Like ``check_code``; the snapshot's own keys are refused too."""
    check_code(code, code, "entity type")
    if code in RESERVED:
        raise Unreadable(code, "not a usable entity type: the snapshot file needs this name for itself.")
    return code


def quoted(text: str) -> str:
    """``text`` from a file, fit to stand in a message: one line, bounded, nothing invisible."""
    return shorten(clean(text), 120)


def kind(value: Any) -> str:
    """What ``value`` is, in words for a message."""
    names = {dict: "an object", list: "a list", tuple: "a list", str: "a text", bool: "true or false"}
    if value is None:
        return "null"
    return names.get(type(value), "a number" if isinstance(value, int | float) else f"a {type(value).__name__}")
