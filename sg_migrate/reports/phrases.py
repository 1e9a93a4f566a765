"""The words that every report uses for the same thing: site terms first, SQL names second."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence
from itertools import groupby

from sg_migrate.reports.document import Cell, Name, Span
from sg_migrate.reports.usage_report import use_words
from sg_migrate.review.findings import Counts, Finding, Level, Rule
from sg_migrate.review.run import Review
from sg_migrate.revisions.summary import ChangeLine, display_name, with_display_name
from sg_migrate.site.schema import SiteSchema
from sg_migrate.text import clean, plural, shorten
from sg_migrate.warehouse.mark import CATALOG
from sg_migrate.warehouse.state import State
from sg_migrate.warehouse.transition import Change, ChangeKind

WHAT_LENGTH = 300
SHOWN_NAMES = 3
"""Entity types that are called something else by now, in a sentence each."""


def finding_display_name(finding: Finding, site: SiteSchema) -> str:
    """The display name of what a finding is about."""
    return display_name(site, finding.mark.entity_type, finding.mark.field) if finding.mark else ""


def what(finding: Finding) -> str:
    """What was found, on one line."""
    return ("downgrade: " if finding.downgrade else "") + shorten(clean(finding.what), WHAT_LENGTH)


def where(finding: Finding, place: str = "") -> str:
    """Names in SQL and the line of the file, leaving out what ``place`` says already."""
    words = [finding.sql_name] if finding.sql_name and finding.sql_name != place else []
    return ", ".join(words + ([f"line {finding.line}"] if finding.line else []))


def counted(counts: Counts) -> str:
    """``3,120 rows, 2,900 values, 12 of them do not convert, 4.2 MB``; empty when no database was asked."""
    words = []
    if counts.rows is not None:
        words.append(plural(counts.rows, "row"))
    if counts.values is not None:
        words.append(plural(counts.values, "value"))
    if counts.records is not None:
        words += [plural(counts.records, "record"), f"{counts.several or 0:,} of them with more than one link"]
    if counts.unconverted is not None:
        words.append(_unconverted(counts.unconverted))
    if counts.size is not None:
        words.append(_size(counts.size))
    return ", ".join(words)


def _unconverted(count: int) -> str:
    return f"{count:,} of them {'does' if count == 1 else 'do'} not convert" if count else "all of them convert"


def _size(count: int) -> str:
    size, units = float(count), ["bytes", "kB", "MB", "GB"]
    while size >= 1000 and len(units) > 1:
        size, units = size / 1000, units[1:]
    return f"{size:.0f} {units[0]}" if units[0] == "bytes" else f"{size:.1f} {units[0]}"


def by_rule(findings: Iterable[Finding]) -> list[tuple[Rule, list[Finding]]]:
    """Findings by rule, in their order: the worst first."""
    return [(rule, list(found)) for rule, found in groupby(findings, key=lambda finding: finding.rule)]


def verdict(review: Review) -> str:
    """What somebody must know in one line: how many findings of which level."""
    counts = Counter(finding.level for finding in review.open)
    words = [f"{counts[level]} {level}" for level in sorted(Level, reverse=True) if counts[level] and level]
    allowed = len(review.findings) - len(review.open)
    notes = counts[Level.SAFE]
    rest = [plural(notes, "note")] if notes else []
    rest += [f"{allowed} allowed in the file"] if allowed else []
    return ", ".join([*(words or ["nothing to look at"]), *rest])


_HAPPENS: tuple[tuple[frozenset[ChangeKind], str, str], ...] = (
    (frozenset({"display_name"}), "is called something else", "are called something else"),
    (frozenset({"dropped"}), "goes with its data", "go with their data"),
    (frozenset({"pruned"}), "loses values kept from before", "lose values kept from before"),
    (frozenset({"converted"}), "gets another type (the old values stay)", "get another type (the old values stay)"),
    (frozenset({"set_aside"}), "starts empty (the old values stay)", "start empty (the old values stay)"),
    (frozenset({"renamed"}), "gets another name in SQL", "get another name in SQL"),
    (frozenset({"retyped"}), "keeps its column under another type", "keep their columns under another type"),
    (frozenset({"retired"}), "retires (the data stays)", "retire (their data stays)"),
    (frozenset({"revived"}), "comes back", "come back"),
    (frozenset({"added"}), "is new", "are new"),
)
_MEANS = {
    Level.SAFE: "Nothing is lost, and no report has to change.",
    Level.LOCKING: "Nothing is lost; while it runs, others may have to wait.",
    Level.VISIBLE: "Nothing is lost; reports that use what is listed here may show something else.",
    Level.UNSAFE: "Somebody has to look at it before it runs: values may be lost, or it may stop.",
    Level.DESTRUCTIVE: "Data is removed, or nobody can tell: somebody has to agree to it before it runs.",
}


def in_plain_words(review: Review) -> Cell:
    """The review in a few sentences, for who knows the site and no SQL."""
    if review.first:
        return ("The first tables of this site.", _MEANS[review.level])
    own = [line.change for line in review.lines if line.change.entity_type != CATALOG]
    named = [change for change in own if change.kind == "display_name" and not change.field][:SHOWN_NAMES]
    names: list[Span] = []
    for change in named:
        names += [Name(change.entity_type), "is called", Name(change.new_display_name), "now, no longer"]
        names += [Name(change.old_display_name), "·"]
    others = [change for change in own if change not in named]
    return (*names, *filter(None, (_happens(others, *one) for one in _HAPPENS)), _MEANS[review.level])


def _happens(changes: Sequence[Change], kinds: frozenset[ChangeKind], one: str, several: str) -> str:
    found = {change.place: change for change in changes if change.kind in kinds}
    fields = sum(1 for change in found.values() if change.field)
    words = [plural(count, word) for count, word in ((len(found) - fields, "entity type"), (fields, "field")) if count]
    return f"{' and '.join(words)} {one if len(found) == 1 else several}." if words else ""


def extent(review: Review) -> str:
    """How large the revision is."""
    words = [plural(review.operations, "operation")]
    entity_types = {line.change.entity_type for line in review.lines if line.change.entity_type != CATALOG}
    if entity_types:
        words.append(plural(len(entity_types), "entity type"))
    if review.comments:
        words.append(f"{plural(review.comments, 'description')} changed")
    return ", ".join(words)


def called(review: Review) -> list[ChangeLine]:
    """What the site calls something else from now on."""
    return [line for line in review.lines if line.change.kind == "display_name"]


def by_entity_type(review: Review) -> list[tuple[str, str, list[ChangeLine]]]:
    """``(entity type, heading, lines)``: the largest changes first, the catalog last; display names are `called`."""
    others = [line for line in review.lines if line.change.kind != "display_name"]
    groups = [(code, list(found)) for code, found in groupby(others, key=lambda line: line.change.entity_type)]
    groups.sort(key=lambda group: (group[0] == CATALOG, _calm(group[1]), group[0]))
    return [(code, _heading(code, review.site), found) for code, found in groups]


def _heading(entity_type: str, site: SiteSchema) -> str:
    return "The catalog" if entity_type == CATALOG else with_display_name(entity_type, site)


def _calm(lines: Sequence[ChangeLine]) -> bool:
    """Whether nothing of it is dropped or gets another type."""
    return not any(line.change.kind in ("dropped", "pruned", "converted", "set_aside", "retyped") for line in lines)


def change_counts(lines: Sequence[ChangeLine]) -> str:
    """``+12 ~3 -4`` for the fields, and what happens to the entity type itself."""
    signs = Counter(line.sign for line in lines if line.change.field)
    own = [f"{line.sign} {line.what}" + (f" ({line.note})" if line.note else "")
           for line in lines if not line.change.field]  # fmt: skip
    fields = " ".join(f"{sign}{signs[sign]}" for sign in "+~-" if signs[sign])
    return "  ".join([*own, *([fields] if fields else [])])


def who(review: Review, line: ChangeLine) -> str:
    """``by Jane Doe, 2026-11-19``; empty where nobody knows."""
    found = review.attributions.get(line)
    return found.words if found else ""


def use(review: Review, line: ChangeLine) -> str:
    """``1,203 of 12,304 (10 %), in 2 projects``, of what goes; empty where no database was asked."""
    found = review.uses.get(line.change.place) if line.change.kind in ("retired", "dropped") else None
    return use_words(found) if found else ""


def sql_names(review: Review, line: ChangeLine) -> str:
    """The names in SQL of what changes: tables and columns that are in use or retired, not those of earlier types."""
    names: dict[str, None] = {}
    for state in (review.after, review.before):
        names.update(dict.fromkeys(_names(state, line.change.entity_type, line.change.field)))
        if names:
            break
    return ", ".join(names)


def _names(state: State, entity_type: str, field: str) -> list[str]:
    found = []
    for table in state.values():
        if table.mark.entity_type != entity_type or table.mark.former:
            continue
        if table.mark.field == field:
            found.append(table.name)
        elif field:
            found += [f"{table.name}.{column.name}" for column in table.columns.values()
                      if column.mark.field == field and not column.mark.former]  # fmt: skip
    return found
