"""The folders that come with the package: inside it once installed, beside it in a source checkout."""

from __future__ import annotations

from pathlib import Path


def packaged_folder(name: str) -> Path:
    """The folder ``alembic_template`` or ``sample_schemas``."""
    package = Path(__file__).resolve().parent
    installed = package / name
    return installed if installed.is_dir() else package.parent / name
