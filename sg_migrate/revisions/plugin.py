"""The Alembic plugin. It loads on every ``import alembic``, so it imports nothing heavy and cannot fail."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from alembic.runtime.plugins import Plugin


def setup(plugin: Plugin) -> None:
    """Register with Alembic; called by Alembic itself, once per process."""
