"""What a database says about the findings: rows, values, sizes. Each table is read once, whatever is found on it."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace

from sg_migrate.database.reading import Database, WantedNumber
from sg_migrate.review.findings import Counts, Finding


def counted(database: Database, findings: Iterable[Finding]) -> list[Finding]:
    """The findings with what the database says; nothing is said about what it does not have."""
    findings = list(findings)
    wanted: dict[str, set[WantedNumber]] = {}
    for finding in findings:
        if finding.table in database.columns:
            wanted.setdefault(finding.table, set()).update(_wanted(database, finding).values())
    numbers = {table: database.counts(table, ones) for table, ones in wanted.items()}
    sizes = {table: database.size(table) for table in wanted}
    return [
        replace(finding, counts=_counts(database, finding, numbers[finding.table], sizes[finding.table]))
        if finding.table in wanted
        else finding
        for finding in findings
    ]


def _wanted(database: Database, finding: Finding) -> dict[str, WantedNumber]:
    """What to ask for, by the attribute of `Counts` that it is for."""
    found = {"rows": WantedNumber()}
    if finding.column in database.columns[finding.table]:
        found["values"] = WantedNumber(finding.column)
        if finding.conversion is not None:
            found["unconverted"] = WantedNumber(finding.column, finding.conversion)
    return found


def _counts(database: Database, finding: Finding, numbers: dict[WantedNumber, int | None], size: int | None) -> Counts:
    return Counts(size=size, **{name: numbers[one] for name, one in _wanted(database, finding).items()})
