"""Every expected failure of sg_migrate: small typed classes under one base.

A message says what happened, where, and what to do; the command line prints it without a traceback. The
errors are Alembic's ``CommandError`` too, so the ``alembic`` command prints them as one line as well.
"""

from __future__ import annotations

from alembic.util.exc import CommandError


class SgMigrateError(CommandError):
    """Base of all expected failures."""


class SourceError(SgMigrateError):
    """A schema source (file, connection, text) could not be read as a ShotGrid schema."""

    def __init__(self, source: str, problem: str, remedy: str = "") -> None:
        self.source = source
        self.problem = problem
        self.remedy = remedy
        super().__init__(f"{source}: {problem}" + (f" {remedy}" if remedy else ""))


class SettingsError(SgMigrateError):
    """A setting is unknown or has an impossible value."""
