"""Records of the warehouse as objects, and the links between them.

This file needs SQLAlchemy and the files beside it alone: scripts that ``sg-migrate models`` writes contain it.
"""

from collections import abc
from typing import Any, ClassVar, Generic, TypeVar, overload

from sqlalchemy import ColumnElement, Table, and_, exists, false, inspect, not_, or_
from sqlalchemy.orm import DeclarativeBase, Session, join, object_session
from sqlalchemy.orm.attributes import flag_dirty
from sqlalchemy.orm.exc import DetachedInstanceError

from sg_migrate.models.fetching import Key, fill_lists, in_session

R = TypeVar("R", bound="Record")


class Record:
    """One record of the site in the warehouse; every class of a set inherits it.

    The names of columns, links and lists are the field codes of the site, with a trailing underscore where Python,
    SQLAlchemy or this class has taken the name (``metadata_``).
    """

    __entity_type__: ClassVar[str] = ""
    __classes__: ClassVar[dict[str, type[Any]]]
    """The classes of the set, by entity type."""
    __links__: ClassVar[dict[str, "Link[Any]"]] = {}
    __lists__: ClassVar[dict[str, "Links[Any]"]] = {}

    def __init_subclass__(cls, **arguments: Any) -> None:
        super().__init_subclass__(**arguments)
        if DeclarativeBase in cls.__bases__:
            cls.__classes__ = {}
        elif cls.__entity_type__:
            cls.__classes__[cls.__entity_type__] = cls
            cls.__links__ = {name: link for name, link in vars(cls).items() if isinstance(link, Link)}
            cls.__lists__ = {name: links for name, links in vars(cls).items() if isinstance(links, Links)}

    def as_dict(self) -> dict[str, Any]:
        """What is loaded of the record, in the form of ShotGrid's API: links are ``{"type": ..., "id": ...}``.

        It never asks the database: what is not loaded (deferred, expired, a list that nobody has read) is left out.
        """
        loaded = vars(self)
        columns = {column for link in self.__links__.values() for column in link.columns}
        found: dict[str, Any] = {"type": self.__entity_type__}
        for attribute in inspect(type(self)).column_attrs:
            if attribute.key in loaded and attribute.key not in columns:
                found[attribute.key] = loaded[attribute.key]
        for name, link in self.__links__.items():
            if all(column in loaded for column in link.columns):
                found[name] = _as_dict(link.key(self))
        for name, held in held_by(self).items():
            if isinstance(held, LinkedRecords) and held.is_loaded:
                found[name] = [_as_dict(key) for key in held.held_keys()]
        return found

    def __repr__(self) -> str:
        loaded = vars(self)
        words = [type(self).__name__, str(loaded.get("id", "?"))]
        words += [repr(loaded[name]) for name in ("code", "name", "content", "title") if loaded.get(name)][:1]
        return f"<{' '.join(words)}>"


def _as_dict(key: Key | None) -> dict[str, Any] | None:
    return {"type": key[0], "id": key[1]} if key else None


def held_by(record: Any) -> dict[str, Any]:
    """The objects that a record's links have led to so far; SQLAlchemy's own map forgets what nobody else holds."""
    held: dict[str, Any] = vars(record).setdefault("_held", {})
    return held


class _ToRecords(Generic[R]):
    """What a link and a list of links have in common: whose they are and where they lead."""

    owner: type[Any]
    name: str

    def __init__(self, types: str, pairs: abc.Mapping[str, str] | None) -> None:
        self.types = tuple(types.split())
        self.pairs = dict(pairs or {})

    def __set_name__(self, owner: type[Any], name: str) -> None:
        self.owner, self.name = owner, name

    def __repr__(self) -> str:
        return f"{self.owner.__name__}.{self.name}"

    def __reduce__(self) -> Any:
        """Pickled as what it is called: it belongs to its class."""
        return getattr, (self.owner, self.name)

    def allow(self, entity_type: str) -> None:
        """Refuse an entity type, by raising: for whoever asks for that; otherwise anything goes."""

    def seen_from(self, owner: Any) -> Any:
        """The same of an alias of its class."""
        if owner is self.owner:
            return self
        other = object.__new__(type(self))
        vars(other).update(vars(self), owner=owner)
        return other

    def key_of(self, record: Any) -> Key:
        """What a record is called in a link. Raises ``ValueError`` where it has no id, ``TypeError`` for no record."""
        code = getattr(record, "__entity_type__", "")
        if not code:
            raise TypeError(f"{self!r} leads to records: {record!r} is none")
        identity = inspect(record).identity  # which an expired record has too
        record_id = identity[0] if identity else record.id
        if record_id is None:
            raise ValueError(f"{self!r}: {record!r} has no id; ids are the site's, and must be set")
        return code, record_id

    def other_end(self, code: str) -> "Link[Any] | Links[Any] | None":
        """The field of an entity type that says the same from the other side, if the site has one."""
        name = self.pairs.get(code)
        other = self.owner.__classes__.get(code)
        return vars(other).get(name) if name and other else None


class Link(_ToRecords[R]):
    """A field that leads to one record: two columns, its id and its entity type.

    On a record it reads as the object, by way of the session's own map, and ``None`` for null, for an entity type that
    is not there and for a record that is missing. Assigning sets both columns; the session is asked for nothing then,
    and what is new has to be added to it. On the class it is SQL: ``Task.entity == shot``, ``Task.entity.of(Shot)``.
    """

    def __init__(
        self, id_column: str, type_column: str = "", types: str = "", pairs: abc.Mapping[str, str] | None = None
    ) -> None:
        """Columns are named by their attributes; a link without ``type_column`` leads to the one of ``types``."""
        super().__init__(types, pairs)
        self.id_column, self.type_column = id_column, type_column
        self.columns = (id_column, type_column) if type_column else (id_column,)

    @overload
    def __get__(self, record: None, owner: type[Any]) -> "Link[R]": ...
    @overload
    def __get__(self, record: object, owner: type[Any]) -> R | None: ...
    def __get__(self, record: object | None, owner: type[Any]) -> "Link[R] | R | None":
        if record is None:
            seen: Link[R] = self.seen_from(owner)
            return seen
        key = self.key(record)
        cls = self.owner.__classes__.get(key[0]) if key else None
        if key is None or cls is None:
            return None
        session = object_session(record)
        held_key, found = held_by(record).get(self.name, (None, None))
        if held_key == key and (found is None or _is_current(found, session)):
            present: R | None = found or in_session(session, cls, key[1])
            return present
        if session is None:
            raise DetachedInstanceError(f"{record!r} is in no session: {self!r} cannot be read")
        found = session.get(cls, key[1])
        self.hold(record, key, found)
        return found

    def __set__(self, record: object, value: R | None) -> None:
        if value is None:
            self.set_key(record, None)
            return
        key = self.key_of(value)
        self.set_key(record, key)
        self.hold(record, key, value)

    def key(self, record: Any) -> Key | None:
        """What the columns of a record say."""
        record_id = getattr(record, self.id_column)
        code = getattr(record, self.type_column) if self.type_column else self.types[0]
        return None if record_id is None or code is None else (code, record_id)

    def set_key(self, record: Any, key: Key | None) -> None:
        """Set the columns of a record. Raises ``TypeError`` for an entity type that they have no place for."""
        if key is not None:
            self.allow(key[0])
            if not self.type_column and key[0] not in self.types:
                raise TypeError(f"{self!r} leads to {', '.join(self.types)}, not to {key[0]}")
        for column, part in zip(self.columns, (key[1], key[0]) if key else (None, None), strict=False):
            setattr(record, column, part)

    def hold(self, record: Any, key: Key, found: R | None) -> None:
        """Keep what the link of a record has led to."""
        held_by(record)[self.name] = (key, found)

    def _parts(self) -> tuple[Any, Any]:
        """The columns of id and type, in SQL."""
        return getattr(self.owner, self.id_column), getattr(self.owner, self.type_column) if self.type_column else None

    def of(self, target: Any) -> ColumnElement[bool]:
        """That it leads to the record of ``target``, a class or an alias of one: what a join is on.

        ``select(Task, Shot).join(Shot, Task.entity.of(Shot))``
        """
        return self._is(target.__entity_type__, target.id)

    def _is(self, code: str, record_id: Any) -> ColumnElement[bool]:
        id_column, type_column = self._parts()
        if type_column is None:
            same: ColumnElement[bool] = id_column == record_id
            return same if code in self.types else false()
        return and_(type_column == code, id_column == record_id)

    def __eq__(self, other: object) -> ColumnElement[bool]:  # type: ignore[override]  # it is SQL, as a column's
        if other is None:
            return self.is_(None)
        code, record_id = self.key_of(other)
        return self._is(code, record_id)

    def __ne__(self, other: object) -> ColumnElement[bool]:  # type: ignore[override]  # likewise
        if other is None:
            return not_(self.is_(None))
        return or_(self.is_(None), not_(self == other))

    __hash__ = object.__hash__

    def is_(self, other: None) -> ColumnElement[bool]:
        """That it leads nowhere."""
        id_column, type_column = self._parts()
        empty: ColumnElement[bool] = id_column.is_(None)
        return empty if type_column is None else or_(empty, type_column.is_(None))

    def in_(self, others: abc.Iterable[Record]) -> ColumnElement[bool]:
        """That it leads to one of these records."""
        ids: dict[str, list[int]] = {}
        for other in others:
            code, record_id = self.key_of(other)
            ids.setdefault(code, []).append(record_id)
        id_column, type_column = self._parts()
        terms = [
            id_column.in_(found) if type_column is None else and_(type_column == code, id_column.in_(found))
            for code, found in sorted(ids.items())
            if type_column is not None or code in self.types
        ]
        return or_(false(), *terms)


class Links(_ToRecords[R]):
    """A field that leads to several records: the rows of its link table.

    On a record it reads as a `LinkedRecords`; assigning an iterable of records replaces what it holds. On the class it
    is SQL: ``Shot.assets.contains(asset)``, ``Shot.assets.join(Asset)``.
    """

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
        held = held_by(record)
        if self.name not in held:
            held[self.name] = LinkedRecords(record, self)
        found: LinkedRecords[R] = held[self.name]
        return found

    def __set__(self, record: Any, values: abc.Iterable[R]) -> None:
        self.__get__(record, type(record)).replace(values)

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


def _is_current(found: Any, session: Session | None) -> bool:
    """Whether an object that was held is still the one that the session would give."""
    state = inspect(found)
    return not (state.deleted or state.detached) and (session is None or state.session in (session, None))
