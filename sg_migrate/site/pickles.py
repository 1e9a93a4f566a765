"""Mockgun's schema pickles, read without ever running anything that a pickle could ask for."""

from __future__ import annotations

import io
import pickle
import pickletools
import re
from typing import Any, NoReturn

from sg_migrate.site.validation import Unreadable, check_plain

_PLAIN_OPCODES = re.compile(
    r"""PROTO|FRAME|STOP|MARK|NONE|NEWTRUE|NEWFALSE
    |INT|BININT[12]?|LONG[14]?|(BIN)?FLOAT
    |(SHORT_)?(BIN)?STRING|(SHORT_)?(BIN)?UNICODE8?
    |(EMPTY_)?LIST|APPENDS?|(EMPTY_)?TUPLE|TUPLE[123]|(EMPTY_)?DICT|SETITEMS?
    |MEMOIZE|(LONG_)?(BIN)?(PUT|GET)""",
    re.VERBOSE,
)
"""All that dictionaries, lists, texts, numbers and None need; nothing that imports, builds or calls."""

_PICKLE = re.compile(rb"\x80[\x00-\x20]|\([dlcitp]|[\]}][q(.]|c[\w.]+\n\w+\n")
"""The mark of protocols 2 and later, or how the containers and calls of protocols 0 and 1 open."""

_MEMO_OPCODES = frozenset({"PUT", "BINPUT", "LONG_BINPUT"})
_REMEDY = "Only Mockgun's plain schema files are read; nothing in this one was run."
_BROKEN = (
    pickle.UnpicklingError,
    EOFError,
    ValueError,
    TypeError,
    LookupError,
    AttributeError,
    OverflowError,
    MemoryError,
    RecursionError,
)
"""What a truncated or malformed pickle of plain opcodes makes ``pickle`` raise."""


class _PlainUnpickler(pickle.Unpickler):
    """The second lock: even an opcode that slipped through finds nothing to import."""

    def find_class(self, module_name: str, global_name: str, /) -> NoReturn:
        raise Unreadable("", f"a pickle that asks for {module_name}.{global_name}.", _REMEDY)


def is_pickle(data: bytes) -> bool:
    """Whether ``data`` is a pickle rather than a text."""
    return _PICKLE.match(data) is not None


def load_pickle(data: bytes) -> Any:
    """The plain data in ``data``; raises ``Unreadable`` if it is broken or asks for more than that.

    The opcodes are read first, without executing any; only then are they run. Python 2's pickles work.
    """
    _check_opcodes(data)
    try:
        document = _PlainUnpickler(io.BytesIO(data), encoding="utf-8").load()
    except _BROKEN:
        raise Unreadable("", "a broken pickle.", "Write it again with Mockgun's generate_schema().") from None
    check_plain(document)
    return document


def _check_opcodes(data: bytes) -> None:
    try:
        for count, (opcode, argument, position) in enumerate(pickletools.genops(data)):
            if not _PLAIN_OPCODES.fullmatch(opcode.name):
                wish = f"{opcode.name} {argument}" if isinstance(argument, str) else opcode.name
                raise Unreadable(f"byte {position}", f"a pickle with more than plain data ({wish[:80]!r}).", _REMEDY)
            # A high memo index makes the unpickler allocate a table of that size.
            if opcode.name in _MEMO_OPCODES and isinstance(argument, int) and argument > count:
                raise Unreadable(f"byte {position}", "a pickle with an impossible memo index.", _REMEDY)
    except ValueError:
        raise Unreadable("", "a truncated or broken pickle.", "Write it again.") from None
