"""Reviews as JSON for machines; docs/review.md describes it."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import asdict
from typing import Any

from sg_migrate.reports import phrases
from sg_migrate.reports.who import attribution_json
from sg_migrate.review.findings import Finding
from sg_migrate.review.run import Review
from sg_migrate.revisions.summary import ChangeLine, display_name
from sg_migrate.warehouse.transition import Change

VERSION = 1


def json_report(reviews: Sequence[Review]) -> str:
    """The report as JSON text; `VERSION` changes when a key changes its meaning or goes."""
    level = max((review.level for review in reviews), default=0)
    document = {
        "format": "sg-migrate review",
        "version": VERSION,
        "level": str(level) if reviews else "safe",
        "revisions": [_review(review) for review in reviews],
    }
    return json.dumps(document, indent=2, ensure_ascii=True)


def _review(review: Review) -> dict[str, Any]:
    return {
        "revision": review.revision,
        "down_revisions": list(review.down_revisions),
        "message": review.message,
        "path": review.path,
        "dialect": review.dialect,
        "ours": review.ours,
        "first": review.first,
        "level": str(review.level),
        "operations": review.operations,
        "comments": review.comments,
        "findings": [_finding(review, finding) for finding in review.findings],
        "changes": [_change(review, line) for line in review.lines],
        "statements": review.statements
        and {"sql": review.statements.sql, "problem": review.statements.problem or None},
    }


def _finding(review: Review, finding: Finding) -> dict[str, Any]:
    return {
        "code": finding.rule.code,
        "level": str(finding.level),
        "title": finding.rule.title,
        "what": phrases.what(finding),
        "remedy": finding.rule.remedy,
        "entity_type": finding.mark.entity_type if finding.mark else None,
        "field": finding.mark.field or None if finding.mark else None,
        "display_name": phrases.finding_display_name(finding, review.site) or None,
        "table": finding.table or None,
        "column": finding.column or None,
        "line": finding.line,
        "downgrade": finding.downgrade,
        "allowed": finding.allowed,
        "rows": finding.counts.rows,
        "values": finding.counts.values,
        "unconverted": finding.counts.unconverted,
        "records": finding.counts.records,
        "several": finding.counts.several,
        "bytes": finding.counts.size,
        "statement": finding.statement or None,
    }


def _change(review: Review, line: ChangeLine) -> dict[str, Any]:
    change = line.change
    old, new = _old_and_new(change)
    return {
        "entity_type": change.entity_type,
        "field": change.field or None,
        "display_name": display_name(review.site, change.entity_type, change.field) or None,
        "sign": line.sign,
        "kind": change.kind,
        "old": old,
        "new": new,
        "what": line.what,
        "note": line.note or None,
        "sql": phrases.sql_names(review, line) or None,
        "use": asdict(review.uses[change.place]) if phrases.use(review, line) else None,
        "who": attribution_json(review.attributions.get(line)),
    }


def _old_and_new(change: Change) -> tuple[str | None, str | None]:
    """The display names, data types or names in SQL between which it changes."""
    if change.kind == "display_name":
        return change.old_display_name, change.new_display_name
    if change.kind in ("converted", "retyped"):
        return change.old.data_type if change.old else None, change.new.data_type if change.new else None
    return (", ".join(change.old_names), ", ".join(change.new_names)) if change.kind == "renamed" else (None, None)
