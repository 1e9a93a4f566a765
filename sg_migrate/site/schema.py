"""What a ShotGrid site says about its schema: frozen values in one canonical form."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Literal, TypeAlias

LedgerState: TypeAlias = Literal["active", "retired", "dropped"]
"""``active``: on the site; ``retired``: the site no longer has it; ``dropped``: a person decided to remove it."""

JSON: TypeAlias = "bool | int | float | str | list[JSON] | dict[str, JSON] | None"


@dataclass(frozen=True, slots=True)
class Field:
    """One field of an entity type.

    ``properties`` holds what gives a field its meaning beside its type (``calculated_function``, ``renderer``,
    ``query``), as ``(key, canonical JSON text)`` pairs in the order of the keys. ``since`` is the ISO date on
    which the state became what it is; ``None`` for active fields. ``pruned`` names the former columns that a person
    decided to drop: the field kept its values in them from before its type changed (``text``, ``text_2``).
    ``set_aside`` names those that a person asked for: the values so far are kept apart from those to come.
    """

    entity_type: str
    code: str
    data_type: str
    name: str = ""
    description: str = ""
    valid_types: tuple[str, ...] = ()
    valid_values: tuple[str, ...] = ()
    default: JSON = None
    mandatory: bool = False
    unique: bool = False
    editable: bool = True
    visible: bool = True
    properties: tuple[tuple[str, str], ...] = ()
    state: LedgerState = "active"
    since: str | None = None
    pruned: tuple[str, ...] = ()
    set_aside: tuple[str, ...] = ()

    def __str__(self) -> str:
        return f"{self.entity_type}.{self.code}"

    @property
    def value_labels(self) -> Mapping[str, str]:
        """What the values of a list are shown as, where that is another text: ``{"wtg": "Waiting to Start"}``."""
        text = dict(self.properties).get("display_values")
        found = json.loads(text) if text else {}
        return {str(value): str(label) for value, label in found.items()} if isinstance(found, dict) else {}


@dataclass(frozen=True, slots=True)
class EntityType:
    """One entity type with its fields, by code, in the order of the codes."""

    code: str
    name: str = ""
    visible: bool = True
    fields: Mapping[str, Field] = field(default_factory=dict)
    state: LedgerState = "active"
    since: str | None = None

    def __str__(self) -> str:
        return self.code


@dataclass(frozen=True, slots=True)
class SiteSchema:
    """The entity types of a site, by code, in the order of the codes; ``host`` is the site's host name, if known."""

    entity_types: Mapping[str, EntityType] = field(default_factory=dict)
    host: str | None = None

    def fields(self) -> Iterator[Field]:
        """Every field of every entity type, in canonical order."""
        for entity_type in self.entity_types.values():
            yield from entity_type.fields.values()
