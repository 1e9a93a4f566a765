"""An archive of the site's event log as CSV: what hosted sites offer for download once the log has forgotten it."""

from __future__ import annotations

import csv
import io
import json
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from sg_migrate.errors import SourceError
from sg_migrate.site.documents import decode
from sg_migrate.site.event_log import ENTITY_TYPE, KINDS, moment, schema_event
from sg_migrate.site.events import Reading, SiteEvents
from sg_migrate.site.validation import Unreadable

_NAMES: Final = {"date_created": "created_at", "link": "entity", "created_by": "user"}
"""What a page of the site calls the fields of EventLogEntry that have other codes."""
_NEEDED: Final = ("id", "event_type", "created_at", "meta")


@dataclass(frozen=True, slots=True)
class Archive:
    """What an archive holds: its events about fields, how many rows it has, and how many events cannot be read."""

    events: SiteEvents
    rows: int
    unreadable: int


def read_archive(path: Path, *, people: bool = True) -> Archive:
    """Read an archive: a CSV file with a header of field codes or of their display names.

    Args:
        path: the file, in UTF-8.
        people: whether the names of people are taken along.

    Raises:
        SourceError: it cannot be read, or has no column for what every event needs.
    """
    source = str(path)
    try:
        text = decode(path.read_bytes())
    except OSError as error:
        raise SourceError(source, f"cannot be read ({error.strerror}).") from None
    except Unreadable as error:
        raise SourceError(source, error.problem, error.remedy) from None
    reader = csv.DictReader(io.StringIO(text, newline=""))
    try:
        codes = {name: _code(name) for name in reader.fieldnames or ()}
        _check(source, codes.values())
        rows = [{codes[name]: value for name, value in row.items() if name in codes} for row in reader]
    except csv.Error as error:
        raise SourceError(source, f"line {reader.line_num}: not CSV ({error}).") from None
    return _archive(rows, people)


def _check(source: str, codes: Iterable[str]) -> None:
    missing = [name for name in _NEEDED if name not in set(codes)]
    if missing:
        raise SourceError(
            source,
            f"the header has no column {', '.join(missing)}.",
            "Export EventLogEntry as CSV with the columns Id, Event Type, Date Created, Meta, User and Link.",
        )


def _code(name: str) -> str:
    if name.strip() == ENTITY_TYPE:
        return ENTITY_TYPE
    code = re.sub(r"\W+", "_", name.strip().lower()).strip("_")
    return _NAMES.get(code, code)


def _archive(rows: list[dict[str, Any]], people: bool) -> Archive:
    ours = [row for row in rows if str(row.get("event_type", "")).strip() in KINDS]
    read = [schema_event(_entry(row), people=people) for row in ours]
    events = tuple(event for event in read if event is not None)
    moments = sorted(filter(None, (moment(row.get("created_at")) for row in rows)))
    readings = (Reading(moments[-1], moments[0], archive=True),) if moments else ()
    return Archive(SiteEvents(events, readings), len(rows), len(ours) - len(events))


def _entry(row: Mapping[str, Any]) -> dict[str, Any]:
    """A row as the API would give it."""
    number = str(row.get("id") or "").strip()
    user = str(row.get("user") or "").strip()
    script = "api" in str(row.get("user_type") or "").lower()
    return {
        **row,
        "id": int(number) if number.isascii() and number.isdigit() and len(number) < 19 else None,
        "event_type": str(row["event_type"]).strip(),
        "meta": _json(row.get("meta")),
        "entity": {"name": str(row.get("entity") or "").strip()},
        "user": {"type": "ApiUser" if script else "HumanUser", "name": user},
    }


def _json(text: Any) -> Any:
    try:
        return json.loads(text) if isinstance(text, str) else None
    except (ValueError, RecursionError):
        return None
