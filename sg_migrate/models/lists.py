"""Lists of links from one record to others.

This file needs SQLAlchemy and the files beside it alone: scripts that ``sg-migrate models`` writes contain it.
"""

from collections import abc
from typing import Any, overload

from sqlalchemy import ColumnElement, Table, and_, exists, inspect
from sqlalchemy.orm import join, object_session
from sqlalchemy.orm.attributes import flag_dirty
from sqlalchemy.orm.exc import DetachedInstanceError

from sg_migrate.models.fetching import Key, fill_lists, in_session
from sg_migrate.models.links import Link
from sg_migrate.models.records import R, Record, ToRecords, held_by


class Links(ToRecords[R]):
    """A field that leads to several records: the rows of its link table.

    On a record it reads as a `LinkedRecords`; assigning an iterable of records replaces what it holds. On the class it
    is SQL: ``Shot.assets.contains(asset)``, ``Shot.assets.join(Asset)``.
    """

    is_list = True

    def __init__(self, table_name: str, types: str = "", pairs: abc.Mapping[str, str] | None = None) -> None:
        super().__init__(types, pairs)
        self.table_name = table_name

    @property
    def table(self) -> Table:
        """The link table."""
        table: Table = self.owner.metadata.tables[self.table_name]
        return table

    @overload
    def __get__(self, record: None, owner: type[Any]) -> "Links[R]": ...
    @overload
    def __get__(self, record: object, owner: type[Any]) -> "LinkedRecords[R]": ...
    def __get__(self, record: object | None, owner: type[Any]) -> "Links[R] | LinkedRecords[R]":
        if record is None:
            seen: Links[R] = self.seen_from(owner)
            return seen
        return self.of_record(record)

    def __set__(self, record: object, values: abc.Iterable[R]) -> None:
        self.of_record(record).replace(values)

    def of_record(self, record: object) -> "LinkedRecords[R]":
        """The list of a record, read or not."""
        held = held_by(record)
        if self.name not in held:
            held[self.name] = LinkedRecords(record, self)
        found: LinkedRecords[R] = held[self.name]
        return found

    def contains(self, other: Record) -> ColumnElement[bool]:
        """That it leads to a record, among others."""
        code, record_id = self.key_of(other)
        rows = self.table.alias()
        return exists().where(
            rows.c.owner_id == self.owner.id, rows.c.linked_type == code, rows.c.linked_id == record_id
        )  # fmt: skip

    def any(self, target: Any, *criteria: ColumnElement[bool]) -> ColumnElement[bool]:
        """That it leads to a record of ``target``, a class or an alias of one, that meets the criteria.

        Raises ``ValueError`` for the class that has the list: an alias of it tells the two ends apart.
        """
        if target is self.owner:
            raise ValueError(f"{self!r} leads from {target.__name__} to itself: ask for aliased({target.__name__})")
        rows = self.table.alias()
        found = exists().where(
            rows.c.owner_id == self.owner.id, rows.c.linked_type == target.__entity_type__,
            rows.c.linked_id == target.id, *criteria,
        )  # fmt: skip
        return found.correlate_except(rows, target)  # whatever else the query asks of the target

    def join(self, target: Any) -> Any:
        """The owners with the records of ``target`` that they lead to.

        ``select(Shot, Asset).select_from(Shot.assets.join(Asset))``
        """
        rows = self.table.alias()
        owners = join(self.owner, rows, rows.c.owner_id == self.owner.id)
        return join(
            owners, target, and_(rows.c.linked_type == target.__entity_type__, rows.c.linked_id == target.id)
        )  # fmt: skip


class LinkedRecords(abc.Sequence[R]):
    """The records that a list of links of one record leads to, in the order of their types and ids; none comes twice.

    It is read when it is first looked at: a query for the links, and one for each entity type among them. Links to
    missing records are not among the items, and stay in the warehouse.
    """

    def __init__(self, owner: Any, links: Links[R]) -> None:
        self._owner, self._links = owner, links
        self._now: dict[Key, R | None] | None = None
        self._before: set[Key] = set()

    @property
    def is_loaded(self) -> bool:
        """Whether it has been looked at."""
        return self._now is not None

    def held_keys(self) -> list[Key]:
        """The links themselves: entity types and ids."""
        return list(self._rows())

    def fill(self, rows: abc.Mapping[Key, R | None]) -> None:
        """Take what the database holds, unless something was changed here."""
        if not any(self.changes()):
            self._now, self._before = dict(rows), set(rows)

    def _rows(self) -> dict[Key, R | None]:
        if self._now is None:
            if inspect(self._owner).persistent:
                session = object_session(self._owner)
                assert session is not None
                fill_lists(session, [self._owner], self._links)
            elif inspect(self._owner).detached:
                raise DetachedInstanceError(f"{self._owner!r} is in no session: {self._links!r} cannot be read")
        if self._now is None:
            self._now = {}
        return self._now

    def _present(self) -> dict[Key, R]:
        """The links whose records are there: what was missing may be now, and what was there may be deleted."""
        session, classes = object_session(self._owner), self._owner.__classes__
        found = {}
        for key, record in self._rows().items():
            if record is None or inspect(record).was_deleted:
                record = in_session(session, classes.get(key[0]), key[1])
            if record is not None:
                found[key] = record
        return found

    def _items(self) -> list[R]:
        return list(self._present().values())

    def __iter__(self) -> abc.Iterator[R]:
        return iter(self._items())

    def __len__(self) -> int:
        return len(self._items())

    def __contains__(self, record: object) -> bool:
        return any(item is record for item in self._items())

    @overload
    def __getitem__(self, index: int) -> R: ...
    @overload
    def __getitem__(self, index: slice) -> list[R]: ...
    def __getitem__(self, index: int | slice) -> R | list[R]:
        return self._items()[index]

    def __eq__(self, other: object) -> bool:
        return isinstance(other, (list, tuple, LinkedRecords)) and self._items() == list(other)

    __hash__ = object.__hash__

    def __repr__(self) -> str:
        return repr(self._items())

    def append(self, record: R) -> None:
        """Add a record, unless it is there."""
        key = self._links.key_of(record)
        self._links.allow(key[0])
        rows, other = self._rows(), self._links.other_end(key[0])
        if isinstance(other, Link):
            other.__set__(record, self._owner)
        rows[key] = record
        self._after_change()

    def extend(self, records: abc.Iterable[R]) -> None:
        """Add records."""
        for record in records:
            self.append(record)

    def remove(self, record: R) -> None:
        """Take a record out. Raises ``ValueError`` where it is not there."""
        key = self._links.key_of(record)
        if key not in self._rows():
            raise ValueError(f"{record!r} is not in {self._links!r} of {self._owner!r}")
        del self._rows()[key]
        self._after_change()
        other = self._links.other_end(key[0])
        if isinstance(other, Link) and other.key(record) == self._links.key_of(self._owner):
            other.__set__(record, None)

    def replace(self, records: abc.Iterable[R]) -> None:
        """Hold these records and no others."""
        wanted = {self._links.key_of(record): record for record in records}
        self._allow(wanted)
        self.clear(but=wanted)
        self.extend(wanted.values())

    def replace_keys(self, keys: abc.Iterable[Key]) -> None:
        """Hold the links with these entity types and ids and no others, whether their records are there or not."""
        wanted = sorted(keys)
        self._allow(wanted)
        self.clear(but=wanted)
        self._rows().update({key: None for key in wanted if key not in self._rows()})
        self._after_change()

    def _allow(self, keys: abc.Iterable[Key]) -> None:
        for code, _ in keys:
            self._links.allow(code)

    def clear(self, but: abc.Iterable[Key] = ()) -> None:
        """Take every record out, the links to missing ones too."""
        kept = set(but)
        for key, record in self._present().items():
            if key not in kept:
                self.remove(record)
        for key in self._rows().keys() - kept:
            del self._rows()[key]
        self._after_change()

    def _after_change(self) -> None:
        if inspect(self._owner).persistent:
            flag_dirty(self._owner)

    def changes(self) -> tuple[set[Key], set[Key]]:
        """What was added and removed since it was read or flushed."""
        now = set(self._now or ())
        return now - self._before, self._before - now

    def saved(self) -> None:
        """The database holds now what this does."""
        self._before = set(self._now or ())
