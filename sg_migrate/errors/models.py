"""Errors of the warehouse's records as objects."""

from __future__ import annotations

from sg_migrate.errors.base import SgMigrateError


class RowError(SgMigrateError):
    """What the site's API returned, or claims to be that, is no record of these models."""

    def __init__(self, place: str, problem: str) -> None:
        self.place = place
        self.problem = problem
        super().__init__(f"{place}: {problem}.")


class RefusedValueError(SgMigrateError, ValueError):
    """A value that the site would refuse; ``allowed`` says in words what it takes."""

    def __init__(self, place: str, value: str, allowed: str) -> None:
        self.place = place
        self.value = value
        self.allowed = allowed
        super().__init__(f"{place}: {value} is refused. Allowed: {allowed}.")


class PathError(SgMigrateError, ValueError):
    """A path of fields (``entity.Shot.code``) that leads nowhere."""

    def __init__(self, path: str, problem: str) -> None:
        self.path = path
        self.problem = problem
        super().__init__(f"{path}: {problem}.")
