"""Whether a column as built can hold the values of another type as they are."""

from __future__ import annotations

from typing import Any, Literal, TypeAlias

import sqlalchemy as sa
from sqlalchemy.types import TypeEngine

from sg_migrate.warehouse.state import type_text

TypeChange: TypeAlias = Literal["none", "widen", "convert"]


def type_change(built: TypeEngine[Any], wanted: TypeEngine[Any]) -> TypeChange:
    """How a column of type ``built`` gets to hold values of type ``wanted``.

    ``none``: the column as built holds them already, and keeps its type; ``widen``: in place, every value stays what
    it is on every engine; ``convert``: a new column beside the old one.
    """
    if type_text(built) == type_text(wanted) or text_length(built) >= text_length(wanted) > 0:
        return "none"
    if isinstance(built, sa.Float) and built.precision == 53 and isinstance(wanted, sa.Double):
        return "none"  # two names of one type
    if 0 < text_length(built) < text_length(wanted) or _is_narrower(built, wanted):
        return "widen"
    return "convert"


def _is_narrower(built: TypeEngine[Any], wanted: TypeEngine[Any]) -> bool:
    """Of the types that only a warehouse has which was taken over from shotgrid_orm."""
    if isinstance(wanted, sa.DateTime):
        return isinstance(built, sa.DateTime) and wanted.timezone and not built.timezone
    return isinstance(wanted, sa.BigInteger) and isinstance(built, sa.Integer)


def text_length(type_: TypeEngine[Any]) -> float:
    """How many characters a text type holds; 0 for other types."""
    if isinstance(type_, sa.Text):
        return float("inf")
    if isinstance(type_, sa.String):
        return type_.length or float("inf")
    return 0
