"""Options that several commands share."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import click

if TYPE_CHECKING:
    from sg_migrate.revisions.project import Project
    from sg_migrate.settings import Settings

config_option = click.option(
    "-c",
    "--config",
    type=click.Path(path_type=Path, dir_okay=False),
    default="alembic.ini",
    show_default=True,
    help="The project's alembic.ini.",
)
setting_option = click.option(
    "-x",
    "arguments",
    multiple=True,
    metavar="sg_KEY=VALUE",
    help="A setting for this run, as with the alembic command.",
)


def settings(arguments: tuple[str, ...]) -> Settings:
    """The settings of these options alone, where there is no project. Raises ``SettingsError``."""
    from alembic.config import Config

    from sg_migrate.revisions.project import overrides
    from sg_migrate.settings import read_settings

    return read_settings(Config(), overrides(arguments))


def project(config: Path, arguments: tuple[str, ...] = ()) -> Project:
    """The project of these options. Raises ``NoProjectError``, ``SettingsError``."""
    from sg_migrate.revisions.project import Project, overrides

    return Project.find(config, overrides(arguments))
