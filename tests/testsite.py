"""A ShotGrid site for tests: a local HTTP server that speaks the JSON protocol of the unmodified client.

with LocalSite(schema) as site:
    connection = shotgun_api3.Shotgun(site.url, script_name=site.script, api_key=site.api_key)
    connection.schema_read()
    site.schema = another_schema
    site.misbehave("html", method="schema_read")
    assert site.requests["schema_read"] == 1
"""

from __future__ import annotations

import json
import threading
from collections import Counter
from collections.abc import Mapping
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from types import TracebackType
from typing import Any, Literal, TypeAlias

from sg_migrate.site.schema import EntityType, Field, SiteSchema

Raw: TypeAlias = "dict[str, Any]"
Misbehaviour: TypeAlias = Literal["html", "unavailable", "forbidden", "truncated", "nonsense", "drop", "slow"]

_HTML = b"<html><body><h1>Please log in to the proxy</h1></body></html>"
_STATUS = {"unavailable": 503, "forbidden": 403}
_FAULTS = {"login": 102, "two_factor": 106, "single_sign_on": 108}


def raw_schema(schema: SiteSchema) -> tuple[Raw, Raw]:
    """The active part of ``schema`` as ``schema_read()`` and ``schema_entity_read()`` return it."""
    present = [entity_type for entity_type in schema.entity_types.values() if entity_type.state == "active"]
    fields = {entity_type.code: _raw_fields(entity_type) for entity_type in present}
    entities = {
        entity_type.code: {"name": _pair(entity_type.name), "visible": _pair(entity_type.visible)}
        for entity_type in present
    }
    return fields, entities


def _raw_fields(entity_type: EntityType) -> Raw:
    return {code: _raw_field(field) for code, field in entity_type.fields.items() if field.state == "active"}


def _raw_field(field: Field) -> Raw:
    properties = {"default_value": _pair(field.default), "summary_default": _pair("none")}
    if field.valid_types or field.data_type in ("entity", "multi_entity"):
        properties["valid_types"] = _pair(list(field.valid_types))
    if field.valid_values or field.data_type in ("list", "status_list"):
        properties["valid_values"] = _pair(list(field.valid_values))
    properties |= {key: _pair(json.loads(text)) for key, text in field.properties}
    return {
        "name": _pair(field.name),
        "description": _pair(field.description),
        "entity_type": _pair(field.entity_type),
        "data_type": _pair(field.data_type),
        "editable": _pair(field.editable),
        "mandatory": _pair(field.mandatory),
        "unique": _pair(field.unique),
        "visible": _pair(field.visible),
        "properties": properties,
    }


def _pair(value: Any) -> Raw:
    return {"value": value, "editable": False}


class LocalSite:
    """A running site on 127.0.0.1; a context manager.

    ``script``/``api_key``, ``login``/``password`` and ``session_token`` are what it accepts. ``requests`` counts the
    calls by method. ``faults`` names a kind of refusal ("two_factor", "single_sign_on") for password logins.
    """

    script = "sg_migrate"
    api_key = "a-key-that-must-stay-secret"
    login = "producer"
    password = "a-password-that-must-stay-secret"
    session_token = "a-token-that-must-stay-secret"
    host = "127.0.0.1"

    def __init__(self, schema: SiteSchema | Mapping[str, Any] | None = None) -> None:
        self.requests: Counter[str] = Counter()
        self.password_fault: Literal["login", "two_factor", "single_sign_on"] | None = None
        self.version = [8, 80, 0]
        self._misbehaviour: tuple[Misbehaviour, str | None] | None = None
        self._stopping = threading.Event()
        self.schema = schema if schema is not None else SiteSchema()
        self._server = ThreadingHTTPServer((self.host, 0), _handler(self))
        self._thread = threading.Thread(target=self._server.serve_forever, kwargs={"poll_interval": 0.02})

    def __enter__(self) -> LocalSite:
        self._thread.start()
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        self._stopping.set()
        self._server.shutdown()
        self._server.server_close()
        self._thread.join()

    @property
    def url(self) -> str:
        """The site's address, for ``SG_URL``."""
        return f"http://{self.host}:{self._server.server_port}"

    @property
    def environment(self) -> dict[str, str]:
        """SG_URL, SG_SCRIPT and SG_API_KEY."""
        return {"SG_URL": self.url, "SG_SCRIPT": self.script, "SG_API_KEY": self.api_key}

    @property
    def schema(self) -> tuple[Raw, Raw]:
        """What the two schema calls return. May be set, also while the site runs: to a ``SiteSchema``, to what
        ``schema_read()`` returns, or to an object that holds both answers by their names."""
        return self._schema

    @schema.setter
    def schema(self, schema: SiteSchema | Mapping[str, Any]) -> None:
        if isinstance(schema, SiteSchema):
            self._schema = raw_schema(schema)
        elif "schema_read" in schema:
            self._schema = (schema["schema_read"], schema.get("schema_entity_read", {}))
        else:
            self._schema = (dict(schema), {code: {"name": _pair(code), "visible": _pair(True)} for code in schema})

    def misbehave(self, how: Misbehaviour | None, method: str | None = None) -> None:
        """Answer badly from now on (to one method only, if given); ``None`` ends it."""
        self._misbehaviour = (how, method) if how else None

    def misbehaviour(self, method: str) -> Misbehaviour | None:
        """How to treat a call of ``method`` now."""
        if self._misbehaviour and self._misbehaviour[1] in (None, method):
            return self._misbehaviour[0]
        return None

    def wait(self) -> None:
        """Be slow: until the site stops, or for longer than any test's timeout."""
        self._stopping.wait(30)

    def answer(self, method: str, params: list[Any]) -> Raw:
        """The decoded JSON answer to one call."""
        self.requests[method] += 1
        if method == "info":
            return {"results": {"version": self.version, "full_version": [*self.version, 0]}}
        refusal = self._refusal(params[0] if params else {})
        return refusal or self._results(method, params[1] if len(params) > 1 else {})

    def _refusal(self, auth: Mapping[str, Any]) -> Raw | None:
        if "session_token" in auth:
            fault = None if auth["session_token"] == self.session_token else "login"
            message = "Session has expired or is not valid"
        elif "user_login" in auth:
            right = (auth["user_login"], auth["user_password"]) == (self.login, self.password)
            fault = self.password_fault if right else "login"
            message = f"Can't authenticate user '{auth['user_login']}'"
        else:
            fault = (
                None if (auth.get("script_name"), auth.get("script_key")) == (self.script, self.api_key) else "login"
            )
            message = f"Can't authenticate script '{auth.get('script_name')}'"
        return {"exception": True, "error_code": _FAULTS[fault], "message": message} if fault else None

    def _results(self, method: str, params: Mapping[str, Any]) -> Raw:
        fields, entities = self._schema
        if method == "schema_read":
            return {"results": fields}
        if method == "schema_entity_read":
            return {"results": entities}
        if method == "schema_field_read" and params.get("type") in fields:
            chosen = fields[params["type"]]
            name = params.get("field_name")
            return {"results": {name: chosen[name]} if name else chosen}
        return {"exception": True, "error_code": 103, "message": f"API {method}(): invalid call"}


def _handler(site: LocalSite) -> type[BaseHTTPRequestHandler]:
    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            call = json.loads(self.rfile.read(int(self.headers["content-length"])))
            method = call["method_name"]
            body = json.dumps(site.answer(method, call["params"])).encode()
            if self.path != "/api3/json":
                self._send(404, b"not found", "text/plain")
                return
            misbehaviour = site.misbehaviour(method)
            if misbehaviour is None:
                self._send(200, body, "application/json")
            else:
                self._misbehave(misbehaviour, body)

        def _misbehave(self, how: Misbehaviour, body: bytes) -> None:
            if how == "drop":
                self.close_connection = True
            elif how == "slow":
                site.wait()
            elif how == "html":
                self._send(200, _HTML, "text/html; charset=utf-8")
            elif how == "truncated":
                self._send(200, body[: len(body) // 2], "application/json")
            elif how == "nonsense":
                self._send(200, b"[" * 10_000 + b"]" * 10_000, "application/json")
            else:
                self._send(_STATUS[how], _HTML, "text/html")

        def _send(self, status: int, body: bytes, content_type: str) -> None:
            self.send_response(status)
            self.send_header("Content-Type", content_type)
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, format: str, *args: Any) -> None:
            """Say nothing: tests read what the program prints."""

    return Handler
