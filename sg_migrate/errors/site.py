"""Errors of a site's schema and of the snapshot file."""

from __future__ import annotations

from sg_migrate.errors.base import SgMigrateError


class SourceError(SgMigrateError):
    """A schema source (file, connection, text) could not be read as a ShotGrid schema."""

    def __init__(self, source: str, problem: str, remedy: str = "") -> None:
        self.source = source
        self.problem = problem
        self.remedy = remedy
        super().__init__(f"{source}: {problem}" + (f" {remedy}" if remedy else ""))


class CredentialsError(SourceError):
    """The credentials for a live site are missing, incomplete or ambiguous; nothing was sent."""


class UnreachableError(SourceError):
    """The site could not be reached, or what answered was not a ShotGrid site."""


class RefusedError(UnreachableError):
    """The site answered with a fault of its own: a permission, an entity type or field that is not there."""


class LoginRefusedError(SourceError):
    """The site answered and refused the credentials."""


class SnapshotError(SourceError):
    """The snapshot file could not be read or written."""


class SnapshotVersionError(SnapshotError):
    """The snapshot was written in a format that this version does not know."""


class SnapshotConflictError(SnapshotError):
    """Git left a merge conflict in the file; ``line`` is the number of the first marker."""

    def __init__(self, source: str, line: int) -> None:
        self.line = line
        super().__init__(
            source,
            f"line {line}: a merge conflict is left in the file.",
            "Take both sides (delete only the marker lines), then run `sg-migrate snapshot` again.",
        )


class ForeignHostError(SgMigrateError):
    """What was read belongs to another site than the snapshot does."""

    def __init__(self, snapshot_host: str | None, site_host: str) -> None:
        self.snapshot_host = snapshot_host
        self.site_host = site_host
        belongs, remedy = f"belongs to {snapshot_host}", "Check SG_URL; if the site has moved"
        if snapshot_host is None:
            belongs, remedy = "was made from files that name no site", "If they were of this site"
        super().__init__(
            f"The snapshot {belongs}, but this schema comes from {site_host}. Nothing was written. {remedy}, run"
            " `sg-migrate snapshot --rebind`."
        )


class FilesBusyError(SgMigrateError):
    """Another command is writing the snapshot or a revision of the same project; nothing was written."""

    def __init__(self, path: str) -> None:
        self.path = path
        super().__init__(
            f"{path}: another sg-migrate command is writing it or a revision beside it. Nothing was written. Run this"
            " one again when that one has ended."
        )


class MassRetirementError(SgMigrateError):
    """So much would retire at once that the site, or the permissions of its key, must be wrong."""

    def __init__(self, entity_types: int, all_entity_types: int, fields: int, all_fields: int) -> None:
        self.entity_types = entity_types
        self.all_entity_types = all_entity_types
        self.fields = fields
        self.all_fields = all_fields
        super().__init__(
            f"{entity_types} of {all_entity_types} entity types and {fields} of {all_fields} fields are no longer "
            "on the site. That looks like another site, or like a script key that lost its permissions; nothing was "
            "written. If it is true, run again with --accept-retirements (the alembic command: "
            "-x sg_accept_retirements=true)."
        )


class PruneError(SgMigrateError):
    """What was to be pruned is not retired, or is not in the snapshot at all; nothing was marked."""

    def __init__(self, name: str, problem: str) -> None:
        self.name = name
        super().__init__(f"{name}: {problem} Only what is retired can be pruned; nothing was changed.")


class SetAsideError(SgMigrateError):
    """There are no values of that name that could be set aside; nothing was marked."""

    def __init__(self, name: str, problem: str) -> None:
        self.name = name
        super().__init__(f"{name}: {problem} Nothing was changed.")


class EventsFileError(SourceError):
    """The file of the site's events cannot be read or written; ``line`` is 0 for the file as a whole."""

    def __init__(self, source: str, line: int, problem: str) -> None:
        self.line = line
        place = f"line {line}: " if line else ""
        remedy = "Take the file as git has it; of a merge conflict keep both sides and delete the marker lines."
        super().__init__(source, f"{place}{problem}", remedy)
