"""Links from one record to another.

This file needs SQLAlchemy and the files beside it alone: scripts that ``sg-migrate models`` writes contain it.
"""

from collections import abc
from typing import Any, overload

from sqlalchemy import ColumnElement, and_, false, inspect, not_, or_
from sqlalchemy.orm import Session, object_session
from sqlalchemy.orm.exc import DetachedInstanceError

from sg_migrate.models.fetching import Key, in_session
from sg_migrate.models.records import R, Record, ToRecords, held_by


class Link(ToRecords[R]):
    """A field that leads to one record: two columns, its id and its entity type.

    On a record it reads as the object, by way of the session's own map, and ``None`` for null, for an entity type that
    is not there and for a record that is missing. Assigning sets both columns; the session is asked for nothing then,
    and what is new has to be added to it. On the class it is SQL: ``Task.entity == shot``, ``Task.entity.of(Shot)``.
    """

    is_list = False

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


def _is_current(found: Any, session: Session | None) -> bool:
    """Whether an object that was held is still the one that the session would give."""
    state = inspect(found)
    return not (state.deleted or state.detached) and (session is None or state.session in (session, None))
