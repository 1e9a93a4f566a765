"""The template of an Alembic project: where it is, and making a project from it."""

from __future__ import annotations

import contextlib
import io
from pathlib import Path

import alembic.command
from alembic.config import Config

from sg_migrate.database.address import without_password
from sg_migrate.errors import ProjectExistsError
from sg_migrate.packaged import packaged_folder


def template_directory() -> Path:
    """The folder to give to ``alembic init -t``."""
    return packaged_folder("alembic_template")


class _TemplateConfig(Config):
    """Alembic's configuration, with our folder as the template to choose from."""

    def get_template_directory(self) -> str:
        return str(template_directory().parent)


def create_project(folder: Path, *, url: str | None = None) -> Path:
    """Make ``folder`` an Alembic project of ours.

    Args:
        folder: created when it is missing.
        url: the database, for alembic.ini, which gets it without its password; the SQLite file ``warehouse.db`` beside
            it when left out.

    Returns:
        The path of alembic.ini.

    Raises:
        ProjectExistsError: there is an alembic.ini or a migrations folder already; nothing is overwritten.
    """
    ini = folder / "alembic.ini"
    for path in (ini, folder / "migrations"):
        if path.exists():
            raise ProjectExistsError(str(path))
    folder.mkdir(parents=True, exist_ok=True)
    config = _TemplateConfig(str(ini), stdout=io.StringIO())
    with contextlib.redirect_stdout(io.StringIO()):
        alembic.command.init(config, str(folder / "migrations"), template="alembic_template")
    text = ini.read_text(encoding="utf-8")
    if url is not None:
        text = text.replace("sqlite:///%(here)s/warehouse.db", without_password(url).replace("%", "%%"))
    text = text.replace(f"script_location = {folder / 'migrations'}", "script_location = %(here)s/migrations")
    ini.write_text(text, encoding="utf-8")
    return ini
