"""A revision under all rules."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path

from alembic.script import Script

from sg_migrate.alembic_private import revises
from sg_migrate.database.reading import Database
from sg_migrate.database.usage import Use, usage
from sg_migrate.review.allowances import read_allowances, silenced
from sg_migrate.review.counting import counted
from sg_migrate.review.findings import Finding, Level, Rule
from sg_migrate.review.revision import RevisionUnderReview
from sg_migrate.review.rules import destructive, history, mysql, names, postgresql, readers, sqlite, values
from sg_migrate.review.statements import Statements, statements
from sg_migrate.revisions.in_site_terms import attributed
from sg_migrate.revisions.project import Project
from sg_migrate.revisions.summary import ChangeLine, comments_of, created, lines_of
from sg_migrate.site.attribution import Attribution
from sg_migrate.site.schema import SiteSchema
from sg_migrate.text import clean
from sg_migrate.warehouse.state import State

_RULES_OF_ALL = (destructive, values, names, history)
"""What holds on every engine."""
_RULES = (*_RULES_OF_ALL, postgresql, mysql, sqlite, readers)

RULES: tuple[Rule, ...] = tuple(sorted((r for module in _RULES for r in module.RULES), key=lambda rule: rule.code))
"""Every rule, in the order of the codes."""


@dataclass(frozen=True)
class Review:
    """What a revision does and what it risks; plain values, nothing of a database or a project."""

    revision: str
    down_revisions: tuple[str, ...]
    message: str
    path: str
    dialect: str
    ours: bool
    first: bool
    operations: int
    findings: tuple[Finding, ...]
    """What means another thing from now on, then the worst first; those that the revision allows at the end."""
    lines: tuple[ChangeLine, ...]
    """What changes, in site terms."""
    comments: int
    """How many descriptions change."""
    created: str
    """The date on which the revision was written, as its file says; empty where it does not."""
    site: SiteSchema
    before: State
    after: State
    statements: Statements | None = None
    attributions: Mapping[ChangeLine, Attribution] = field(default_factory=dict)
    """Who made the changes on the site, as far as its log tells; empty where nothing is known of it."""
    uses: Mapping[str, Use] = field(default_factory=dict)
    """Of what retires or is dropped, by its place, how it is used; empty where no database was asked."""

    @property
    def level(self) -> Level:
        """The worst of what is not allowed."""
        return max((finding.level for finding in self.open), default=Level.SAFE)

    @property
    def open(self) -> tuple[Finding, ...]:
        """The findings that the revision does not allow."""
        return tuple(finding for finding in self.findings if finding.allowed is None)


def review(
    project: Project,
    script: Script,
    dialect: str,
    *,
    other_dialects: Sequence[str] = (),
    database: Database | None = None,
    sql: bool = False,
) -> Review:
    """Run a revision against the recorder and judge its operations. Executes nothing and writes nothing.

    Args:
        project: where the revision belongs.
        script: any revision of the chain, hand-edited and foreign ones too.
        dialect: whose rules count: ``sqlite``, ``postgresql``, ``mysql`` or ``mariadb``.
        other_dialects: whose operations are judged too, where a revision asks for its dialect.
        database: where to count rows and values; ``None`` to leave that out.
        sql: whether to add the statements for the dialect.

    Returns:
        The review. What cannot be judged is a finding in it, never an exception.
    """
    revision = RevisionUnderReview(project, script, dialect, database)
    found = [finding for module in _RULES for finding in module.check(revision)]
    found += _on_other_dialects(revision, other_dialects, found)
    if database is not None:
        found = counted(database, found)
    lines = lines_of(revision.transition)
    stood_on = max((created(project.scripts.get_revision(name)) for name in revises(script)), default="")
    uses = _uses(database, project, revision.site, lines) if database is not None else {}
    allowances = read_allowances(Path(script.path).read_text(encoding="utf-8"))
    return Review(
        revision=script.revision,
        down_revisions=tuple(revises(script)),
        message=clean(script.doc or ""),
        path=_shown_path(Path(script.path)),
        dialect=dialect,
        ours=revision.ours,
        first=revision.is_first,
        operations=len(revision.steps),
        findings=tuple(_sorted(silenced(found, allowances))),
        lines=tuple(lines),
        comments=comments_of(revision.transition),
        created=created(script),
        site=revision.site,
        before=revision.before,
        after=revision.after,
        statements=statements(script, dialect) if sql else None,
        uses=uses,
        attributions=attributed(lines, revision.site, project.events(), created(script), stood_on),
    )


def _uses(database: Database, project: Project, site: SiteSchema, lines: Iterable[ChangeLine]) -> dict[str, Use]:
    """How what goes is used, by what the database has now."""
    going = {line.change.place for line in lines if line.change.kind in ("retired", "dropped")}
    if not going or not database.heads:
        return {}
    built = project.history(database.dialect).built(database.heads)
    entity_types = {place.partition(".")[0] for place in going}
    return {one.place: one for one in usage(database.connection, built, site, entity_types) if one.place in going}


def _on_other_dialects(
    revision: RevisionUnderReview, dialects: Sequence[str], known: Sequence[Finding]
) -> Iterator[Finding]:
    """What only another dialect would run, by the rules that hold on every engine."""
    seen = {(finding.rule.code, finding.what, finding.table, finding.column, finding.line) for finding in known}
    for dialect in dialects:
        other = RevisionUnderReview(revision.project, revision.script, dialect)
        if dialect == revision.dialect or other.runs_like(revision):
            continue
        for module in _RULES_OF_ALL:
            for finding in module.check(other):
                key = (finding.rule.code, finding.what, finding.table, finding.column, finding.line)
                if key not in seen:
                    seen.add(key)
                    yield replace(finding, what=f"on {dialect}: {finding.what}")


def _sorted(findings: Iterable[Finding]) -> list[Finding]:
    """What comes first, then the worst first, then by rule and place; what is allowed comes last."""
    return sorted(
        findings,
        key=lambda f: (
            f.allowed is not None,
            not f.rule.comes_first,
            -f.level,
            f.rule.code,
            f.place,
            f.table,
            f.line or 0,
            f.what,
        ),
    )


def _shown_path(path: Path) -> str:
    """The path below the working directory, or the name alone: no review tells how somebody's machine is laid out."""
    try:
        return path.resolve().relative_to(Path.cwd()).as_posix()
    except ValueError:
        return path.name
