"""Whether the site, the snapshot, the revisions and a database are in step: one check for each pair."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from datetime import date
from typing import Literal, ParamSpec, TypeAlias

from alembic.util.exc import CommandError
from sqlalchemy.exc import DBAPIError

from sg_migrate.comparison.difference import difference, level_of
from sg_migrate.database.drift import describe, drift
from sg_migrate.database.reading import Database
from sg_migrate.errors import DatabaseUnavailableError
from sg_migrate.exit_codes import DIFFERS, DONE, ERROR, LOOK
from sg_migrate.review.findings import Level
from sg_migrate.review.run import review
from sg_migrate.review.selection import applied
from sg_migrate.revisions.operations import flat
from sg_migrate.revisions.plan import plan
from sg_migrate.revisions.project import Project
from sg_migrate.revisions.summary import ChangeLine, display_name, lines_of
from sg_migrate.site.live import connect_from_environment, has_credentials, read_site
from sg_migrate.site.schema import SiteSchema
from sg_migrate.site.snapshot import merge
from sg_migrate.text import clean, plural
from sg_migrate.warehouse.catalog import stale_rows
from sg_migrate.warehouse.transition import transition

HEADS, SITE, REVISIONS = "single head", "site and snapshot", "snapshot and head"
DATABASE, DRIFT, CATALOG = "head and database", "database and built", "catalog and snapshot"

_OF_A_DATABASE = (DATABASE, DRIFT, CATALOG)

Status: TypeAlias = Literal["ok", "differs", "skipped", "error"]
_P = ParamSpec("_P")


@dataclass(frozen=True, slots=True)
class Check:
    """The outcome of one check: ``what`` says it in a line, ``details`` holds the differences."""

    name: str
    status: Status
    what: str
    level: Level = Level.SAFE
    details: tuple[str, ...] = ()


def run_checks(project: Project, url: str | None = None) -> list[Check]:
    """Make every check that can be made. Writes nothing.

    Each stands for itself: what keeps one from being made is its outcome, and hides no other.

    Args:
        project: the project.
        url: the database to check. When left out, that of DATABASE_URL, and without one alembic.ini's if it can be
            reached.

    Returns:
        The checks, always the same ones in the same order. The site is asked where the environment has credentials.
    """
    checks = [
        _made(HEADS, check_heads, project),
        _made(SITE, check_site, project),
        _made(REVISIONS, check_revisions, project),
    ]
    try:
        with project.database(url or project.explicit_url) as (database, reason):
            if database is None:
                return checks + [Check(name, "skipped", f"no database: {reason}") for name in _OF_A_DATABASE]
            checks.append(_made(DATABASE, check_database, project, database))
            database.connection.rollback()  # a transaction in which something failed would refuse the next check
            checks.append(_made(DRIFT, check_drift, project, database))
            database.connection.rollback()
            return [*checks, _made(CATALOG, check_catalog, project, database)]
    except DatabaseUnavailableError as error:
        return checks + [Check(name, "error", clean(str(error))) for name in _OF_A_DATABASE]


def _made(name: str, check: Callable[_P, Check], *args: _P.args, **kwargs: _P.kwargs) -> Check:
    """The check, or what kept it from being made."""
    try:
        return check(*args, **kwargs)
    except CommandError as error:
        return Check(name, "error", clean(str(error)))
    except DBAPIError as error:
        return Check(name, "error", clean(f"the database refused: {error.orig}"))


def check_heads(project: Project) -> Check:
    """Whether the revisions have one head."""
    heads = sorted(project.scripts.get_heads())
    if len(heads) > 1:
        what = f"{len(heads)} heads: {', '.join(heads)}; merge them: alembic merge heads -m merge"
        return Check(HEADS, "differs", what, Level.UNSAFE)
    return Check(HEADS, "ok", f"head {heads[0]}" if heads else "no revisions yet")


def check_site(project: Project) -> Check:
    """Whether the snapshot says what the site says; asks the site where the environment has credentials."""
    if not has_credentials():
        return Check(SITE, "skipped", "no credentials in the environment (SG_SCRIPT and SG_API_KEY, ...)")
    site = read_site(connect_from_environment()).schema
    stored = project.stored_snapshot()
    if stored is None:
        return Check(SITE, "differs", "there is no snapshot yet: sg-migrate snapshot")
    merged = merge(stored, site, today=date.today(), accept_retirements=project.settings.accept_retirements)
    found = difference(project.shown(stored.schema), project.shown(merged.schema), "snapshot", "site")
    if not found.changes:
        return Check(SITE, "ok", "the snapshot says what the site says")
    what = f"{plural(len(found.changes), 'change')}: sg-migrate revision"
    return Check(SITE, "differs", what, found.level, tuple(map(str, found.changes)))


def check_revisions(project: Project) -> Check:
    """Whether the revisions build what the snapshot wants; needs no database, and agrees with ``alembic check``."""
    stored = project.stored_snapshot()
    if stored is None:
        return Check(REVISIONS, "skipped", "there is no snapshot yet")
    wanted = transition(project.built, project.model(stored.schema))
    pending = list(flat(plan(wanted)))
    if not pending:
        return Check(REVISIONS, "ok", "the revisions build what the snapshot wants")
    what = f"{plural(len(pending), 'operation')} in no revision yet: sg-migrate revision"
    details = tuple(_in_words(line, project.site()) for line in lines_of(wanted))
    return Check(REVISIONS, "differs", what, level_of(wanted), details)


def _in_words(line: ChangeLine, site: SiteSchema) -> str:
    name = display_name(site, line.change.entity_type, line.change.field)
    return f'{line.change.place} "{name}": {line.what}' if name else f"{line.change.place}: {line.what}"


def check_database(project: Project, database: Database) -> Check:
    """Whether the database is at the head."""
    known = project.revision_ids()
    unknown = [head for head in database.heads if head not in known]
    if unknown:
        what = f"the database is at {', '.join(unknown)}, which this project does not have"
        return Check(DATABASE, "differs", what, Level.UNSAFE)
    done = applied(project, database)
    missing = [script for script in project.history().order if script.revision not in done]
    if not missing:
        return Check(DATABASE, "ok", f"the database is at {', '.join(database.heads) or 'no revision, as the project'}")
    reviews = [review(project, script, database.dialect) for script in missing] if database.heads else []
    level = max((one.level for one in reviews), default=Level.SAFE)
    details = tuple(f"{script.revision} {script.doc or ''}" for script in missing)
    return Check(
        DATABASE, "differs", f"{plural(len(missing), 'revision')} to run: alembic upgrade head", level, details
    )


def check_drift(project: Project, database: Database) -> Check:
    """Whether the database is what its revisions have built."""
    if project.settings.drift == "ignore":
        return Check(DRIFT, "skipped", "drift = ignore in the settings")
    known = project.revision_ids()
    heads = [head for head in database.heads if head in known]
    if not heads:
        return Check(DRIFT, "skipped", "the database has no revision of this project")
    found = drift(database.connection, project.history(database.dialect).built(heads))
    details = tuple(describe(operation) for operation in found)
    if not details:
        return Check(DRIFT, "ok", "the database is what its revisions built")
    what = f"{plural(len(details), 'difference')}: somebody changed it by hand"
    return Check(DRIFT, "differs", what, Level.UNSAFE, details)


def check_catalog(project: Project, database: Database) -> Check:
    """Whether the catalog in the database says what the snapshot says of what its revisions have built."""
    if not project.settings.catalog:
        return Check(CATALOG, "skipped", "catalog = false in the settings")
    known = project.revision_ids()
    heads = [head for head in database.heads if head in known]
    if not heads:
        return Check(CATALOG, "skipped", "the database has no revision of this project")
    built = project.history(database.dialect).built(heads)
    stale = stale_rows(database.connection, built, project.site(), project.settings)
    if stale:
        return Check(CATALOG, "differs", f"{plural(stale, 'row')} to bring up to date: alembic upgrade head")
    return Check(CATALOG, "ok", "the catalog says what the snapshot says")


def exit_code(checks: Iterable[Check]) -> int:
    """The worst of the checks as an exit code."""
    checks = list(checks)
    if any(check.status == "error" for check in checks):
        return ERROR
    differing = [check for check in checks if check.status == "differs"]
    if any(check.level >= Level.UNSAFE for check in differing):
        return LOOK
    return DIFFERS if differing else DONE
