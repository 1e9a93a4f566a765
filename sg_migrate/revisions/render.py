"""Alembic's ``render_item`` hook: how our columns and types read in a revision."""

from __future__ import annotations

from typing import Any

from alembic.autogenerate.api import AutogenContext
from sqlalchemy.types import TypeEngine

from sg_migrate.warehouse.mark import mark_of
from sg_migrate.warehouse.source_text import column_source, portable_type_source
from sg_migrate.warehouse.state import state_of_column


def render_item(kind: str, item: Any, context: AutogenContext) -> str | bool:
    """Our columns with their marks, our types by name; ``False`` for all else."""
    if kind == "column":
        mark = mark_of(item)
        return column_source(state_of_column(item, mark), context.imports) if mark is not None else False
    if kind == "type" and isinstance(item, TypeEngine):
        return portable_type_source(item, context.imports) or False
    return False
