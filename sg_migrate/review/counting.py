"""What a database says about the findings: rows, values, sizes, and which findings are moot for it.

Each table is read once, whatever is found on it.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace

from sg_migrate.database.reading import Database, WantedNumber
from sg_migrate.review.findings import Counts, Finding


def counted(database: Database, findings: Iterable[Finding]) -> list[Finding]:
    """The findings with what the database says; nothing is said about what it does not have.

    A finding about rows or values of which there are none is left out. Where every value converts, the rule for that
    counts (`Rule.if_all_convert`).
    """
    findings = list(findings)
    wanted: dict[str, set[WantedNumber]] = {}
    for finding in findings:
        if finding.table in database.columns:
            wanted.setdefault(finding.table, set()).update(_wanted(database, finding).values())
    numbers = {table: database.counts(table, ones) for table, ones in wanted.items()}
    sizes = {table: database.size(table) for table in wanted}
    found = [
        replace(finding, counts=_counts(database, finding, numbers[finding.table], sizes[finding.table]))
        if finding.table in wanted
        else finding
        for finding in findings
    ]
    return [_settled(finding) for finding in found if not _is_moot(finding)]


def _is_moot(finding: Finding) -> bool:
    """Whether the rule is about something that is not there."""
    counts = finding.counts
    if not finding.rule.needs or counts.rows is None:
        return False
    return counts.rows == 0 or (finding.rule.needs == "values" and counts.values == 0)


def _settled(finding: Finding) -> Finding:
    """The finding under the rule that counts now that the numbers are known."""
    rule, counts = finding.rule, finding.counts
    all_convert = 0 in (counts.unconverted, counts.several)
    return replace(finding, rule=rule.if_all_convert) if rule.if_all_convert and all_convert else finding


def _wanted(database: Database, finding: Finding) -> dict[str, WantedNumber]:
    """What to ask for, by the attribute of `Counts` that it is for."""
    found = {"rows": WantedNumber()}
    if finding.column in database.columns[finding.table]:
        found["values"] = WantedNumber(finding.column)
        if finding.conversion is not None:
            found["unconverted"] = WantedNumber(finding.column, finding.conversion)
    return found


def _counts(database: Database, finding: Finding, numbers: dict[WantedNumber, int | None], size: int | None) -> Counts:
    found = Counts(size=size, **{name: numbers[one] for name, one in _wanted(database, finding).items()})
    if finding.links is None or finding.links.to_table:
        return found
    records, several = database.links(finding.table)
    return replace(found, records=records, several=several)
