"""The values that the oracle writes, and the one form in which it compares what it wrote with what it reads.

A value is compared as `None` (SQL NULL) or as `[kind, payload]`, plain JSON both: `["text", ""]`,
`["json", "null"]`, `["timestamp", "1970-01-01T00:00:00.000001"]`.
"""

from __future__ import annotations

import json
import re
from dataclasses import dataclass
from datetime import date, datetime, timedelta, timezone
from decimal import Decimal
from typing import Any
from zlib import crc32

Tagged = list[Any] | None


@dataclass(frozen=True)
class Json:
    """A JSON value, told apart from the text, number or NULL that it looks like."""

    value: Any


@dataclass(frozen=True)
class Kind:
    """What a native column type can hold: `size` counts characters, bits or digits."""

    name: str
    size: int = 0
    scale: int = 0
    huge: bool = False


EMOJI = "😀 e\u0301 o\u0308 👩‍👩‍👧 ﷽ ｱ 日本 \u202bعربى"
QUOTES = 'it\'s "quoted" \\ back\\\\slash % %s %(x)s :y {z} `b` ${m} <% q\nline\ttab\r\nend'
TEXTS = ["", None, EMOJI, QUOTES, "12", "12 frames", "  spaces  ", "NULL", "-0.50", "2024-02-30", "true"]
DOUBLES = [0.1, None, -1 / 3, 1.7976931348623157e308, 2.2250738585072014e-308, 0.0, 999999999.999999, 24.0, -1e-9]
SINGLES = [0.5, None, -1.25, 0.0, 1024.0]
DATES = [
    date(1970, 1, 1),
    None,
    date(9999, 12, 31),
    date(1, 1, 1),
    date(2024, 2, 29),
    date(1969, 12, 31),
]
TIMESTAMPS = [
    datetime(1970, 1, 1, 0, 0, 0, 1),
    None,
    datetime(2024, 2, 29, 23, 59, 59, 999999),
    datetime(9999, 12, 30, 23, 59, 59, 999999),
    datetime(1, 1, 2, 0, 0, 0, 100000),
    datetime(2038, 1, 19, 3, 14, 8),
    datetime(2024, 3, 31, 2, 30, 0, 123456),
]
RECENT_TIMESTAMPS = [datetime(1990, 1, 1), None, datetime(2024, 2, 29, 23, 59, 59), datetime(2037, 12, 31)]
DOCUMENTS = [
    Json({"name": EMOJI, "nested": {"list": [1, 2.5, None, True, "", []], "big": 2**53 + 1}, "": "'\"\\%\n"}),
    None,
    Json(None),
    Json([]),
    Json({}),
    Json("12"),
    Json(12.5),
    Json([{"type": "Shot", "id": 1}, {"type": "Asset", "id": 2**31}]),
    Json(False),
    Json(""),
]
NATIVE_TYPES: list[tuple[str, str]] = [
    (r"json|jsonb", "json"),
    (r"bool|boolean|tinyint\(1\)", "boolean"),
    (r"date", "date"),
    (r"(?:datetime|timestamp)(?:\((\d)\))?(?: with(?:out)? time zone)?", "timestamp"),
    (r"(?:numeric|decimal)(?:\((\d+)(?:, ?(\d+))?\))?", "numeric"),
    (r"(tiny|small|medium|big)?int(?:eger)?(?:\(\d+\))?(?: unsigned)?", "integer"),
    (r"double(?: precision)?|float|real", "double"),
    (r"(?:varchar|character varying|char|character|nvarchar)(?:\((\d+)\))?", "text"),
    (r"(tiny|medium|long)?text|clob", "text"),
]
BITS = {"tiny": 8, "small": 16, "medium": 24, None: 32, "big": 64}


def kind_of(engine: str, native: str, *, is_json: bool = False) -> Kind:
    """What the column of this native type holds; `other` when it is none of ours."""
    native = native.lower()
    for pattern, name in NATIVE_TYPES:
        match = re.fullmatch(pattern, native)
        if match and not is_json:
            return _sized_kind(engine, native, name, match)
    return Kind("json" if is_json else "other")


def _sized_kind(engine: str, native: str, name: str, match: re.Match[str]) -> Kind:
    size: str | None = match.group(1) if match.re.groups else None
    if name == "timestamp":
        recent = engine == "mysql" and native.startswith("timestamp")
        return Kind(name, int(size) if size else (0 if engine == "mysql" else 6), int(recent))
    if name == "numeric":
        return Kind(name, int(size or 15), int(match.group(2) or 0) if size else 2)
    if name == "integer":
        return Kind(name, BITS[size], int("unsigned" in native))
    if name == "double":
        single = native == "real" if engine == "postgresql" else engine == "mysql" and native == "float"
        return Kind(name, 24 if single else 53)
    if name == "text" and size and size.isdigit():
        return Kind(name, int(size))
    if name == "text":
        return Kind(name, 60 if size == "tiny" else 0, huge=engine != "mysql" or size in ("medium", "long"))
    return Kind(name)


def variants(kind: Kind) -> list[Any]:
    """The values that a column of this kind goes through, one a row."""
    if kind.name == "text":
        full = ("é😀x" * 100)[: kind.size or 300]
        return [v[: kind.size] if v and kind.size else v for v in [full, *TEXTS]]
    if kind.name == "integer":
        low, high = (0, 2**kind.size - 1) if kind.scale else (-(2 ** (kind.size - 1)), 2 ** (kind.size - 1) - 1)
        return [0, None, high, low, 12, 1 if kind.scale else -1]
    if kind.name == "numeric":
        unit = Decimal(1).scaleb(-kind.scale)
        most = (10 ** min(kind.size, 15) - 1) * unit
        return [most, None, -most, unit, Decimal(0), -12 * unit]
    if kind.name == "timestamp":
        plan = RECENT_TIMESTAMPS if kind.scale else TIMESTAMPS
        step = 10 ** (6 - kind.size)
        return [v and v.replace(microsecond=v.microsecond // step * step, tzinfo=timezone.utc) for v in plan]
    plain: dict[str, list[Any]] = {
        "double": SINGLES if kind.size == 24 else DOUBLES,
        "boolean": [True, None, False],
        "date": DATES,
        "json": DOCUMENTS,
    }
    return plain.get(kind.name, [None])


def planned(kind: Kind, name: str, row: int, *, nullable: bool, distinct: bool, huge: bool) -> Any:
    """The value of the column `name` ("seed.table.column") in that row: always the same one."""
    if distinct:
        return None if nullable and row % 3 == 2 else distinct_value(kind, row)
    if huge and kind.huge and row % 5 == 0:
        return f"{name} {row} " + "é😀 70 KB\n" * 6000 + "end"
    values = [v for v in variants(kind) if nullable or v is not None]
    if not values:
        raise ValueError(f"{name} takes no NULL, and the oracle knows no value for its type")
    return values[(crc32(name.encode()) + row) % len(values)]


def distinct_value(kind: Kind, row: int) -> Any:
    """A value that differs from row to row, for keys and unique columns; large ids among them."""
    if kind.name == "integer":
        large = [0, 2**31 - 1, 2**53, 2**63 - 2 - 2 * row] if kind.size == 64 else [0]
        return large[row % len(large)] + row + 1
    if kind.name == "text":
        return f"Type{row}"
    if kind.name == "date":
        return date(2000, 1, 1) + timedelta(days=row)
    if kind.name == "timestamp":
        return datetime(2000, 1, 1, tzinfo=timezone.utc) + timedelta(days=row)
    if kind.name in ("double", "numeric"):
        return float(row) if kind.name == "double" else Decimal(row)
    raise ValueError(f"the oracle has no distinct values for {kind.name}")


def tag(value: Any) -> Tagged:
    """The comparable form of a Python value."""
    if value is None:
        return None
    if isinstance(value, Json | dict | list):
        value = value.value if isinstance(value, Json) else value
        return ["json", json.dumps(value, sort_keys=True, ensure_ascii=False)]
    if isinstance(value, Decimal):
        return ["numeric", format(value.normalize() + 0, "f")]
    if isinstance(value, datetime):
        naive = value.astimezone(timezone.utc).replace(tzinfo=None) if value.tzinfo else value
        return ["timestamp", naive.isoformat(timespec="microseconds")]
    if isinstance(value, date):
        return ["date", value.isoformat()]
    names = {bool: "boolean", int: "integer", float: "double", str: "text"}
    if type(value) not in names:
        return ["other", repr(value)]
    return [names[type(value)], repr(value) if isinstance(value, float) else value]


def untag(tagged: Tagged) -> Any:
    """The Python value of a comparable form."""
    if tagged is None:
        return None
    name, payload = tagged
    if name == "timestamp":
        return datetime.fromisoformat(payload).replace(tzinfo=timezone.utc)
    read: dict[str, Any] = {
        "json": lambda text: Json(json.loads(text)),
        "numeric": Decimal,
        "date": date.fromisoformat,
        "double": float,
    }
    return read[name](payload) if name in read else payload


def to_driver(engine: str, value: Any) -> Any:
    """What the driver is given, so that the engine stores the value as SQLAlchemy would have it stored."""
    if isinstance(value, Json):
        return json.dumps(value.value, ensure_ascii=False)
    if isinstance(value, datetime):
        naive = value.astimezone(timezone.utc).replace(tzinfo=None)
        plain = {"postgresql": value, "mysql": naive}
        return plain.get(engine) or naive.isoformat(" ", timespec="microseconds")
    if engine == "sqlite" and isinstance(value, date):
        return value.isoformat()
    if engine == "sqlite" and isinstance(value, Decimal):
        return float(value)
    return int(value) if engine != "postgresql" and isinstance(value, bool) else value


def from_driver(engine: str, kind: Kind, raw: Any) -> Tagged:
    """The comparable form of what the driver read from a column of this kind.

    sqlite3 hands out the storage class as the Python type (INTEGER int, REAL float, TEXT str, BLOB bytes),
    so a value whose storage class is not the one of its kind keeps its own tag and is a difference.
    """
    if kind.name == "json":
        return _from_json(engine, raw)
    if engine == "sqlite" and isinstance(raw, str) and kind.name in ("date", "timestamp"):
        try:
            return tag((date if kind.name == "date" else datetime).fromisoformat(raw))
        except ValueError:
            return tag(raw)
    if engine == "sqlite" and isinstance(raw, int | float) and kind.name == "numeric":
        return tag(Decimal(repr(raw)))
    if engine != "postgresql" and kind.name == "boolean" and type(raw) is int and raw in (0, 1):
        return tag(bool(raw))
    return tag(raw)


def _from_json(engine: str, raw: Any) -> Tagged:
    if isinstance(raw, str):
        try:
            return tag(Json(json.loads(raw)))
        except ValueError:
            return tag(raw)
    scalar = engine == "sqlite" and isinstance(raw, int | float)  # SQLite stores a bare number as a number
    return tag(Json(raw)) if scalar else tag(raw)
