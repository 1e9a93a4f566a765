"""Alembic migrations for an SQL warehouse that follows a ShotGrid site's schema."""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from sg_migrate.errors import SgMigrateError
    from sg_migrate.revisions.environment import Environment
    from sg_migrate.settings import Settings
    from sg_migrate.site.schema import EntityType, Field, SiteSchema
    from sg_migrate.site.snapshot import Snapshot, merge, read_snapshot, write_snapshot
    from sg_migrate.site.sources import load_schema
    from sg_migrate.warehouse.model import build_metadata

__all__ = [
    "EntityType",
    "Environment",
    "Field",
    "Settings",
    "SgMigrateError",
    "SiteSchema",
    "Snapshot",
    "build_metadata",
    "load_schema",
    "merge",
    "read_snapshot",
    "write_snapshot",
]

_HOMES = {
    "EntityType": "site.schema",
    "Environment": "revisions.environment",
    "Field": "site.schema",
    "Settings": "settings",
    "SgMigrateError": "errors",
    "SiteSchema": "site.schema",
    "Snapshot": "site.snapshot",
    "build_metadata": "warehouse.model",
    "load_schema": "site.sources",
    "merge": "site.snapshot",
    "read_snapshot": "site.snapshot",
    "write_snapshot": "site.snapshot",
}


def __getattr__(name: str) -> Any:
    """Import a public name when it is first used: the Alembic plugin imports this package in every Alembic process."""
    if name not in _HOMES:
        raise AttributeError(f"module 'sg_migrate' has no attribute {name!r}")
    return getattr(importlib.import_module(f"sg_migrate.{_HOMES[name]}"), name)
