"""A local site over HTTP: the JSON protocol of shotgun_api3, as its own source has it."""

from __future__ import annotations

import json
import threading
from collections.abc import Mapping
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from types import TracebackType
from typing import TYPE_CHECKING, Any

from sg_migrate.demo.records import PAGE_SIZE, Fault, Raw, Records
from sg_migrate.site.schema import EntityType, Field, SiteSchema

if TYPE_CHECKING:
    from typing_extensions import Self


def raw_schema(schema: SiteSchema) -> tuple[Raw, Raw]:
    """The active part of ``schema`` as ``schema_read()`` and ``schema_entity_read()`` return it."""
    present = [entity_type for entity_type in schema.entity_types.values() if entity_type.state == "active"]
    fields = {entity_type.code: _raw_fields(entity_type) for entity_type in present}
    entities = {
        entity_type.code: {"name": pair(entity_type.name), "visible": pair(entity_type.visible)}
        for entity_type in present
    }
    return fields, entities


def _raw_fields(entity_type: EntityType) -> Raw:
    return {code: _raw_field(field) for code, field in entity_type.fields.items() if field.state == "active"}


def _raw_field(field: Field) -> Raw:
    properties = {"default_value": pair(field.default), "summary_default": pair("none")}
    if field.valid_types or field.data_type in ("entity", "multi_entity"):
        properties["valid_types"] = pair(list(field.valid_types))
    if field.valid_values or field.data_type in ("list", "status_list"):
        properties["valid_values"] = pair(list(field.valid_values))
    properties |= {key: pair(json.loads(text)) for key, text in field.properties}
    return {
        "name": pair(field.name),
        "description": pair(field.description),
        "entity_type": pair(field.entity_type),
        "data_type": pair(field.data_type),
        "editable": pair(field.editable),
        "mandatory": pair(field.mandatory),
        "unique": pair(field.unique),
        "visible": pair(field.visible),
        "properties": properties,
    }


def pair(value: Any) -> Raw:
    """A value as the schema calls give it."""
    return {"value": value, "editable": False}


class LocalSite:
    """A running site on 127.0.0.1; a context manager. It takes one script's key and holds ``records``."""

    script = "sg_migrate"
    api_key = "a-key-that-must-stay-secret"
    host = "127.0.0.1"

    def __init__(self, schema: SiteSchema | Mapping[str, Any] | None = None) -> None:
        self.records = Records()
        self.version = [8, 80, 0]
        self.page_size = PAGE_SIZE
        self.schema = schema if schema is not None else SiteSchema()
        self._server = ThreadingHTTPServer((self.host, 0), self.handler())
        self._server.daemon_threads = True
        self._thread = threading.Thread(target=self._server.serve_forever, kwargs={"poll_interval": 0.02})

    def handler(self) -> type[Handler]:
        """What answers a request."""
        return type("BoundHandler", (Handler,), {"site": self})

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
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
            self._schema = (dict(schema), {code: {"name": pair(code), "visible": pair(True)} for code in schema})

    def answer(self, method: str, params: list[Any]) -> Raw:
        """The decoded JSON answer to one call."""
        if method == "info":
            info = {"version": self.version, "full_version": [*self.version, 0]}
            return {"results": {**info, "api_max_entities_per_page": self.page_size}}
        refusal = self.refusal(params[0] if params else {})
        if refusal:
            return refusal
        try:
            return {"results": self.results(method, params[1] if len(params) > 1 else {})}
        except Fault as fault:
            return {"exception": True, "error_code": 103, "message": str(fault)}

    def refusal(self, auth: Mapping[str, Any]) -> Raw | None:
        """Who is let in."""
        if (auth.get("script_name"), auth.get("script_key")) == (self.script, self.api_key):
            return None
        message = f"Can't authenticate script '{auth.get('script_name')}'"
        return {"exception": True, "error_code": 102, "message": message}

    def results(self, method: str, params: Mapping[str, Any]) -> Any:
        """The results of a call. Raises `Fault`."""
        fields, entities = self.schema
        if method == "schema_read":
            return fields
        if method == "schema_entity_read":
            return entities
        if method == "schema_field_read" and params.get("type") in fields:
            chosen = fields[params["type"]]
            name = params.get("field_name")
            return {name: chosen[name]} if name else chosen
        if method in ("read", "summarize"):
            if params["type"] not in fields:
                raise Fault(f"API {method}() invalid/missing string entity 'type': {params['type']}")
            types = {code: raw["data_type"]["value"] for code, raw in fields[params["type"]].items()}
            types.setdefault("id", "number")
            return getattr(self.records, method)(params, types)
        raise Fault(f"API {method}(): invalid call")


class Handler(BaseHTTPRequestHandler):
    """Takes the calls of one site."""

    site: LocalSite
    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True

    def do_POST(self) -> None:
        """One call."""
        call = json.loads(self.rfile.read(int(self.headers["content-length"])))
        if self.path != "/api3/json":
            self.send(404, b"not found", "text/plain")
        else:
            self.reply(call["method_name"], call["params"])

    def reply(self, method: str, params: list[Any]) -> None:
        """Answer a call of the API."""
        self.send(200, json.dumps(self.site.answer(method, params)).encode(), "application/json")

    def send(self, status: int, body: bytes, content_type: str, **headers: str) -> None:
        """One answer."""
        self.send_response(status)
        for name, value in {"Content-Type": content_type, "Content-Length": str(len(body)), **headers}.items():
            self.send_header(name.replace("_", "-"), value)
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, format: str, *args: Any) -> None:
        """Say nothing: what the program prints is its own."""
