"""The only place that reads a site's schema from outside: files here, live connections in ``live``."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any, TypeVar

from sg_migrate.errors import SourceError
from sg_migrate.site.documents import decode, is_snapshot, parse_json
from sg_migrate.site.formats import Recognised, entity_listing, recognise, recognise_rest
from sg_migrate.site.ledger import read_ledger
from sg_migrate.site.live import connect_from_environment, read_site
from sg_migrate.site.loaded import Loaded, loaded
from sg_migrate.site.pickles import is_pickle, load_pickle
from sg_migrate.site.raw import RawSite
from sg_migrate.site.validation import Unreadable

__all__ = ["Loaded", "connect_from_environment", "load_schema", "parse", "read_site"]

_T = TypeVar("_T")


def load_schema(path: str | Path, *, entities: str | Path | None = None) -> Loaded:
    """Read a schema from a file, or from a folder of REST answers or Mockgun's two pickles.

    Args:
        path: any of the formats of the manual; which one is told by the content, not by the name.
        entities: a second file with the answer of ``schema_entity_read()`` (JSON or pickle), if there is one.

    Returns:
        The schema in canonical form and the recognised format in words. Of a snapshot, what is active.

    Raises:
        SourceError: naming the file, the place and what to do. Nothing is ever written or executed.
    """
    path = Path(path)
    if path.is_dir():
        return _guard(str(path), lambda: _load_folder(path))
    document, pickled = _document(path)
    listing = _guard(str(entities), lambda: entity_listing(_document(Path(entities))[0])) if entities else {}
    return _guard(str(path), lambda: _loaded(document, listing, str(path), pickled=pickled))


def parse(text: str, source_name: str) -> Loaded:
    """Read a schema from JSON text; as `load_schema`, with ``source_name`` standing for the file in messages."""
    return _guard(source_name, lambda: _loaded(parse_json(text, source_name), {}, source_name, pickled=False))


def _guard(source: str, read: Callable[[], _T]) -> _T:
    try:
        return read()
    except Unreadable as error:
        raise SourceError(source, error.problem, error.remedy) from None
    except OSError as error:
        raise SourceError(source, f"cannot be read ({error.strerror or error}).") from None


def _document(path: Path) -> tuple[Any, bool]:
    """The plain data of a file, and whether it came out of a pickle."""

    def read() -> tuple[Any, bool]:
        data = path.read_bytes()
        if is_pickle(data):
            return load_pickle(data), True
        return parse_json(decode(data), str(path)), False

    return _guard(str(path), read)


def _loaded(document: Any, listing: Any, source: str, *, pickled: bool) -> Loaded:
    if is_snapshot(document):
        if listing:
            raise Unreadable("", "a snapshot needs no second file with entity types.")
        return Loaded.from_ledger(read_ledger(document, source))
    recognised = recognise(document)
    words = recognised.format.replace("JSON", "pickle") if pickled else recognised.format
    if not listing:
        return loaded(Recognised(recognised.raw, words))
    raw = RawSite(recognised.raw.fields, {**recognised.raw.entities, **listing})
    return loaded(Recognised(raw, words + " with schema_entity_read()"))


def _load_folder(folder: Path) -> Loaded:
    if (folder / "schema.pickle").is_file():
        listing = folder / "schema_entity.pickle"
        return load_schema(folder / "schema.pickle", entities=listing if listing.is_file() else None)
    paths = sorted(folder.rglob("*.json"))
    if not paths:
        raise Unreadable("", "a folder without schema files.", "Expected *.json of the REST API, or schema.pickle.")
    return loaded(recognise_rest((path.stem, _document(path)[0]) for path in paths))
