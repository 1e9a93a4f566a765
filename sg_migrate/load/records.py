"""Records as an iterator of typed rows, for programs that want them without a warehouse."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from typing import Any

from sg_migrate.load.pages import beyond, highest
from sg_migrate.load.pool import Filters, Pool
from sg_migrate.load.values import Reject, converter, json_value, link, links
from sg_migrate.site.schema import Field
from sg_migrate.warehouse.mapping import columns_for


def records(
    pool: Pool, entity_type: str, fields: Sequence[str], filters: Filters = (), *, retired: bool = False
) -> Iterator[dict[str, Any]]:
    """The records of an entity type in the order of their ids, page by page; memory does not grow with their number.

    Args:
        pool: the site. Its schema is read first, by two requests.
        entity_type: their type.
        fields: the fields wanted; those that the site does not have are left out.
        filters: as the client's ``find`` takes them.
        retired: those in the trash instead of the active ones.

    Yields:
        ``id`` and the fields: moments in UTC with their zone, days, decimals, ``(type, id)`` for a link and a list of
        them for a list of links. ``None`` where the site has no value, or one that is not of the field's data type.

    Raises:
        RefusedError: the site does not have the entity type, or not for these credentials.
        LoginRefusedError, UnreachableError: as `Pool.find`.
    """
    on_site = pool.schema().schema.entity_types.get(entity_type)
    known = {code: on_site.fields[code] for code in fields if code in on_site.fields} if on_site else {}
    converters = {code: _converter(field) for code, field in known.items()}
    last = 0
    while True:
        page = pool.find(entity_type, [*filters, ["id", "greater_than", last]], list(known), retired=retired)
        for record in page:
            yield {"id": record["id"], **{code: _value(record.get(code), of) for code, of in converters.items()}}
        if len(page) < pool.page_size:
            return
        last = beyond(highest(page, last), last, entity_type)


def _converter(field: Field) -> Callable[[Any], Any]:
    target = columns_for(field)
    if target == "link":
        return lambda value: link(value)[::-1]
    if target == "links":
        return lambda value: sorted(links(value)[0])
    return converter(field.data_type, target) if target is not None else json_value


def _value(value: Any, convert: Callable[[Any], Any]) -> Any:
    try:
        return None if value is None else convert(value)
    except Reject:
        return None
