"""The tables of lists of links, which are all of one form.

This file needs SQLAlchemy alone: scripts that ``sg-migrate models`` writes contain it.
"""

from typing import Any

from sqlalchemy import BigInteger, Column, Index, MetaData, String, Table

from sg_migrate.models.values import TABLE_OPTIONS

LINK_COLUMNS: dict[str, tuple[Any, str]] = {
    "owner_id": (BigInteger, "The id of the record that has the link"),
    "linked_type": (String(64), "The entity type of the record that it leads to"),
    "linked_id": (BigInteger, "The id of the record that it leads to"),
}


def link_table(metadata: MetaData, name: str, mark: str, comment: str | None, index: str) -> Table:
    """The table of a list of links: whose it is, and where it leads.

    Args:
        metadata: where it belongs.
        name: its name.
        mark: what of the site it stands for; its columns' marks say their role too.
        comment: what the site says of the field.
        index: the name of the index for reading it from the other side.
    """
    field, bracket, kept = mark.partition(" [")
    columns: list[Column[Any]] = [
        Column(
            column,
            type_,
            primary_key=True,
            autoincrement=False,
            comment=text,
            info={"sg": f"{field} {column}{bracket}{kept}"},
        )
        for column, (type_, text) in LINK_COLUMNS.items()
    ]
    table = Table(name, metadata, *columns, comment=comment, info={"sg": mark}, **TABLE_OPTIONS)
    Index(index, table.c.linked_type, table.c.linked_id)
    return table
