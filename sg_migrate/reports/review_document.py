"""Reviews as a document, for a pull request or a browser."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from sg_migrate.reports import phrases
from sg_migrate.reports.document import Block, Cell, Code, Details, Document, Heading, Name, Paragraph, Table
from sg_migrate.reports.who import unknown
from sg_migrate.review.findings import Finding, Level
from sg_migrate.review.run import Review
from sg_migrate.revisions.summary import ChangeLine, display_name
from sg_migrate.text import plural
from sg_migrate.warehouse.mark import CATALOG

_SIGNS = {Level.DESTRUCTIVE: "🛑", Level.UNSAFE: "⚠️", Level.VISIBLE: "👁️", Level.LOCKING: "🔒", Level.SAFE: "✅"}

OPEN_CHANGES = 15
"""More changes than these are folded away."""


def review_document(reviews: Sequence[Review]) -> Document:
    """The document: for each revision its findings, then what is folded away."""
    blocks = [block for review in reviews for block in _review(review)]
    names = " ".join(review.revision for review in reviews)
    hosts = {review.site.host or "" for review in reviews}
    dates = {review.created for review in reviews}
    about = ", ".join(sorted(filter(None, hosts)) + sorted(filter(None, dates))[-1:])
    return Document(f"Review of {names}", tuple(blocks), f"sg-migrate review {names} --details", about)


def _review(review: Review) -> Iterator[Block]:
    yield Heading((f"{_SIGNS[review.level]} Revision", Name(review.revision), Name(review.message)))
    yield Paragraph((f"{review.level}: {phrases.verdict(review)}",), strong=True)
    yield Paragraph(phrases.in_plain_words(review))
    yield Paragraph((f"{phrases.extent(review)};", Name(review.path), f"judged for {review.dialect}"))
    notes = [finding for finding in review.open if finding.level is Level.SAFE]
    if len(review.open) > len(notes):
        yield _findings(review, [finding for finding in review.open if finding.level is not Level.SAFE])
    if notes:
        yield Details(plural(len(notes), "note"), (_findings(review, notes),))
    if review.open:
        yield Details("What to do about it", (_remedies(review),))
    allowed = [finding for finding in review.findings if finding.allowed is not None]
    if allowed:
        rows = tuple((_rule(f), _place(review, f), (phrases.what(f),), (Name(f.allowed or ""),)) for f in allowed)
        yield Paragraph(("Allowed in the file:",))
        yield Table(("Rule", "Where", "What", "Because"), rows)
    yield from _first(review) if review.first else _changes(review)
    if review.statements is not None:
        yield from _statements(review)


def _rule(finding: Finding) -> Cell:
    return (f"{_SIGNS[finding.level]} {finding.level}", Name(finding.rule.code))


def _place(review: Review, finding: Finding) -> Cell:
    return (Name(finding.place), Name(phrases.finding_display_name(finding, review.site)))


def _findings(review: Review, findings: Sequence[Finding]) -> Table:
    has_counts = any(phrases.counted(finding.counts) for finding in findings)
    header = ("Level", "Where", "What", "In SQL") + (("In the database",) if has_counts else ())
    rows = []
    for finding in findings:
        row: tuple[Cell, ...] = (
            _rule(finding),
            _place(review, finding),
            (f"{finding.rule.title}:", phrases.what(finding), Name(finding.statement)),
            (Name(finding.sql_name), f"line {finding.line}" if finding.line else ""),
        )
        rows.append((*row, (phrases.counted(finding.counts),)) if has_counts else row)
    return Table(header, tuple(rows))


def _remedies(review: Review) -> Table:
    rows = ((_rule(found[0]), _words(rule.reason), _words(rule.remedy)) for rule, found in phrases.by_rule(review.open))
    return Table(("Rule", "Why", "What to do"), tuple(rows))


def _words(text: str) -> Cell:
    """Our own words; what stands between backticks is code."""
    return tuple(Name(part) if index % 2 else part.strip() for index, part in enumerate(text.split("`")))


def _first(review: Review) -> Iterator[Block]:
    tables = [table for table in review.after.values() if not table.mark.field]
    links = [table for table in review.after.values() if table.mark.field and table.mark.entity_type != CATALOG]
    rows = []
    for table in tables:
        own = sum(1 for link in links if link.mark.entity_type == table.mark.entity_type)
        name = display_name(review.site, table.mark.entity_type)
        place: Cell = (Name(table.mark.entity_type), Name(name))
        rows.append((place, (Name(table.name),), (str(len(table.columns)),), (str(own),)))
    count = f"{plural(len(tables), 'entity type')}, {plural(len(links), 'link table')}"
    yield Paragraph((f"The first revision of this site: {count}.",))
    yield Details("Every entity type", (Table(("Entity type", "Table", "Columns", "Link tables"), tuple(rows)),))


def _changes(review: Review) -> Iterator[Block]:
    called, groups = phrases.called(review), phrases.by_entity_type(review)
    if not called and not groups:
        yield Paragraph(("No table or column changes.",))
        return
    lines = [*called, *(line for _, _, found in groups for line in found)]
    rows = tuple(_change(review, line) for line in lines)
    header = ("Entity type", "Field", "What", "Note", *(["Who"] if review.attributions else []), "In SQL")
    every = Table(header, rows)
    yield from (Paragraph((line,)) for line in unknown(review.attributions.values()))
    if len(rows) <= OPEN_CHANGES:
        yield every
        return
    counts = tuple(((Name(title),), (phrases.change_counts(changes),)) for _, title, changes in groups)
    yield Details(
        f"By entity type ({len(groups)})", (Table(("Entity type", "+ new, ~ changed, - retired or dropped"), counts),)
    )
    yield Details(f"Every change ({len(rows)})", (every,))


def _change(review: Review, line: ChangeLine) -> tuple[Cell, ...]:
    change = line.change
    name = display_name(review.site, change.entity_type, change.field)
    return (
        (Name(change.entity_type),),
        (line.sign, Name(change.field), Name(name)),
        (line.what,),
        ("; ".join(filter(None, (line.note, phrases.use(review, line)))),),
        *([(phrases.who(review, line),)] if review.attributions else []),
        (Name(phrases.sql_names(review, line)),),
    )


def _statements(review: Review) -> Iterator[Block]:
    assert review.statements is not None
    blocks: list[Block] = [Code(review.statements.sql, "sql")]
    if review.statements.problem:
        blocks.append(Paragraph(("Cannot be written without a database:", review.statements.problem)))
    yield Details(f"Statements for {review.dialect}", tuple(blocks))
