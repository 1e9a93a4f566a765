"""Many threads reading one site: a client for each, and one way to try again."""

from __future__ import annotations

import http.client
import threading
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from functools import cached_property
from operator import methodcaller
from types import SimpleNamespace, TracebackType
from typing import TYPE_CHECKING, Any, TypeAlias, TypeVar
from xmlrpc.client import ProtocolError

from sg_migrate.errors import UnreachableError
from sg_migrate.site.live import call, connect_from_environment, connection_host, read_site
from sg_migrate.site.loaded import Loaded

if TYPE_CHECKING:
    from tenacity import RetryCallState
    from typing_extensions import Self

Record: TypeAlias = "dict[str, Any]"
Filters: TypeAlias = "Sequence[Any]"
_T = TypeVar("_T")

PAGE_SIZE = 500
"""Records of one page where the site does not say how many it gives."""
ATTEMPTS = 8
FIRST_ATTEMPTS = 3
"""As long as the site has never answered: its address may be wrong."""
_PASSING = {408, 425, 429, *range(500, 600)}
"""HTTP statuses of a site that is busy or being mended."""
_LONGEST = 60.0
"""Seconds to wait at most before another attempt, but for what the site asks for."""


class Pool:
    """One site for many threads: shotgun_api3's client is not for several, so each has its own.

    What passes is tried again, with waits that grow: 408, 425, 429 and 5xx, no answer in time, a connection that broke,
    an answer that is cut off. Retry-After is honoured. What the site refuses is not tried again.

    Args:
        connect: makes a `sg_migrate.site.client.RecordClient`; without one, of the environment's credentials.
        jobs: how many threads `submit` has.
        wait: seconds before the second attempt.
    """

    def __init__(self, connect: Callable[[], Any] | None = None, jobs: int = 4, *, wait: float = 0.5) -> None:
        self._connect = connect or _from_environment
        self._wait = wait
        self._threads = ThreadPoolExecutor(jobs, thread_name_prefix="site")
        self._local = threading.local()
        self._lock = threading.Lock()
        self._answered = False
        self._clients: list[Any] = []
        self.jobs = jobs
        self.requests: Counter[str] = Counter()
        """The requests so far, by method; those that were tried again count again."""

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        self._threads.shutdown(cancel_futures=True)
        for client in self._clients:
            client.close()

    def submit(self, work: Callable[..., _T], *arguments: Any) -> Future[_T]:
        """Have one of the threads do some work with this pool."""
        return self._threads.submit(work, *arguments)

    @cached_property
    def page_size(self) -> int:
        """How many records the site gives at most at once."""
        size = self._call("info", lambda client: client.server_info.get("api_max_entities_per_page"))
        return int(size or PAGE_SIZE)

    def schema(self) -> Loaded:
        """The site's schema, by two requests. Raises as `sg_migrate.site.live.read_site`."""
        client = self._client()
        assert self.page_size > 0  # asked first: the clients of the threads learn from this one what the site can do
        names = ("schema_read", "schema_entity_read")
        answers = {name: self.submit(self._call, name, methodcaller(name)).result for name in names}
        return read_site(SimpleNamespace(**answers), connection_host(client))

    def find(
        self,
        entity_type: str,
        filters: Filters,
        fields: Sequence[str],
        *,
        retired: bool = False,
        newest_first: str = "",
        limit: int = 0,
    ) -> list[Record]:
        """One page of records, in the order of their ids, as the site sends them; archived projects' too.

        Args:
            entity_type: their type.
            filters: as the client's ``find`` takes them.
            fields: the fields wanted; unknown ones are not in the answer.
            retired: whether to read those in the trash.
            newest_first: the field by which to take the highest instead of the lowest.
            limit: how many at most; a page where left out.

        Raises:
            RefusedError: the site reports a fault: the type is not there, or not for these credentials.
            LoginRefusedError: the credentials are refused.
            UnreachableError: it does not answer as ShotGrid does, after all attempts.
        """
        order = [{"field_name": newest_first or "id", "direction": "desc" if newest_first else "asc"}]
        limit = limit or self.page_size

        def read(client: Any) -> Any:
            return client.find(entity_type, list(filters), list(fields), order, retired_only=retired, limit=limit)

        return _records(self._call("read", read), entity_type)

    def data_types(self, entity_type: str) -> dict[str, str]:
        """The data types of an entity type's fields now. Raises as `find`."""
        found = self._call("schema_field_read", lambda client: client.schema_field_read(entity_type))
        return {code: raw["data_type"]["value"] for code, raw in found.items()}

    def count(self, entity_type: str, filters: Filters, by: str = "") -> tuple[int, Mapping[Any, int]]:
        """How many active records there are, and how many for each value of the field ``by``; links by their id."""
        grouping = [{"field": by, "type": "exact", "direction": "asc"}] if by else None
        fields = [{"field": "id", "type": "count"}]
        found = self._call(
            "summarize", lambda client: client.summarize(entity_type, list(filters), fields, grouping=grouping)
        )
        groups = {_key(group["group_value"]): int(group["summaries"]["id"]) for group in found.get("groups") or ()}
        return int(found["summaries"]["id"]), groups

    def _call(self, method: str, read: Callable[[Any], _T]) -> _T:
        """Let this thread's client read, again and again where what fails may pass."""
        from tenacity import Retrying, retry_if_exception, stop_after_attempt

        client = self._client()

        def counted() -> _T:
            with self._lock:
                self.requests[method] += 1
            answer = read(client)
            self._answered = True
            return answer

        attempts = ATTEMPTS if self._answered else FIRST_ATTEMPTS
        retrying = Retrying(
            stop=stop_after_attempt(attempts), retry=retry_if_exception(_may_pass), wait=self._pause, reraise=True
        )
        found: _T = call(connection_host(client) or "the site", client, lambda: retrying(counted))
        return found

    def _client(self) -> Any:
        if not hasattr(self._local, "client"):
            client = self._connect()
            with self._lock:
                if self._clients and self._answered:
                    client.learn_from(self._clients[0])
                self._clients.append(client)
            self._local.client = client
        return self._local.client

    def _pause(self, state: RetryCallState) -> float:
        """Seconds until the next attempt: what the site asks for, or twice as long as the last, and by chance more."""
        import random

        error = state.outcome.exception() if state.outcome else None
        asked = str(getattr(error, "headers", {}).get("retry-after", "")) if isinstance(error, ProtocolError) else ""
        grown = min(self._wait * 2 ** (state.attempt_number - 1), _LONGEST)
        longest: float = max(float(asked) if asked.isdigit() else 0.0, grown)
        return longest * random.uniform(1, 1.25)


def _from_environment() -> Any:
    from sg_migrate.site.client import RecordClient

    return connect_from_environment(client=RecordClient)


def _may_pass(error: BaseException) -> bool:
    """Whether another attempt may succeed."""
    from shotgun_api3.lib.httplib2 import HttpLib2Error
    from shotgun_api3.shotgun import ShotgunError

    if isinstance(error, ProtocolError):
        return error.errcode in _PASSING
    if isinstance(error, ShotgunError):
        return False
    broken = (OSError, HttpLib2Error, http.client.HTTPException, EOFError)
    return isinstance(error, broken) or (isinstance(error, ValueError) and "JSON" in type(error).__name__)


def _records(found: Any, entity_type: str) -> list[Record]:
    if not isinstance(found, list) or not all(isinstance(record, dict) for record in found):
        raise UnreachableError("the site", f"sent something else than records of {entity_type}.", "Check SG_URL.")
    return found


def _key(value: Any) -> Any:
    return value.get("id") if isinstance(value, dict) else value
