"""The warehouse as Python objects."""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from sg_migrate.models.build import Models, build_models
    from sg_migrate.models.fetching import prefetch
    from sg_migrate.models.json_filters import json_has
    from sg_migrate.models.paths import load_fields
    from sg_migrate.models.records import Link, LinkedRecords, Links, Record
    from sg_migrate.models.validator import refuse_invalid
    from sg_migrate.models.walking import PARENTS, backrefs, parents
    from sg_migrate.models.writing import get_by, upsert

__all__ = [
    "PARENTS",
    "Link",
    "LinkedRecords",
    "Links",
    "Models",
    "Record",
    "backrefs",
    "build_models",
    "get_by",
    "json_has",
    "load_fields",
    "parents",
    "prefetch",
    "refuse_invalid",
    "upsert",
]

_HOMES = {
    "PARENTS": "walking",
    "Link": "records",
    "LinkedRecords": "records",
    "Links": "records",
    "Models": "build",
    "Record": "records",
    "backrefs": "walking",
    "build_models": "build",
    "get_by": "writing",
    "json_has": "json_filters",
    "load_fields": "paths",
    "parents": "walking",
    "prefetch": "fetching",
    "refuse_invalid": "validator",
    "upsert": "writing",
}


def __getattr__(name: str) -> Any:
    """Import a public name when it is first used."""
    if name not in _HOMES:
        raise AttributeError(f"module 'sg_migrate.models' has no attribute {name!r}")
    return getattr(importlib.import_module(f"sg_migrate.models.{_HOMES[name]}"), name)
