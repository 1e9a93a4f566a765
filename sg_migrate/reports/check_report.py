"""How checks read: as text, as a document, as JSON, and as annotations of a GitHub workflow."""

from __future__ import annotations

import json
from collections.abc import Iterable

from sg_migrate.comparison.checks import Check, exit_code
from sg_migrate.exit_codes import DONE
from sg_migrate.reports.document import Block, Details, Document, Heading, Name, Paragraph, Table
from sg_migrate.reports.text import Line
from sg_migrate.review.findings import Level
from sg_migrate.text import clean, shorten

VERSION = 1
SHOWN = 10
"""Differences that are listed, of each check."""

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
        kind = "error" if check.status == "error" or check.level >= Level.UNSAFE else "warning"
        message = "\n".join([check.what, *_shown(check)])
        lines.append((f"::{kind} title={_property(f'sg-migrate check: {check.name}')}::{_data(message)}", ""))
    return lines


def _data(text: str) -> str:
    return text.replace("%", "%25").replace("\r", "%0D").replace("\n", "%0A")


def _property(text: str) -> str:
    return _data(text).replace(":", "%3A").replace(",", "%2C")
