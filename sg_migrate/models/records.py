"""Records of the warehouse as objects.

This file needs SQLAlchemy and the files beside it alone: scripts that ``sg-migrate models`` writes contain it.
"""

from collections import abc
from typing import Any, ClassVar, Generic, TypeVar

from sqlalchemy import inspect
from sqlalchemy.orm import DeclarativeBase

from sg_migrate.models.fetching import Key


class Record:
    """One record of the site in the warehouse; every class of a set inherits it.

    The names of columns, links and lists are the field codes of the site, with a trailing underscore where Python,
    SQLAlchemy or this class has taken the name (``metadata_``).
    """

    __entity_type__: ClassVar[str] = ""
    __classes__: ClassVar[dict[str, type[Any]]]
    """The classes of the set, by entity type."""
    __links__: ClassVar[dict[str, Any]] = {}
    """Its links to one record, by attribute."""
    __lists__: ClassVar[dict[str, Any]] = {}
    """Its lists of links, by attribute."""

    def __init_subclass__(cls, **arguments: Any) -> None:
        super().__init_subclass__(**arguments)
        if DeclarativeBase in cls.__bases__:
            cls.__classes__ = {}
        elif cls.__entity_type__:
            cls.__classes__[cls.__entity_type__] = cls
            to_records = {name: to for name, to in vars(cls).items() if isinstance(to, ToRecords)}
            cls.__links__ = {name: to for name, to in to_records.items() if not to.is_list}
            cls.__lists__ = {name: to for name, to in to_records.items() if to.is_list}

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
        for name in self.__lists__:
            held = held_by(self).get(name)
            if held is not None and held.is_loaded:
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


R = TypeVar("R", bound=Record)


class ToRecords(Generic[R]):
    """What a link and a list of links have in common: whose they are and where they lead."""

    is_list: ClassVar[bool]
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

    def other_end(self, code: str) -> "ToRecords[Any] | None":
        """The field of an entity type that says the same from the other side, if the site has one."""
        name = self.pairs.get(code)
        other = self.owner.__classes__.get(code)
        return vars(other).get(name) if name and other else None
