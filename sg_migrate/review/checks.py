"""Whether the site, the snapshot, the revisions and a database are in step: one check for each pair."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from datetime import date
from typing import Literal, TypeAlias

from sg_migrate.database.drift import describe, drift
from sg_migrate.database.reading import Database
from sg_migrate.errors import SgMigrateError
from sg_migrate.exit_codes import DIFFERS, DONE, ERROR, LOOK
from sg_migrate.reports.difference import Difference, difference
from sg_migrate.reports.document import Block, Details, Document, Heading, Name, Paragraph, Table
from sg_migrate.reports.text import Line
from sg_migrate.reports.words import plural
from sg_migrate.review.findings import Level
from sg_migrate.review.run import review
from sg_migrate.review.selection import applied
from sg_migrate.revisions.operations import flat
from sg_migrate.revisions.plan import plan
from sg_migrate.revisions.project import Project
from sg_migrate.revisions.summary import ChangeLine, display_name, lines_of
from sg_migrate.site.schema import SiteSchema
from sg_migrate.site.snapshot import merge
from sg_migrate.text import clean, shorten
from sg_migrate.warehouse.transition import Transition, transition

VERSION = 1
SHOWN = 10
"""Differences that are listed, of each check."""

Status: TypeAlias = Literal["ok", "differs", "skipped", "error"]


@dataclass(frozen=True, slots=True)
class Check:
    """The outcome of one check: ``what`` says it in a line, ``details`` holds the differences."""

    name: str
    status: Status
    what: str
    level: Level = Level.SAFE
    details: tuple[str, ...] = ()


def _guarded(name: str, run: Callable[[], Check]) -> Check:
    """The check, or what kept it from being made: one that fails must not hide the others."""
    try:
        return run()
    except SgMigrateError as error:
        return Check(name, "error", clean(str(error)))


def check_heads(project: Project) -> Check:
    """Whether the revisions have one head."""
    heads = sorted(project.scripts.get_heads())
    if len(heads) > 1:
        what = f"{len(heads)} heads: {', '.join(heads)}; merge them: alembic merge heads -m merge"
        return Check("single head", "differs", what, Level.LOSSY)
    return Check("single head", "ok", f"head {heads[0]}" if heads else "no revisions yet")


def check_site(project: Project, site: SiteSchema) -> Check:
    """Whether the snapshot says what the site says."""

    def run() -> Check:
        stored = project.stored_snapshot()
        if stored is None:
            return Check("site and snapshot", "differs", "there is no snapshot yet: sg-migrate snapshot")
        accept = project.settings.accept_retirements
        merged = merge(stored, site, today=date.today(), accept_retirements=accept)
        found = difference(stored.schema, merged.schema, "snapshot", "site")
        return _compared("site and snapshot", found, "the snapshot says what the site says", "sg-migrate revision")

    return _guarded("site and snapshot", run)


def check_revisions(project: Project) -> Check:
    """Whether the revisions build what the snapshot wants; needs no database, and agrees with ``alembic check``."""

    def run() -> Check:
        stored = project.stored_snapshot()
        if stored is None:
            return Check("snapshot and head", "skipped", "there is no snapshot yet")
        wanted = transition(project.built, project.model(stored.schema))
        pending = list(flat(plan(wanted)))
        if not pending:
            return Check("snapshot and head", "ok", "the revisions build what the snapshot wants")
        what = f"{plural(len(pending), 'operation')} in no revision yet: sg-migrate revision"
        details = tuple(_in_words(line, stored.schema) for line in lines_of(wanted))
        return Check("snapshot and head", "differs", what, _level(wanted), details)

    return _guarded("snapshot and head", run)


def _in_words(line: ChangeLine, site: SiteSchema) -> str:
    name = display_name(site, line.change.entity_type, line.change.field)
    return f'{line.change.place} "{name}": {line.what}' if name else f"{line.change.place}: {line.what}"


def _level(wanted: Transition) -> Level:
    """The worst that a transition does."""
    kinds = {change.kind for change in wanted.changes}
    if kinds & {"dropped", "pruned"}:
        return Level.DESTRUCTIVE
    return Level.LOSSY if "converted" in kinds else Level.SAFE


def check_database(project: Project, database: Database) -> Check:
    """Whether the database is at the head."""
    name = "head and database"

    def run() -> Check:
        known = {script.revision for script in project.scripts.walk_revisions()}
        unknown = [head for head in database.heads if head not in known]
        if unknown:
            what = f"the database is at {', '.join(unknown)}, which this project does not have"
            return Check(name, "differs", what, Level.LOSSY)
        done = applied(project, database)
        missing = [script for script in project.history().order if script.revision not in done]
        if not missing:
            return Check(name, "ok", f"the database is at {', '.join(database.heads) or 'no revision, as the project'}")
        reviews = [review(project, script, database.dialect) for script in missing] if database.heads else []
        level = max((one.level for one in reviews), default=Level.SAFE)
        details = tuple(f"{script.revision} {script.doc or ''}" for script in missing)
        return Check(
            name, "differs", f"{plural(len(missing), 'revision')} to run: alembic upgrade head", level, details
        )

    return _guarded(name, run)


def check_drift(project: Project, database: Database) -> Check:
    """Whether the database is what its revisions have built."""
    name = "database and built"

    def run() -> Check:
        known = {script.revision for script in project.scripts.walk_revisions()}
        heads = [head for head in database.heads if head in known]
        if not heads:
            return Check(name, "skipped", "the database has no revision of this project")
        found = drift(database.connection, project.history(database.dialect).built(heads))
        details = tuple(describe(operation) for operation in flat(found))
        if not details:
            return Check(name, "ok", "the database is what its revisions built")
        what = f"{plural(len(details), 'difference')}: somebody changed it by hand"
        return Check(name, "differs", what, Level.LOSSY, details)

    return _guarded(name, run)


def _compared(name: str, found: Difference, ok: str, remedy: str) -> Check:
    if not found.changes:
        return Check(name, "ok", ok)
    what = f"{plural(len(found.changes), 'change')}: {remedy}"
    return Check(name, "differs", what, found.level, tuple(map(str, found.changes)))


def exit_code(checks: Iterable[Check]) -> int:
    """The worst of the checks as an exit code."""
    checks = list(checks)
    if any(check.status == "error" for check in checks):
        return ERROR
    differing = [check for check in checks if check.status == "differs"]
    if any(check.level >= Level.LOSSY for check in differing):
        return LOOK
    return DIFFERS if differing else DONE


_STYLES = {"ok": "green", "differs": "yellow", "skipped": "dim", "error": "bold red"}


def text(checks: Iterable[Check]) -> list[Line]:
    """One line for each check; the first differences below."""
    lines: list[Line] = []
    for check in checks:
        level = f" ({check.level})" if check.level else ""
        lines.append((f"{check.status + level:<18} {check.name}: {check.what}", _STYLES[check.status]))
        lines += [(f"    {line}", "") for line in _shown(check)]
    return lines


def _shown(check: Check) -> list[str]:
    shown = [shorten(clean(line), 200) for line in check.details[:SHOWN]]
    more = len(check.details) - len(shown)
    return [*shown, *([f"and {more:,} more"] if more else [])]


def document(checks: Iterable[Check]) -> Document:
    """The checks as a table, the differences folded away."""
    checks = list(checks)
    rows = tuple(
        ((check.status,), (check.name,), (str(check.level) if check.level else "",), (check.what,)) for check in checks
    )
    blocks: list[Block] = [Heading(("Checks",)), Table(("", "Check", "Level", "What"), rows)]
    for check in checks:
        if check.details:
            lines = tuple((((Name(line),),)) for line in check.details)
            summary = f"{check.name}: {len(check.details):,} differences"
            blocks.append(Details(summary, (Table(("Difference",), lines),)))
    blocks.append(Paragraph(("In step." if exit_code(checks) == DONE else "Not in step.",), strong=True))
    return Document("Checks", tuple(blocks), "sg-migrate check")


def json_text(checks: Iterable[Check]) -> str:
    """The checks as JSON; docs/review.md describes it."""
    checks = list(checks)
    return json.dumps(
        {
            "format": "sg-migrate check",
            "version": VERSION,
            "exit_code": exit_code(checks),
            "checks": [
                {
                    "name": check.name,
                    "status": check.status,
                    "level": str(check.level),
                    "what": check.what,
                    "details": list(check.details),
                }
                for check in checks
            ],
        },
        indent=2,
    )


def github(checks: Iterable[Check]) -> list[Line]:
    """GitHub's workflow commands: an error or a warning for what is not in step, a plain line for the rest."""
    lines: list[Line] = []
    for check in checks:
        if check.status in ("ok", "skipped"):
            lines.append((f"{check.status}: {check.name}: {check.what}", ""))
            continue
        kind = "error" if check.status == "error" or check.level >= Level.LOSSY else "warning"
        message = "\n".join([check.what, *_shown(check)])
        lines.append((f"::{kind} title={_property(f'sg-migrate check: {check.name}')}::{_data(message)}", ""))
    return lines


def _data(text: str) -> str:
    return text.replace("%", "%25").replace("\r", "%0D").replace("\n", "%0A")


def _property(text: str) -> str:
    return _data(text).replace(":", "%3A").replace(",", "%2C")
