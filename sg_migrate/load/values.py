"""A value as the site sends it -> a value of the column's type, or the reason why it has no place there.

Nothing is cut, rounded or guessed: what does not arrive exactly is a `Reject`. Texts with a NUL character or half a
surrogate pair are rejected on every engine, since PostgreSQL stores neither: a warehouse reads the same everywhere.
"""

from __future__ import annotations

import json
import math
import re
from collections.abc import Callable
from datetime import date, datetime, timezone
from decimal import Decimal, InvalidOperation
from functools import partial
from typing import Any, TypeAlias, TypeGuard

import sqlalchemy as sa
from sqlalchemy.types import TypeEngine

Converter: TypeAlias = Callable[[Any], Any]
"""Takes anything but ``None``. Raises `Reject`."""

MAX_ID = 2**63 - 1
_MAX_INTEGER = 2**31 - 1
_WHOLE = re.compile(r"-?\d{1,19}")
_MOMENT = re.compile(r"\d{4}-\d\d-\d\d[T ]\d\d:\d\d:\d\d(?:\.(\d{1,6}))?(Z|[+-]\d\d:?\d\d)", re.ASCII)
_DAY = re.compile(r"\d{4}-\d\d-\d\d", re.ASCII)


def is_id(value: Any) -> TypeGuard[int]:
    """Whether it is an id that a column of ids holds."""
    return type(value) is int and 0 <= value <= MAX_ID


def moment_of(value: Any) -> datetime | None:
    """A moment in UTC, or nothing where it is none."""
    try:
        return moment(value)
    except Reject:
        return None


class Reject(ValueError):
    """Why a value has no place in its column, in a few words."""


def converter(data_type: str, type_: TypeEngine[Any]) -> Converter:
    """The conversion for a scalar field of a data type, in a column of a type."""
    if isinstance(type_, sa.JSON) and data_type in ("multi_entity", "addressing"):
        return json_links
    if isinstance(type_, sa.JSON):
        return upload_without_signature if data_type == "url" else json_value
    if data_type == "image":
        return image
    if isinstance(type_, sa.Text) or (isinstance(type_, sa.String) and type_.length is None):
        return text if data_type in _TEXTS else text_of_anything
    if isinstance(type_, sa.String):
        return partial(bounded_text, type_.length or 0)
    if isinstance(type_, sa.BigInteger):
        return partial(whole_number, MAX_ID)
    for kind, convert in _BY_TYPE:
        if isinstance(type_, kind):
            return convert
    return text_of_anything


_TEXTS = {"text", "list", "status_list", "entity_type", "color", "uuid", "footage", "url_template", "system_task_type"}


def text(value: Any) -> str:
    """A text as it is."""
    if not isinstance(value, str):
        raise Reject(f"not a text but {_kind(value)}")
    if "\x00" in value:
        raise Reject("a NUL character in the text")
    if not value.isascii():
        try:
            value.encode()
        except UnicodeEncodeError:
            raise Reject("half a surrogate pair in the text") from None
    return value


def text_of_anything(value: Any) -> str:
    """A text as it is, anything else as JSON: of data types that nobody knows, and calculated fields."""
    return text(value) if isinstance(value, str) else json_text(json_value(value))


def bounded_text(length: int, value: Any) -> str:
    """A text of at most so many characters."""
    found = text(value)
    if len(found) > length:
        raise Reject(f"longer than {length} characters")
    return found


def image(value: Any) -> str:
    """A picture's address; the signature in its query is another one at every reading."""
    return _unsigned(text(value))


def _unsigned(address: str) -> str:
    return address.partition("?")[0].partition("#")[0] if address.startswith(("http://", "https://")) else address


def whole_number(most: int, value: Any) -> int:
    """A whole number between ``-most - 1`` and ``most``; old sites send some as texts."""
    if type(value) is not int and not _is_whole(value):  # a truth value is an int too
        raise Reject(f"not a whole number but {_kind(value)}")
    found = int(value)
    if not -most - 1 <= found <= most:
        raise Reject("beyond 32 bits" if most == _MAX_INTEGER else "beyond 64 bits")
    return found


def _is_whole(value: Any) -> bool:
    return bool(_WHOLE.fullmatch(value)) if isinstance(value, str) else isinstance(value, float) and value.is_integer()


def number(value: Any) -> float:
    """A number; the REST API sends texts."""
    if isinstance(value, bool) or not isinstance(value, (int, float, str)):
        raise Reject(f"not a number but {_kind(value)}")
    try:
        found = float(value)
    except (ValueError, OverflowError):
        raise Reject("not a number" if isinstance(value, str) else "beyond a double") from None
    if not math.isfinite(found):
        raise Reject("not a finite number")
    if isinstance(value, int) and int(found) != value:
        raise Reject("more digits than a double holds")
    return found


def money(value: Any) -> Decimal:
    """A number of at most 15 digits, two of them behind the point."""
    if type(value) is float and abs(value) < 1e13:
        written = f"{value:.2f}"
        if float(written) == value:
            return Decimal(written)
    number(value)
    try:
        found = Decimal(str(value).strip())
        exact = found.quantize(Decimal("0.01"))
    except InvalidOperation:
        raise Reject("more than 15 digits") from None
    if exact != found:
        raise Reject("more than two digits behind the point")
    if abs(exact) >= Decimal(10) ** 13:
        raise Reject("more than 15 digits")
    return exact


def checkbox(value: Any) -> bool:
    """True or false."""
    if not isinstance(value, bool):
        raise Reject(f"neither true nor false but {_kind(value)}")
    return value


def day(value: Any) -> date:
    """A day, ``YYYY-MM-DD``, of the years 1 to 9999."""
    if not isinstance(value, str) or not _DAY.fullmatch(value):
        raise Reject("not a day of the form YYYY-MM-DD")
    try:
        return date.fromisoformat(value)
    except ValueError as error:
        raise Reject(str(error)) from None


def moment(value: Any) -> datetime:
    """A moment with its time zone, in UTC."""
    form = _MOMENT.fullmatch(value) if isinstance(value, str) else None
    if form is None:
        raise Reject("not a moment of the form YYYY-MM-DDTHH:MM:SSZ")
    fraction, zone = form.groups()
    try:
        found = datetime.fromisoformat(f"{value[:19]}+00:00")
        if fraction:
            found = found.replace(microsecond=int(fraction.ljust(6, "0")))
        if zone == "Z":
            return found
        offset = datetime.strptime(zone, "%z").tzinfo
        return found.replace(tzinfo=offset).astimezone(timezone.utc)
    except (ValueError, OverflowError) as error:
        raise Reject(str(error)) from None


def json_value(value: Any) -> Any:
    """Any JSON that every engine stores."""
    if type(value) is int and not -MAX_ID - 1 <= value <= MAX_ID:
        raise Reject("beyond 64 bits")  # alone in its column, SQLite would take it for a number and round it
    try:
        written = json_text(value)
    except ValueError:
        raise Reject("a number that is none") from None
    except RecursionError:
        raise Reject("nested too deep") from None
    if "\\u0000" in written and _has_nul(value):
        raise Reject("a NUL character in a text")
    if not written.isascii():
        try:
            written.encode()
        except UnicodeEncodeError:
            raise Reject("half a surrogate pair in a text") from None
    return value


def _has_nul(value: Any) -> bool:
    if isinstance(value, dict):
        return any(_has_nul(key) or _has_nul(item) for key, item in value.items())
    if isinstance(value, list):
        return any(map(_has_nul, value))
    return isinstance(value, str) and "\x00" in value


def json_text(value: Any) -> str:
    """One text for one value, whatever the order of its keys."""
    return json.dumps(value, ensure_ascii=False, sort_keys=True, allow_nan=False)


def upload_without_signature(value: Any) -> Any:
    """What a url field holds; the address of an upload without the signature, which is another one at every reading."""
    found = json_value(value)
    if isinstance(found, dict) and found.get("link_type") == "upload" and isinstance(found.get("url"), str):
        return {**found, "url": _unsigned(found["url"])}
    return found


def link(value: Any) -> tuple[int, str]:
    """The id and the entity type of a link."""
    if not isinstance(value, dict):
        raise Reject(f"not a link but {_kind(value)}")
    record_id, entity_type = value.get("id"), value.get("type")
    if not isinstance(entity_type, str) or not entity_type:
        raise Reject("a link without an entity type")
    if type(record_id) is not int:
        raise Reject("a link without an id")
    return whole_number(MAX_ID, record_id), bounded_text(64, entity_type)


def links(value: Any) -> tuple[set[tuple[str, int]], str]:
    """The links of a list, as pairs of entity type and id, and what is wrong with the others. Raises `Reject`."""
    if not isinstance(value, list):
        raise Reject(f"not a list of links but {_kind(value)}")
    found, wrong = set(), ""
    for item in value:
        try:
            record_id, entity_type = link(item)
            found.add((entity_type, record_id))
        except Reject as error:
            wrong = wrong or str(error)
    return found, wrong


def json_links(value: Any) -> list[Any]:
    """The links of a list as JSON, always in one order. The names that come with them are not kept: they go stale."""
    found, wrong = links(value)
    if wrong:
        raise Reject(wrong)
    return [{"type": entity_type, "id": record_id} for entity_type, record_id in sorted(found)]


def _kind(value: Any) -> str:
    return _KINDS.get(type(value), type(value).__name__)


_KINDS = {bool: "a truth value", int: "a number", float: "a number", str: "a text", list: "a list", dict: "an object"}


_BY_TYPE: tuple[tuple[type[TypeEngine[Any]], Converter], ...] = (
    (sa.Boolean, checkbox),
    (sa.Integer, partial(whole_number, _MAX_INTEGER)),
    (sa.Float, number),
    (sa.Double, number),
    (sa.Numeric, money),
    (sa.DateTime, moment),
    (sa.Date, day),
)
