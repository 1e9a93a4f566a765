"""Site names to SQL identifiers: at most 63 characters, unique without regard to case, and stable."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterable, Iterator
from itertools import chain, count
from typing import Literal, TypeAlias

Naming: TypeAlias = Literal["snake", "shotgrid"]

MAX_LENGTH = 63
"""PostgreSQL's limit in bytes; MySQL's is 64, SQLite has none. One history needs one limit."""

_WORD_START = re.compile(r"(?<=[a-z0-9])(?=[A-Z])|(?<=[A-Z])(?=[A-Z][a-z])")


def snake_case(name: str) -> str:
    """``HumanUser`` -> ``human_user``, ``CustomEntity07`` -> ``custom_entity07``."""
    return _WORD_START.sub("_", name).lower()


def shorten(name: str) -> str:
    """``name``, or when it is too long its beginning and a hash of the whole."""
    return name if len(name) <= MAX_LENGTH else with_hash(name, name)


def with_hash(name: str, whole: str, length: int = MAX_LENGTH) -> str:
    """``name`` cut so that a hash of ``whole`` fits behind it, within ``length`` characters."""
    digest = hashlib.sha256(whole.encode()).hexdigest()[:8]
    return f"{name[: length - 9]}_{digest}"


def table_names(entity_type: str, *, naming: Naming, prefix: str = "", alias: str | None = None) -> list[str]:
    """The names an entity type's table may have, the wanted one first."""
    name = prefix + (alias or (snake_case(entity_type) if naming == "snake" else entity_type))
    return [shorten(name), with_hash(name, entity_type)]


def link_table_names(owner: str, code: str, *, naming: Naming) -> list[str]:
    """The names of a link table; ``owner`` is the name of the entity type's own table."""
    name = f"{owner}__{code.lower() if naming == 'snake' else code}"
    return [shorten(name), with_hash(name, name + " link")]


def column_names(code: str, *, naming: Naming, role: str = "") -> list[str]:
    """The names a field's column may have, the wanted one first.

    A field keeps its own code; a generated column (``role``) steps aside: ``task_id`` -> ``task_link_id``.
    """
    code = code.lower() if naming == "snake" else code
    if not role:
        return [shorten(code), with_hash(code, code + " field")]
    return [
        shorten(f"{code}_{role}"), shorten(f"{code}_link_{role}"), with_hash(f"{code}_{role}", f"{code} {role}")
    ]  # fmt: skip


def own_column_names(name: str) -> list[str]:
    """The names that a column of ours may have; a field of the site keeps its own code."""
    return [name, f"record_{name}", with_hash(name, name + " of sg_migrate")]


def former_names(name: str, data_type: str) -> Iterator[tuple[str, str]]:
    """For what keeps values of an earlier type: a label that tells it apart, and a name.

    ``("text", "<name>__was_text")``, ``("text_2", "<name>__was_text_2")`` and so on, without end.
    """
    for number in count(1):
        label = data_type + (f"_{number}" if number > 1 else "")
        suffix = f"__was_{label}"
        room = MAX_LENGTH - len(suffix)
        yield label, (name if len(name) <= room else with_hash(name, name, room)) + suffix


def index_name(table: str, columns: Iterable[str]) -> str:
    """``ix_<table>_<columns>``; unique in a whole database, as PostgreSQL and SQLite want."""
    return shorten("ix_" + table + "_" + "_".join(columns))


def foreign_key_name(table: str, column: str) -> str:
    """``fk_<table>_<column>``."""
    return shorten(f"fk_{table}_{column}")


class Names:
    """Names already taken, compared without case, and the choice of the next one."""

    def __init__(self, taken: Iterable[str] = ()) -> None:
        self._taken = {name.lower() for name in taken}

    def free(self, name: str) -> None:
        """Give a name back."""
        self._taken.discard(name.lower())

    def is_free(self, name: str) -> bool:
        """Whether nothing has that name."""
        return name.lower() not in self._taken

    def take(self, candidates: Iterable[str], built: str | None = None) -> str:
        """The name for an object: ``built``, its present name, if that is a candidate; else the first free one, taken.

        Where none is free, the last of them gets a hash that nothing else has.
        """
        candidates = list(candidates)
        if built is not None:
            if built in candidates:
                return built
            self.free(built)
        others = (with_hash(candidates[-1], f"{candidates[-1]} {number}") for number in count(2))
        name = next(name for name in chain(candidates, others) if self.is_free(name))
        self._taken.add(name.lower())
        return name
