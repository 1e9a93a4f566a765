"""The base of every expected failure."""

from __future__ import annotations

from alembic.util.exc import CommandError


class SgMigrateError(CommandError):
    """Base of all expected failures."""
