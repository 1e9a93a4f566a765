"""Errors of a project and its revisions."""

from __future__ import annotations

from sg_migrate.errors.base import SgMigrateError


class NoProjectError(SgMigrateError):
    """There is no Alembic project where one was expected."""

    def __init__(self, ini: str, problem: str = "there is no such file") -> None:
        self.ini = ini
        super().__init__(f"{ini}: {problem}. Name another with --config, or make a project with `sg-migrate init`.")


class ProjectExistsError(SgMigrateError):
    """A project would overwrite what is there."""

    def __init__(self, path: str) -> None:
        self.path = path
        super().__init__(
            f"{path} is there already; nothing was changed. Name another folder. The documentation"
            " says under Adoption how to add the site's tables to an Alembic project that exists."
        )


class DemoError(SgMigrateError):
    """A step of the demo failed."""

    def __init__(self, step: str) -> None:
        super().__init__(f"The demo stopped at: {step}. What was printed above says why.")


class BrokenRevisionError(SgMigrateError):
    """The file of a revision cannot be imported, or the revisions do not fit each other."""

    def __init__(self, path: str, line: int | None, problem: str) -> None:
        self.path = path
        self.line = line
        at = f"{path}, line {line}" if line else path
        super().__init__(f"{at}: {problem.rstrip('.')}. No command can read the revisions until that is mended.")


class EnvironmentFileError(SgMigrateError):
    """The project's env.py fails, before anything was written."""

    def __init__(self, path: str, line: int | None, error: Exception) -> None:
        self.path = path
        self.line = line
        what = (str(error).strip().splitlines() or [""])[0].rstrip(".")
        remedy = "Mend it, and run the command again."
        if "application context" in what:
            remedy = "Inside of the application: `flask db migrate`, or `with app.app_context():` around the call."
        super().__init__(f"{path}, line {line}: {type(error).__name__}: {what}. Nothing was written. {remedy}")


class RevisionError(SgMigrateError):
    """There is no such revision, or no revision at all."""


class LostRevisionError(RevisionError):
    """A database is at a revision that this project does not have; nothing was changed."""

    def __init__(self, revisions: list[str], folder: str) -> None:
        self.revisions = revisions
        super().__init__(
            f"The database is at {', '.join(revisions)}, which this project does not have. Nothing was changed. Restore"
            f" its file in {folder} from git, or check out the branch that has it."
        )


class SquashError(SgMigrateError):
    """A history cannot become one revision; nothing was changed."""

    def __init__(self, revision: str, problem: str) -> None:
        super().__init__(f"What leads to {revision} cannot become one revision: {problem} Nothing was changed.")


class SquashedRevisionError(LostRevisionError):
    """A database is at a revision that is in a squashed one now; nothing was changed."""

    def __init__(self, revision: str, squashed: str, folder: str) -> None:
        super().__init__([revision], folder)
        self.args = (
            f"The database is at {revision}, and the history up to {squashed} has become one revision since. Nothing"
            f" was changed. Check out the commit before that, run `alembic upgrade {squashed}`, and come back.",
        )


class RecordingError(SgMigrateError):
    """A revision of ours cannot be run without a database, so what it builds is unknown."""

    def __init__(self, revision: str, problem: str) -> None:
        self.revision = revision
        self.problem = problem
        super().__init__(
            f"Revision {revision} cannot be read without a database: {problem}. If it builds nothing of the site's"
            " tables, remove its line 'sg_digest = ...': sg_migrate then leaves it alone."
        )


class MisplacedError(SgMigrateError):
    """An operation does not fit the state that it meets; `FoldError` says of which revision it is."""

    REMEDY = (
        "Was it edited by hand, or one before it removed? If another branch changed the same thing, delete this"
        " revision and generate it anew."
    )

    def __init__(self, problem: str, remedy: str = REMEDY) -> None:
        self.problem = problem
        self.remedy = remedy
        super().__init__(f"{problem}. {remedy}")


class FoldError(SgMigrateError):
    """A revision changes a table or column of ours that is not there."""

    def __init__(self, revision: str, misplaced: MisplacedError) -> None:
        self.revision = revision
        super().__init__(f"Revision {revision}: {misplaced}")


class ContradictionError(SgMigrateError):
    """Two branches change the same thing, and what comes of it depends on which of them runs first."""

    def __init__(self, merge: str, branches: list[str], objects: list[str]) -> None:
        self.merge = merge
        self.branches = branches
        self.objects = objects
        shown = ", ".join(objects[:5]) + (f" and {len(objects) - 5} more" if len(objects) > 5 else "")
        super().__init__(
            f"Revision {merge} merges {' and '.join(branches)}, which both change {shown}: what is built depends on"
            " which of them ran first. Delete the revisions of one branch, and the merge, and generate them anew on"
            " top of the other: alembic revision --autogenerate."
        )
