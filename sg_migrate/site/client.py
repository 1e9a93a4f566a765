"""shotgun_api3's client for reading records: values exactly as the site sends them.

Everything private of the client that sg_migrate uses is here; tests/test_private.py names it. The client turns any text
that looks like a moment into a ``datetime``, ``&lt;`` into ``<``, and sleeps before it tries again: all of that is for
`sg_migrate.load` to decide.
"""

from __future__ import annotations

from typing import Any

import msgspec
from shotgun_api3.shotgun import Shotgun


class RecordClient(Shotgun):
    """A ``shotgun_api3.Shotgun`` that gives records as they come and never retries. Not for several threads."""

    MAX_ATTEMPTS = 1

    def learn_from(self, other: RecordClient) -> None:
        """Take over what another client of the same site has asked it about itself."""
        self._server_caps = other.server_caps

    def _transform_inbound(self, data: Any) -> Any:
        return data

    def _json_loads(self, body: Any) -> Any:
        try:
            return msgspec.json.decode(body)
        except msgspec.MsgspecError:  # of what is no strict JSON, such as half a surrogate pair
            return super()._json_loads(body)

    def _parse_records(self, records: Any) -> Any:
        return records
