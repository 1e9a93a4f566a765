"""Fields that say the same thing from two sides: ``HumanUser.department`` and ``Department.users``."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from sg_migrate.site.schema import EntityType, Field
from sg_migrate.warehouse.naming import snake_case

STOCK = (
    ("HumanUser.department", "users"),
    ("HumanUser.groups", "users"),
    ("HumanUser.projects", "users"),
    ("Asset.assets", "parents"),
    ("Asset.shots", "assets"),
    ("Asset.sequences", "assets"),
    ("Asset.episodes", "assets"),
    ("Asset.levels", "assets"),
    ("Asset.scenes", "assets"),
    ("Shot.sg_sequence", "shots"),
    ("Shot.sg_scene", "shots"),
    ("Shot.shots", "parent_shots"),
    ("Sequence.episode", "sequences"),
    ("Cut.sg_scene", "cuts"),
    ("Task.entity", "tasks"),
    ("Task.upstream_tasks", "downstream_tasks"),
    ("Version.entity", "sg_versions"),
    ("Version.playlists", "versions"),
    ("PublishedFile.entity", "sg_published_files"),
    ("PublishedFile.version", "published_files"),
    ("PublishedFile.upstream_published_files", "downstream_published_files"),
    ("Note.note_links", "notes"),
    ("Note.tasks", "notes"),
)
"""Stock fields, where a site has both: a field, and what it is called on the other side."""

Pairs = Mapping[tuple[str, str], Mapping[str, str]]
"""By entity type and field: the entity types that it leads to -> the field on their side."""


def pairs_of(entity_types: Mapping[str, EntityType]) -> Pairs:
    """The pairs among these entity types' active fields, each from both its sides."""
    found: dict[tuple[str, str], dict[str, str]] = {}
    for field, target, other in _pairs(entity_types):
        mine = found.setdefault((field.entity_type, field.code), {})
        theirs = found.setdefault((target, other), {})
        if target not in mine and field.entity_type not in theirs:
            mine[target] = other
            theirs[field.entity_type] = field.code
    return {place: types for place, types in found.items() if types}


def _pairs(entity_types: Mapping[str, EntityType]) -> Iterator[tuple[Field, str, str]]:
    stock: dict[str, list[str]] = {}
    for place, other in STOCK:
        stock.setdefault(place, []).append(other)
    for entity_type in entity_types.values():
        for field in entity_type.fields.values():
            if field.data_type not in ("entity", "multi_entity") or field.state != "active":
                continue
            names = stock.get(str(field), [])
            for target in field.valid_types:
                for name in (*names, *_made_by_the_site(field, entity_types)):
                    if _leads_back(entity_types, target, name, field):
                        yield field, target, name
                        break


def _made_by_the_site(field: Field, entity_types: Mapping[str, EntityType]) -> Iterator[str]:
    """What a site calls the other side that it makes for a custom field.

    ``Shot.sg_props`` (assets) is ``shot_sg_props_shots`` on an asset; ``Version.sg_task`` is ``sg_versions`` on a task,
    where it is the only custom link of a version to a task.
    """
    mine = snake_case(field.entity_type)
    if field.data_type == "multi_entity":
        yield f"{mine}_{field.code}_{mine}s"
    elif field.code.startswith("sg_"):
        others = [
            other for other in entity_types[field.entity_type].fields.values()
            if other.data_type == "entity" and other.state == "active" and other.code.startswith("sg_")
            and other.code != field.code and set(other.valid_types) & set(field.valid_types)
        ]  # fmt: skip
        if not others:
            yield f"sg_{mine}s"


def _leads_back(entity_types: Mapping[str, EntityType], target: str, name: str, field: Field) -> bool:
    other = entity_types[target].fields.get(name) if target in entity_types else None
    return (
        other is not None
        and other.state == "active"
        and other.data_type == "multi_entity"
        and field.entity_type in other.valid_types
    )
