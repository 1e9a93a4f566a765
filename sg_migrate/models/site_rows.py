"""Rows as the site's API returns them, as objects."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date, datetime
from typing import Any

from sqlalchemy import TypeDecorator, inspect

from sg_migrate.errors import RowError
from sg_migrate.load.values import Reject, converter, link, links
from sg_migrate.warehouse.mark import Mark


def record_of(classes: Mapping[str, Any], row: Mapping[str, Any]) -> Any:
    """A new object of a row: the columns of its links are set, to whatever they lead. Raises `RowError`."""
    code = row.get("type")
    if not isinstance(code, str) or code not in classes:
        raise RowError("a row", f"its type is {code!r}, which no class of these models is of")
    if type(row.get("id")) is not int:
        raise RowError(f"a row of {code}", "it has no id")
    cls = classes[code]
    record = cls()
    record.id = row["id"]
    names = _attributes(cls)
    for field, value in row.items():
        if field not in ("type", "id") and field in names:
            try:
                _set(record, names[field], value)
            except Reject as error:
                raise RowError(f"{code} {record.id}, {field}", str(error)) from None
    return record


def _attributes(cls: Any) -> dict[str, str]:
    """Attributes by the codes of their fields: they differ where Python has taken a name."""
    found = {}
    for attribute in inspect(cls).column_attrs:
        mark = Mark.parse(attribute.columns[0].info["sg"])
        if not mark.role and not mark.former:
            found[mark.code] = attribute.key
    for name, to in cls.__links__.items():
        found[Mark.parse(inspect(cls).attrs[to.id_column].columns[0].info["sg"]).field] = name
    for name, to in cls.__lists__.items():
        found[Mark.parse(to.table.info["sg"]).field] = name
    return found


def _set(record: Any, name: str, value: Any) -> None:
    cls = type(record)
    if name in cls.__lists__:
        cls.__lists__[name].of_record(record).replace_keys(links(value or [])[0])
    elif name in cls.__links__:
        cls.__links__[name].set_key(record, None if value is None else link(value)[::-1])
    elif value is None or isinstance(value, (date, datetime)):
        setattr(record, name, value)  # the client makes moments of its own, with their zone
    else:
        column = inspect(cls).attrs[name].columns[0]
        type_ = column.type.impl_instance if isinstance(column.type, TypeDecorator) else column.type
        setattr(record, name, converter(Mark.parse(column.info["sg"]).data_type, type_)(value))
