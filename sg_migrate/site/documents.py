"""JSON texts to plain data, strictly: what is doubtful is an error with a place, never a guess."""

from __future__ import annotations

import json
from collections import Counter
from typing import Any

from sg_migrate.errors import SnapshotConflictError
from sg_migrate.site.validation import Unreadable, check_plain, quoted

SNAPSHOT_FORMAT = "sg_migrate snapshot "
"""What the ``format`` line of a snapshot begins with; its version follows."""

_CONFLICT_MARKERS = ("<<<<<<<", ">>>>>>>", "|||||||")


def decode(data: bytes) -> str:
    """``data`` as UTF-8 text, a byte order mark left out; raises ``Unreadable`` naming the first bad byte."""
    try:
        return data.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise Unreadable(
            f"byte {error.start}", "not UTF-8.", "Save the file as UTF-8 JSON, as the API returned it."
        ) from None


def parse_json(text: str, source: str) -> Any:
    """``text`` as plain data.

    Raises:
        SnapshotConflictError: git left conflict markers in it.
        Unreadable: empty, not JSON, too deep, a key twice in one object, or a value that JSON does not know. The
            entries of a snapshot alone may repeat, the last one counting: that is what taking both sides leaves.
    """
    _check_no_conflict(text, source)
    if not text.strip():
        raise Unreadable("", "empty.", "Write the schema again.")
    try:
        document = json.loads(text, object_pairs_hook=_object)
    except json.JSONDecodeError as error:
        raise _not_json(text, error) from None
    except RecursionError:
        raise Unreadable("", "nested too deep for a ShotGrid schema.") from None
    except ValueError:
        raise Unreadable("", "holds a number of absurd length.") from None
    check_plain(document)
    return document


def is_snapshot(document: object) -> bool:
    """Whether ``document`` calls itself a snapshot of ours, whatever its version."""
    return isinstance(document, dict) and str(document.get("format", "")).startswith(SNAPSHOT_FORMAT)


def _object(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    result = dict(pairs)
    if len(result) < len(pairs) and not is_snapshot(result):
        double = next(key for key, count in Counter(key for key, _ in pairs).items() if count > 1)
        raise Unreadable("", f"the key {quoted(double)!r} occurs twice in one object.", "Keep one of them.")
    return result


def _check_no_conflict(text: str, source: str) -> None:
    for number, line in enumerate(text.split("\n"), 1):
        if line.startswith(_CONFLICT_MARKERS) or line.rstrip("\r") == "=======":
            raise SnapshotConflictError(source, number)


def _not_json(text: str, error: json.JSONDecodeError) -> Unreadable:
    place = f"line {error.lineno}, column {error.colno}"
    if text.lstrip().startswith("<"):
        return Unreadable("", "an HTML or XML page, not JSON.", "A proxy or a login page may have answered.")
    if error.pos >= len(text.rstrip()) or error.msg.startswith("Unterminated string"):
        return Unreadable(place, "the JSON ends too early; the file is truncated.", "Write it again.")
    return Unreadable(place, f"not JSON ({error.msg}).", "Write the schema again.")
