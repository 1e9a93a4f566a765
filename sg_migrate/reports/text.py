"""Reviews as text: what is dangerous first, and on one screen until --details."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import TypeAlias

from sg_migrate.reports import phrases
from sg_migrate.reports.document import code_line
from sg_migrate.reports.who import unknown
from sg_migrate.review.findings import Finding, Level
from sg_migrate.review.run import Review
from sg_migrate.revisions.summary import ChangeLine, display_name
from sg_migrate.text import clean, plural, shorten
from sg_migrate.warehouse.mark import CATALOG

Line: TypeAlias = tuple[str, str]
"""A line of text and its style on a terminal, in Rich's words."""

STYLES = {
    Level.DESTRUCTIVE: "bold red", Level.UNSAFE: "red", Level.VISIBLE: "yellow", Level.LOCKING: "cyan",
    Level.SAFE: "dim",
}  # fmt: skip
SIGN_STYLES = {"+": "green", "~": "yellow", "-": "red"}

SHOWN_FINDINGS = 5
"""Of each rule, until --details."""
SHOWN_CHANGES = 40
"""More than a screenful is counted by entity type, until --details."""
SHOWN_ENTITY_TYPES = 15


def text_report(reviews: Iterable[Review], *, details: bool = False) -> list[Line]:
    """The lines of the report."""
    lines: list[Line] = []
    for review in reviews:
        if lines:
            lines.append(("", ""))
        lines += _review(review, details)
    return lines


def _review(review: Review, details: bool) -> Iterator[Line]:
    message = f" {shorten(review.message, 80)}" if review.message else ""
    yield f"Revision {review.revision}:{message}", "bold"
    yield f"{review.level}: {phrases.verdict(review)}", STYLES[review.level]
    yield f"{phrases.extent(review)}; {review.path}, judged for {review.dialect}", "dim"
    yield from _findings(review, details)
    yield "", ""
    yield from _first(review, details) if review.first else _changes(review, details)
    yield from ((reason, "dim") for reason in unknown(review.attributions.values()))
    yield from _statements(review)


def _findings(review: Review, details: bool) -> Iterator[Line]:
    for rule, found in phrases.by_rule(review.open):
        yield "", ""
        yield f"{rule.level} {rule.code}: {rule.title}", STYLES[rule.level]
        shown = found if details else found[:SHOWN_FINDINGS]
        for finding in shown:
            yield from _finding(review, finding)
        if len(found) > len(shown):
            yield f"    and {len(found) - len(shown)} more (--details)", "dim"
        yield f"    > {rule.remedy}", "dim"
    allowed = [finding for finding in review.findings if finding.allowed is not None]
    if allowed:
        yield "", ""
        yield "Allowed in the file", "bold"
    for finding in allowed:
        place = f"{finding.place}: " if finding.place else ""
        yield f"  {finding.rule.code} {place}{phrases.what(finding)}", ""
        yield f"      because: {finding.allowed}", "dim"


def _finding(review: Review, finding: Finding) -> Iterator[Line]:
    name = phrases.finding_display_name(finding, review.site)
    place = finding.place + (f' "{name}"' if name else "")
    where = phrases.where(finding, finding.place)
    yield f"  {place + ': ' if place else ''}{phrases.what(finding)}" + (f"  [{where}]" if where else ""), ""
    counted = phrases.counted(finding.counts)
    if counted:
        yield f"      {counted}", "bold"
    if finding.statement:
        yield f"      {finding.statement};", ""


def _first(review: Review, details: bool) -> Iterator[Line]:
    tables = [table for table in review.after.values() if not table.mark.field]
    fields = {column.mark.place for table in tables for column in table.columns.values() if column.mark.field}
    links = [table for table in review.after.values() if table.mark.field and table.mark.entity_type != CATALOG]
    fields |= {table.mark.place for table in links}
    count = plural(len(tables), "entity type")
    yield f"The first revision of this site: {count}, {plural(len(fields), 'field')}", "bold"
    yield f"  {plural(len(tables), 'table')} and {plural(len(links), 'link table')}", ""
    if not details:
        yield "  Each of them: --details", "dim"
        return
    for table in tables:
        name = display_name(review.site, table.mark.entity_type)
        own = [link for link in links if link.mark.entity_type == table.mark.entity_type]
        columns = plural(len(table.columns), "column")
        more = f", {plural(len(own), 'link table')}" if own else ""
        yield f'  {table.mark.entity_type} "{name}": {columns}{more}  [{table.name}]', ""


def _changes(review: Review, details: bool) -> Iterator[Line]:
    called, groups = phrases.called(review), phrases.by_entity_type(review)
    if not called and not groups:
        yield "No table or column changes.", "dim"
        return
    yield "By entity type: + new, ~ changed, - retired or dropped", "bold"
    for line in called:
        sql = phrases.sql_names(review, line)
        by = phrases.who(review, line)
        yield (
            f"  {line.sign} {line.change.place}  {line.what}" + (f"  ({by})" if by else "")
            + (f"  [{sql}]" if sql else ""),
            SIGN_STYLES[line.sign],
        )  # fmt: skip
    if details or len(review.lines) + len(groups) <= SHOWN_CHANGES:
        for _, title, changes in groups:
            yield f"  {title}", "bold"
            for change in changes:
                yield from _change(review, change)
        return
    shown = groups[:SHOWN_ENTITY_TYPES]
    width = min(max(len(title) for _, title, _ in shown), 40)
    for _, title, changes in shown:
        yield f"  {shorten(title, 80):<{width}}  {phrases.change_counts(changes)}", ""
    more = f"and {len(groups) - len(shown)} more entity types; " if len(groups) > len(shown) else ""
    yield f"  {more}every field: --details", "dim"


def _change(review: Review, found: ChangeLine) -> Iterator[Line]:
    change = found.change
    name = display_name(review.site, change.entity_type, change.field) if change.field else ""
    what = f"{change.field}  {found.what}" if change.field else found.what
    quoted = f'"{name}"' if name else ""
    notes = "; ".join(filter(None, (quoted, found.note, phrases.use(review, found), phrases.who(review, found))))
    sql = phrases.sql_names(review, found)
    line = f"    {found.sign} {what}" + (f"  {notes}" if notes else "") + (f"  [{sql}]" if sql else "")
    yield line, SIGN_STYLES[found.sign]


def _statements(review: Review) -> Iterator[Line]:
    if review.statements is None:
        return
    yield "", ""
    yield f"Statements for {review.dialect}", "bold"
    for line in review.statements.sql.splitlines():
        yield code_line(line), ""
    if review.statements.problem:
        yield f"-- cannot be written without a database: {clean(review.statements.problem)}", "yellow"
