"""What is different between two schemas, in the words of those who changed the site."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from itertools import takewhile
from typing import Any, Literal, TypeAlias, cast, get_args

from sg_migrate.site.raw import canonical_text
from sg_migrate.site.schema import EntityType, Field, SiteSchema
from sg_migrate.text import clean, shorten

SiteChangeKind: TypeAlias = Literal[
    "added",
    "vanished",
    "retired",
    "revived",
    "dropped",
    "data_type",
    "name",
    "description",
    "valid_types",
    "valid_values",
    "default",
    "mandatory",
    "unique",
    "editable",
    "visible",
    "pruned",
    "set_aside",
    "calculated_function",
    "display_values",
    "query",
    "renderer",
    "renamed",
    "comment",
]
"""What changed, in the order of a list of changes; then properties that give a field its
meaning; last what only a warehouse has: the name of a table or column, and its comment."""

_ORDER = {kind: position for position, kind in enumerate(get_args(SiteChangeKind))}
_STATE_KINDS: dict[str, SiteChangeKind] = {"active": "revived", "retired": "retired", "dropped": "dropped"}
_SENTENCES = {
    "vanished": "no longer there",
    "retired": "retired: no longer on the site, kept in the warehouse",
    "revived": "back on the site",
    "dropped": "dropped: a person decided to remove it from the warehouse",
}
_WORDS = {
    "data_type": "data type",
    "name": "display name",
    "valid_types": "valid types",
    "valid_values": "valid values",
    "pruned": "kept values of earlier types, decided to drop:",
    "set_aside": "values so far, decided to keep apart:",
    "calculated_function": "calculation",
    "display_values": "labels of values",
}
_LISTS = ("valid_types", "valid_values", "pruned", "set_aside")


@dataclass(frozen=True, slots=True)
class SiteChange:
    """One difference, in the site's terms.

    ``field`` is ``None`` for what concerns the entity type itself. ``display_name`` is the one of today, where there
    is a today. ``old`` and ``new`` hold the values: of an added entry its data type (a field) or its number of
    fields (an entity type). Lists tell in ``added`` and ``removed`` what came and went; when both are empty, the
    order changed.
    """

    entity_type: str
    field: str | None
    kind: SiteChangeKind
    display_name: str = ""
    old: str | bool | int | None = None
    new: str | bool | int | None = None
    added: tuple[str, ...] = ()
    removed: tuple[str, ...] = ()

    @property
    def place(self) -> str:
        """``Shot`` or ``Shot.sg_cut_in``."""
        return self.entity_type if self.field is None else f"{self.entity_type}.{self.field}"

    def __str__(self) -> str:
        name = f" {_quoted(self.display_name)}" if self.display_name else ""
        return f"{self.place}{name}: {self.what}"

    @property
    def what(self) -> str:
        """What changed, without the place."""
        word = _WORDS.get(self.kind, self.kind)
        if self.kind == "added":
            return f"new field ({self.new})" if self.field else f"new entity type ({self.new} fields)"
        if self.kind in _SENTENCES:
            return _SENTENCES[self.kind]
        if self.kind in _LISTS:
            return f"{word} {self._list()}"
        if isinstance(self.new, bool):
            return word if self.new else f"no longer {word}"
        if self.kind == "query":
            return "query changed"
        if self.kind == "renamed":
            return f"renamed in the warehouse: {_shown(self.old)} -> {_shown(self.new)}"
        show = _quoted if self.kind in ("name", "description", "comment") else _shown
        old, new = show(self.old), show(self.new)
        if old == new:  # They differ in what is not seen: spaces, control characters, or beyond the cut.
            old, new = _around_difference(str(self.old), str(self.new), show)
        return f"{word} {old} -> {new}"

    def _list(self) -> str:
        signs = [f"+{_shown(item)}" for item in self.added] + [f"-{_shown(item)}" for item in self.removed]
        return ", ".join(signs) or "in another order"


def _around_difference(old: str, new: str, show: Callable[[str], str]) -> tuple[str, str]:
    """Two texts from a little before where they differ; escaped, where that is not seen."""
    at = len(list(takewhile(lambda pair: pair[0] == pair[1], zip(old, new, strict=False))))
    start = max(0, at - 20)
    before = "…" if start else ""
    one, other = (show(text[start:]) for text in (old, new))
    if one == other:
        one, other = (ascii(text[start : at + 10]) for text in (old, new))
    return before + one, before + other


def _quoted(text: object) -> str:
    return f'"{_shown(text)}"' if text else "(none)"


def _shown(text: object) -> str:
    return "(none)" if text is None else shorten(clean(str(text)), 80)


def changes(old: SiteSchema, new: SiteSchema) -> list[SiteChange]:
    """Every difference between two schemas, plain or ledgers, in a stable order; nothing that is not a change.

    The order of valid types, the dates of states and the host are no changes. Of an entity type that is new or gone,
    its fields are not listed one by one.
    """
    found = [_change(path, before, after, old, new) for path, before, after in _differences(old, new)]
    return sorted(found, key=lambda change: (change.entity_type, change.field or "", _ORDER[change.kind]))


def _differences(old: SiteSchema, new: SiteSchema) -> Iterator[tuple[list[str], Any, Any]]:
    """``(path, before, after)`` of each difference of the plain forms; ``None`` where there is nothing."""
    from deepdiff import DeepDiff

    before, after = _unequal(_plain_schema(old), _plain_schema(new))
    # Without these two, keys beginning with __ are left out, and very different entries are not compared.
    tree = DeepDiff(before, after, view="tree", ignore_private_variables=False, threshold_to_diff_deeper=0)
    absent = {"dictionary_item_added": (False, True), "dictionary_item_removed": (True, False)}
    for report, items in tree.items():
        has_old, has_new = absent.get(report, (True, True))
        for item in items:
            path = [str(step) for step in item.path(output_format="list")]
            yield path, item.t1 if has_old else None, item.t2 if has_new else None


def _unequal(old: dict[str, Any], new: dict[str, Any]) -> tuple[dict[str, Any], dict[str, Any]]:
    """Both sides without what is equal in them: a year changes a tenth of a site, and DeepDiff takes its time."""
    for code in old.keys() & new.keys():
        old_fields, new_fields = old[code]["fields"], new[code]["fields"]
        for name in [name for name in old_fields.keys() & new_fields.keys() if old_fields[name] == new_fields[name]]:
            del old_fields[name], new_fields[name]
        if old[code] == new[code]:
            del old[code], new[code]
    return old, new


def _plain_schema(schema: SiteSchema) -> dict[str, Any]:
    return {
        code: {
            "name": entity_type.name,
            "visible": entity_type.visible,
            "state": entity_type.state,
            "fields": {name: _plain_field(field) for name, field in entity_type.fields.items()},
        }
        for code, entity_type in schema.entity_types.items()
    }


def _plain_field(field: Field) -> dict[str, Any]:
    return {
        "state": field.state,
        "data_type": field.data_type,
        "name": field.name,
        "description": field.description,
        "valid_types": canonical_text(sorted(set(field.valid_types))),
        "valid_values": canonical_text(field.valid_values),
        "default": None if field.default is None else canonical_text(field.default),
        "mandatory": field.mandatory,
        "unique": field.unique,
        "editable": field.editable,
        "visible": field.visible,
        "pruned": canonical_text(field.pruned),
        "set_aside": canonical_text(field.set_aside),
        "properties": dict(field.properties),
    }


def _change(path: list[str], before: Any, after: Any, old: SiteSchema, new: SiteSchema) -> SiteChange:
    entity_type = new.entity_types.get(path[0]) or old.entity_types[path[0]]
    if len(path) == 1:
        return _come_or_gone(entity_type, None, gone=after is None)
    if path[1] != "fields":
        return _attribute(entity_type.code, None, entity_type.name, path[1:], before, after)
    field = _field(new.entity_types, path) or _field(old.entity_types, path)
    assert field is not None
    if len(path) == 3:
        return _come_or_gone(entity_type, field, gone=after is None)
    return _attribute(entity_type.code, field.code, field.name, path[3:], before, after)


def _field(entity_types: Mapping[str, EntityType], path: list[str]) -> Field | None:
    return entity_types[path[0]].fields.get(path[2])


def _come_or_gone(entity_type: EntityType, field: Field | None, *, gone: bool) -> SiteChange:
    code, display_name = (field.code, field.name) if field else (None, entity_type.name)
    value = field.data_type if field else len(entity_type.fields)
    if gone:
        return SiteChange(entity_type.code, code, "vanished", display_name, old=value)
    return SiteChange(entity_type.code, code, "added", display_name, new=value)


def _attribute(
    entity_type: str, field: str | None, display_name: str, path: list[str], before: Any, after: Any
) -> SiteChange:
    attribute, *item = path
    if attribute == "state":
        return SiteChange(entity_type, field, _STATE_KINDS[after], display_name, old=before, new=after)
    if attribute in _LISTS:
        old, new = set(json.loads(before)), set(json.loads(after))
        added, removed = tuple(sorted(new - old)), tuple(sorted(old - new))
        return SiteChange(
            entity_type, field, cast(SiteChangeKind, attribute), display_name, added=added, removed=removed
        )
    kind = cast(SiteChangeKind, item[0] if attribute == "properties" else attribute)
    return SiteChange(entity_type, field, kind, display_name, old=before, new=after)
