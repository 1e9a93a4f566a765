"""The records of a local site, and how it answers the client's ``read`` and ``summarize``.

Only what a reader of whole tables asks for: filters by id, time and equality, in the order of the ids. The form of
calls and answers is that of shotgun_api3's own source.
"""

from __future__ import annotations

from bisect import bisect_left, bisect_right, insort
from collections import defaultdict
from collections.abc import Iterator, Mapping
from itertools import islice
from typing import Any, TypeAlias

Raw: TypeAlias = "dict[str, Any]"

PAGE_SIZE = 500
"""What a site gives at most at once where it does not say otherwise."""


class Fault(Exception):
    """What the site refuses, in its own words."""


class Records:
    """The active and retired records of every entity type, by id."""

    def __init__(self) -> None:
        self.values: dict[str, dict[int, Raw]] = defaultdict(dict)
        self.ids: dict[tuple[str, bool], list[int]] = defaultdict(list)
        """By entity type and whether they are retired; sorted."""
        self.retired: set[tuple[str, int]] = set()

    def put(self, entity_type: str, record_id: int, values: Raw) -> None:
        """A new record."""
        self.values[entity_type][record_id] = {**values, "id": record_id}
        insort(self.ids[entity_type, False], record_id)

    def retire(self, entity_type: str, record_id: int) -> None:
        """Into the trash."""
        self.retired.add((entity_type, record_id))
        self.ids[entity_type, False].remove(record_id)
        insort(self.ids[entity_type, True], record_id)

    def revive(self, entity_type: str, record_id: int) -> None:
        """Out of the trash."""
        self.retired.discard((entity_type, record_id))
        self.ids[entity_type, True].remove(record_id)
        insort(self.ids[entity_type, False], record_id)

    def delete(self, entity_type: str, record_id: int) -> None:
        """Out of the trash, for ever."""
        self.ids[entity_type, (entity_type, record_id) in self.retired].remove(record_id)
        self.retired.discard((entity_type, record_id))
        del self.values[entity_type][record_id]

    def active(self, link: Any) -> bool:
        """Whether a link leads to an active record."""
        if not isinstance(link, dict) or not {"type", "id"} <= link.keys():
            return True  # nothing that could be looked up
        place = (link["type"], link["id"])
        return place not in self.retired and (place[0] not in self.values or place[1] in self.values[place[0]])

    def seen(self, entity_type: str, record_id: int, fields: Mapping[str, str], wanted: list[str]) -> Raw:
        """A record as a reader gets it: unknown fields are not there, links to the trash are empty.

        Args:
            entity_type: its type.
            record_id: its id.
            fields: the data types of the fields that there are.
            wanted: the fields that were asked for.
        """
        record = self.values[entity_type][record_id]
        found: Raw = {"type": entity_type, "id": record_id}
        for code in wanted:
            link, dot, path = code.partition(".")
            if dot and link in fields:
                found[code] = self._through(record.get(link), path)
            if code not in fields:
                continue
            value = record.get(code)
            if fields[code] == "entity" and isinstance(value, dict) and not self.active(value):
                value = None
            elif fields[code] in ("multi_entity", "addressing") and isinstance(value, list):
                value = [link for link in value if self.active(link)]
            elif value is None and fields[code] in ("multi_entity", "addressing", "tag_list"):
                value = []
            found[code] = value
        return found

    def _through(self, link: Any, path: str) -> Any:
        """What a field of the record that a link leads to holds: ``DisplayColumn.entity_type``."""
        entity_type, _, code = path.partition(".")
        if not isinstance(link, dict) or link["type"] != entity_type or not self.active(link):
            return None
        return self.values[entity_type].get(link["id"], {}).get(code)

    def read(self, params: Mapping[str, Any], fields: Mapping[str, str]) -> Raw:
        """The answer to ``read``: one page. Raises `Fault`."""
        size = min(params["paging"]["entities_per_page"], PAGE_SIZE)
        first = (params["paging"]["current_page"] - 1) * size
        found = self._matching(params, fields)
        page = list(islice(found, first, first + size))
        more = next(found, None) is not None
        entities = [self.seen(params["type"], record_id, fields, params["return_fields"]) for record_id in page]
        return {"entities": entities, "paging_info": {"has_next_page": more}}

    def summarize(self, params: Mapping[str, Any], fields: Mapping[str, str]) -> Raw:
        """The answer to ``summarize``: how many records, and by the first grouping. Raises `Fault`."""
        ids = list(self._matching(params, fields))
        groups = []
        for grouping in params.get("grouping", [])[:1]:
            counts: dict[Any, list[Any]] = {}
            for record_id in ids:
                link = self.seen(params["type"], record_id, fields, [grouping["field"]])[grouping["field"]]
                key = link.get("id") if isinstance(link, dict) else link
                counts.setdefault(key, [link, 0])[1] += 1
            groups = [
                {"group_name": str(key), "group_value": link, "summaries": {"id": count}}
                for key, (link, count) in counts.items()
            ]
        return {"summaries": {"id": len(ids)}, "groups": groups}

    def _matching(self, params: Mapping[str, Any], fields: Mapping[str, str]) -> Iterator[int]:
        """The ids that pass the filters, in order."""
        entity_type = params["type"]
        filters = params["filters"]
        ids = list(self._candidates(entity_type, filters, retired=params.get("return_only") == "retired"))
        sorts = params.get("sorts") or [{"field_name": "id", "direction": "asc"}]
        if sorts[0]["field_name"] != "id":
            key = sorts[0]["field_name"]
            ids.sort(key=lambda record_id: str(self.values[entity_type][record_id].get(key) or ""))
        if sorts[0]["direction"] == "desc":
            ids.reverse()
        return (record_id for record_id in ids if self._passes(entity_type, record_id, fields, filters))

    def _candidates(self, entity_type: str, filters: Mapping[str, Any], *, retired: bool) -> Iterator[int]:
        """The ids that a lower and an upper bound leave: a table of a million is not looked through for a page."""
        ids = self.ids[entity_type, retired]
        first, last = 0, len(ids)
        if filters["logical_operator"] == "and":
            for condition in filters["conditions"]:
                if condition.get("path") == "id" and condition["relation"] == "greater_than":
                    first = max(first, bisect_right(ids, condition["values"][0]))
                elif condition.get("path") == "id" and condition["relation"] == "less_than":
                    last = min(last, bisect_left(ids, condition["values"][0]))
                elif condition.get("path") == "id" and condition["relation"] == "in":
                    known = self.values[entity_type]
                    gone = self.retired
                    return (i for i in sorted(set(condition["values"])) if i in known
                            and ((entity_type, i) in gone) == retired)  # fmt: skip
        return islice(ids, first, last)

    def _passes(self, entity_type: str, record_id: int, fields: Mapping[str, str], filters: Mapping[str, Any]) -> bool:
        found = (
            self._passes(entity_type, record_id, fields, condition) if "conditions" in condition
            else self._meets(entity_type, record_id, fields, condition)
            for condition in filters["conditions"]
        )  # fmt: skip
        return all(found) if filters["logical_operator"] == "and" else any(found)

    def _meets(self, entity_type: str, record_id: int, fields: Mapping[str, str], condition: Mapping[str, Any]) -> bool:
        code, relation, values = condition["path"], condition["relation"], condition["values"]
        if code not in fields or fields[code] in ("summary", "calculated", "serializable", "url"):
            raise Fault(f"API read() {entity_type}.{code} cannot be filtered")
        value = self.seen(entity_type, record_id, fields, [code]).get(code)
        if relation in ("greater_than", "less_than"):
            if value is None:
                return False
            return bool(value > values[0] if relation == "greater_than" else value < values[0])
        wanted = [_same(one) for one in values]
        present = {_same(one) for one in value} if isinstance(value, list) else {_same(value)}
        is_empty_list = isinstance(value, list) and not value
        met = any(one in present for one in wanted) or (is_empty_list and None in wanted)
        return not met if relation in ("is_not", "not_in") else met


def _same(value: Any) -> Any:
    """What makes two values equal to the site: of a link its type and id."""
    if isinstance(value, dict):
        return (value.get("type"), value.get("id"))
    return value
