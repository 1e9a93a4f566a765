"""Types and columns as Python source, for revisions: ``sa.Column('sg_cut_in', sa.Integer(), info={...})``.

Every text of the site passes through ``repr``: it can end no string and hides nothing from a reviewer, because ``repr``
escapes what is not printable.
"""

from __future__ import annotations

from typing import Any

from sqlalchemy.types import TypeEngine

from sg_migrate.warehouse.mapping import FLOAT, JSON_VALUE, STRING, STRING_IN_INDEX, TEXT, TIMESTAMP
from sg_migrate.warehouse.state import ColumnState, type_text

_PORTABLE = {
    type_text(TEXT): ("mysql", "sg_text", 'sa.Text().with_variant(mysql.LONGTEXT(), "mysql", "mariadb")'),
    type_text(STRING): ("mysql", "sg_string", 'sa.String().with_variant(mysql.LONGTEXT(), "mysql", "mariadb")'),
    type_text(FLOAT): (
        "mysql",
        "sg_float",
        'sa.Float(53).with_variant(mysql.DOUBLE(asdecimal=False), "mysql", "mariadb")',
    ),
    type_text(STRING_IN_INDEX): (
        "mysql",
        "sg_string_in_index",
        'sa.String().with_variant(mysql.VARCHAR(64), "mysql", "mariadb")',
    ),
    type_text(TIMESTAMP): (
        "mysql",
        "sg_timestamp",
        'sa.DateTime(timezone=True).with_variant(mysql.DATETIME(fsp=6), "mysql", "mariadb")',
    ),
    type_text(JSON_VALUE): ("postgresql", "sg_json", 'sa.JSON().with_variant(postgresql.JSONB(), "postgresql")'),
}
"""Types with variants: the dialect module they need, their name in a revision, and their definition there."""


def portable_type_source(type_: TypeEngine[Any], imports: set[str]) -> str | None:
    """The name of one of our types with variants; its definition is added to ``imports``. ``None`` for other types."""
    known = _PORTABLE.get(type_text(type_))
    if known is None:
        return None
    dialect, name, definition = known
    # Alembic sorts these lines: the definitions' names come after "from" and "import".
    imports.update([f"from sqlalchemy.dialects import {dialect}", f"{name} = {definition}"])
    return name


def type_source(type_: TypeEngine[Any], imports: set[str]) -> str:
    """A type as source."""
    return portable_type_source(type_, imports) or f"sa.{type_text(type_)}"


def column_source(column: ColumnState, imports: set[str]) -> str:
    """A column as source, with its mark."""
    words = [repr(str(column.name)), type_source(column.type, imports)]
    if column.name == "id" and not column.nullable:
        words.append("autoincrement=False")
    if not column.nullable:
        words.append("nullable=False")
    if column.comment is not None:
        words.append(f"comment={column.comment!r}")
    words.append(f"info={{'sg': {str(column.mark)!r}}}")
    return f"sa.Column({', '.join(words)})"
