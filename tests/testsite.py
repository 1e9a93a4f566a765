"""A ShotGrid site for tests: a local HTTP server that speaks the JSON protocol of the unmodified client.

with LocalSite(schema) as site:
    connection = shotgun_api3.Shotgun(site.url, script_name=site.script, api_key=site.api_key)
    connection.schema_read()
    site.schema = another_schema
    site.misbehave("html", method="schema_read")
    assert site.requests["schema_read"] == 1

It is the demo's site with more to it: logins, faults, latency, permissions, and `People`, who edit it.
"""

from __future__ import annotations

import json
import threading
import time
from collections import Counter
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from types import TracebackType
from typing import Any, Literal, TypeAlias

from sg_migrate.demo import server
from sg_migrate.demo.records import Fault, Raw
from sg_migrate.demo.server import raw_schema
from sg_migrate.site.schema import SiteSchema

__all__ = ["Handler", "LocalSite", "Misbehaviour", "raw_schema"]

Misbehaviour: TypeAlias = Literal["html", "unavailable", "forbidden", "truncated", "nonsense", "drop", "slow"]

_HTML = b"<html><body><h1>Please log in to the proxy</h1></body></html>"
_STATUS = {"unavailable": 503, "forbidden": 403}
_FAULTS = {"login": 102, "two_factor": 106, "single_sign_on": 108}


@dataclass
class Failure:
    """An answer that goes wrong so many times: a kind of misbehaviour, or an HTTP status."""

    how: Misbehaviour | int
    times: int
    headers: Mapping[str, str]


class LocalSite(server.LocalSite):
    """A running site on 127.0.0.1; a context manager.

    ``script``/``api_key``, ``login``/``password`` and ``session_token`` are what it accepts. ``requests`` counts the
    calls by method. ``password_fault`` names a kind of refusal for password logins. ``hidden`` are entity types and
    fields (``Shot``, ``Shot.code``) that its key may not see; ``latency`` is waited for before each answer.
    """

    login = "producer"
    password = "a-password-that-must-stay-secret"
    session_token = "a-token-that-must-stay-secret"

    def __init__(self, schema: SiteSchema | Mapping[str, Any] | None = None) -> None:
        super().__init__(schema)
        self.requests: Counter[str] = Counter()
        self.reads: list[Raw] = []
        """The parameters of every ``read``, in order."""
        self.password_fault: Literal["login", "two_factor", "single_sign_on"] | None = None
        self.latency = 0.0
        self.hidden: set[str] = set()
        self.before_read: Callable[[Raw], object] = lambda params: None
        """Called before each ``read`` is answered: people at work between two pages."""
        self.spoil: Callable[[list[Raw]], list[Raw]] | None = None
        """Makes something else of the records of a ``read``."""
        self._misbehaviour: tuple[Misbehaviour, str | None] | None = None
        self._failures: list[tuple[str, Failure]] = []
        self._stopping = threading.Event()
        self.lock = threading.RLock()

    keeps_alive = False
    """Whether a connection is used again, as a real site's is; who does not close it gets a warning then."""

    def handler(self) -> type[Handler]:
        protocol = "HTTP/1.1" if self.keeps_alive else "HTTP/1.0"
        return type("BoundHandler", (Handler,), {"site": self, "protocol_version": protocol})

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        self._stopping.set()
        super().__exit__(kind, error, at)

    def misbehave(self, how: Misbehaviour | None, method: str | None = None) -> None:
        """Answer badly from now on (to one method only, if given); ``None`` ends it."""
        self._misbehaviour = (how, method) if how else None

    def fail(self, how: Misbehaviour | int, times: int, method: str = "read", **headers: str) -> None:
        """Answer badly so many times, with a kind of misbehaviour or an HTTP status, and then well again."""
        self._failures.append((method, Failure(how, times, headers)))

    def misbehaviour(self, method: str) -> Misbehaviour | Failure | None:
        """How to treat a call of ``method`` now."""
        with self.lock:
            for name, failure in self._failures:
                if name == method and failure.times:
                    failure.times -= 1
                    return failure
        if self._misbehaviour and self._misbehaviour[1] in (None, method):
            return self._misbehaviour[0]
        return None

    def wait(self) -> None:
        """Be slow: until the site stops, or for longer than any test's timeout."""
        self._stopping.wait(30)

    def answer(self, method: str, params: list[Any]) -> Raw:
        self.requests[method] += 1
        with self.lock:
            return super().answer(method, params)

    def refusal(self, auth: Mapping[str, Any]) -> Raw | None:
        if "session_token" in auth:
            fault = None if auth["session_token"] == self.session_token else "login"
            message = "Session has expired or is not valid"
        elif "user_login" in auth:
            right = (auth["user_login"], auth["user_password"]) == (self.login, self.password)
            fault = self.password_fault if right else "login"
            message = f"Can't authenticate user '{auth['user_login']}'"
        else:
            return super().refusal(auth)
        return {"exception": True, "error_code": _FAULTS[fault], "message": message} if fault else None

    def results(self, method: str, params: Mapping[str, Any]) -> Any:
        if method == "read":
            self.reads.append(dict(params))
            self.before_read(dict(params))
        if method in ("read", "summarize") and params["type"] in self.hidden:
            raise Fault(f"API {method}() {params['type']}: permission denied")
        found = super().results(method, params)
        if method == "read" and self.spoil is not None:
            found["entities"] = self.spoil(found["entities"])
        return found

    @property
    def schema(self) -> tuple[Raw, Raw]:
        fields, entities = self._schema
        hidden = self.hidden if hasattr(self, "hidden") else set()
        shown = {
            code: {name: raw for name, raw in of.items() if f"{code}.{name}" not in hidden}
            for code, of in fields.items()
        }
        return shown if hidden else fields, entities

    @schema.setter
    def schema(self, schema: SiteSchema | Mapping[str, Any]) -> None:
        server.LocalSite.schema.fset(self, schema)  # type: ignore[attr-defined]


class Handler(server.Handler):
    """Takes the calls of one site, and treats some of them badly."""

    site: LocalSite

    def reply(self, method: str, params: list[Any]) -> None:
        if self.site.latency:
            time.sleep(self.site.latency)
        body = json.dumps(self.site.answer(method, params)).encode()
        misbehaviour = self.site.misbehaviour(method)
        if misbehaviour is None:
            self.send(200, body, "application/json")
        elif isinstance(misbehaviour, Failure) and isinstance(misbehaviour.how, int):
            self.send(misbehaviour.how, _HTML, "text/html", **misbehaviour.headers)
        else:
            self._misbehave(misbehaviour.how if isinstance(misbehaviour, Failure) else misbehaviour, body)

    def _misbehave(self, how: Misbehaviour | int, body: bytes) -> None:
        if how == "drop":
            self.close_connection = True
        elif how == "slow":
            self.site.wait()
            self.close_connection = True
        elif how == "html":
            self.send(200, _HTML, "text/html; charset=utf-8")
        elif how == "truncated":
            self.send(200, body[: len(body) // 2], "application/json")
        elif how == "nonsense":
            self.send(200, b"[" * 10_000 + b"]" * 10_000, "application/json")
        else:
            self.send(_STATUS[str(how)], _HTML, "text/html")
