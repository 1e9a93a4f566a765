"""The warehouse as Python objects."""

from __future__ import annotations

from sg_migrate.models.build import Models, build_models
from sg_migrate.models.fetching import prefetch
from sg_migrate.models.json_filters import json_has
from sg_migrate.models.links import Link
from sg_migrate.models.lists import LinkedRecords, Links
from sg_migrate.models.paths import load_fields
from sg_migrate.models.records import Record
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
