"""Values that the site would refuse are refused when they are assigned, for whoever asks for it.

Ranges: ShotGrid API reference, "Data Types".
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from decimal import Decimal
from functools import partial
from typing import Any

from sqlalchemy import event, inspect

from sg_migrate.errors import RefusedValueError
from sg_migrate.warehouse.mark import Mark

_RANGES: dict[str, tuple[Any, Any]] = {
    **dict.fromkeys(("number", "integer", "percent", "duration", "timecode"), (-(2**31), 2**31 - 1)),
    "float": (-999999999.999999, 999999999.999999),
    "currency": (Decimal("-9999999999999.99"), Decimal("9999999999999.99")),
}


def refuse_invalid(base: type[Any]) -> None:
    """Refuse every value, from now on, that the site would not take: list values, entity types of links, ranges.

    ``refuse_invalid(models.Base)``, or of a script's ``Base``. What the database holds is read as it is.

    Assigning then raises `RefusedValueError`, which names what is allowed. A list whose values are not known takes
    any, and so does a link whose valid entity types are not known.
    """
    for cls in base.__classes__.values():
        for attribute in inspect(cls).column_attrs:
            column = attribute.columns[0]
            check = _check(f"{cls.__name__}.{attribute.key}", Mark.parse(column.info["sg"]).data_type, column.info)
            if check is not None:
                event.listen(getattr(cls, attribute.key), "set", check)
        for link in (*cls.__links__.values(), *cls.__lists__.values()):
            if link.types:
                link.allow = partial(_check_type, repr(link), link.types)


def _check(place: str, data_type: str, info: dict[Any, Any]) -> Callable[..., None] | None:
    if info.get("valid_values"):
        return _one_of(place, info["valid_values"])
    if data_type in _RANGES:
        return _between(place, *_RANGES[data_type])
    return None


def _one_of(place: str, allowed: Iterable[str]) -> Callable[..., None]:
    known = frozenset(allowed)

    def check(record: Any, value: Any, old: Any, initiator: Any) -> None:
        if value is not None and value not in known:
            raise RefusedValueError(place, repr(value), ", ".join(allowed))

    return check


def _between(place: str, least: Any, most: Any) -> Callable[..., None]:
    def check(record: Any, value: Any, old: Any, initiator: Any) -> None:
        number = isinstance(value, (int, float, Decimal)) and not isinstance(value, bool)
        if value is not None and not (number and least <= value <= most):
            raise RefusedValueError(place, repr(value), f"numbers from {least:,} to {most:,}")

    return check


def _check_type(place: str, types: tuple[str, ...], code: str) -> None:
    if code not in types:
        raise RefusedValueError(place, f"a link to {code}", f"links to {', '.join(types)}")
