"""Reading a live site: the unmodified client over HTTP, and every way in which that can go wrong."""

from __future__ import annotations

import importlib
import json
import pickle
import socket
import ssl
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from shotgun_api3.shotgun import Shotgun
from siteexamples import SMALL, SMALL_FIELDS
from sites import REAL, SAMPLES, field, site_of
from testsite import LocalSite, raw_schema

from sg_migrate.errors import CredentialsError, LoginRefusedError, SourceError, UnreachableError
from sg_migrate.site.live import connect_from_environment, connection_host, read_site
from sg_migrate.site.sources import load_schema

SECRETS = (LocalSite.api_key, LocalSite.password, LocalSite.session_token)


@pytest.fixture
def local() -> Iterator[LocalSite]:
    with LocalSite(SMALL) as running:
        yield running


def ways_to_log_in(local: LocalSite) -> dict[str, dict[str, str]]:
    return {
        "script": {"SG_URL": local.url, "SG_SCRIPT": local.script, "SG_API_KEY": local.api_key},
        "person": {"SG_URL": local.url, "SG_LOGIN": local.login, "SG_PASSWORD": local.password},
        "session": {"SG_URL": local.url + "/", "SG_SESSION_TOKEN": local.session_token, "SG_API_KEY": " "},
    }


@pytest.mark.parametrize("way", ["script", "person", "session"])
def test_each_way_to_log_in_reads_with_two_schema_requests(local: LocalSite, way: str) -> None:
    loaded = read_site(connect_from_environment(ways_to_log_in(local)[way]))
    assert loaded.schema == site_of(
        *SMALL.fields(), host="127.0.0.1", names={code: about.name for code, about in SMALL.entity_types.items()}
    )
    assert loaded.format == "live site"
    assert {method: count for method, count in local.requests.items() if method != "info"} == {
        "schema_read": 1,
        "schema_entity_read": 1,
    }


@pytest.mark.skipif(not REAL, reason="the real schemas are not on this machine")
def test_a_large_site_that_changes_while_it_runs() -> None:
    with LocalSite() as local:
        connection = connect_from_environment(local.environment)
        for path in (REAL[0], REAL[-1]):
            expected = load_schema(path).schema
            local.schema = expected
            assert read_site(connection).schema.entity_types == expected.entity_types
        assert local.requests == {"schema_read": 2, "schema_entity_read": 2}


def test_the_site_speaks_the_rest_of_the_schema_protocol(local: LocalSite) -> None:
    client = Shotgun(local.url, script_name=local.script, api_key=local.api_key)
    assert client.server_info["version"] == [8, 80, 0]
    assert client.schema_field_read("Shot") == SMALL_FIELDS["Shot"]
    assert client.schema_field_read("Shot", "code") == {"code": SMALL_FIELDS["Shot"]["code"]}
    local.schema = {"schema_read": {}, "schema_entity_read": {}}
    assert client.schema_read() == {}
    assert local.requests["info"] == 1


@pytest.mark.parametrize(
    ("way", "key", "message"),
    [
        ("script", "SG_API_KEY", "Can't authenticate script 'sg_migrate'"),
        ("person", "SG_PASSWORD", "Can't authenticate user 'producer'"),
        ("session", "SG_SESSION_TOKEN", "Session has expired or is not valid"),
    ],
)
def test_wrong_credentials_are_refused_at_the_first_call(local: LocalSite, way: str, key: str, message: str) -> None:
    connection = connect_from_environment(ways_to_log_in(local)[way] | {key: "wrong-secret"})
    with pytest.raises(LoginRefusedError) as caught:
        read_site(connection)
    assert str(caught.value) == f"127.0.0.1: refused the login: {message} Check the credentials."
    assert local.requests["schema_entity_read"] == 0


@pytest.mark.parametrize("fault", ["two_factor", "single_sign_on"])
def test_a_site_that_takes_no_passwords(local: LocalSite, fault: Any) -> None:
    local.password_fault = fault
    with pytest.raises(LoginRefusedError) as caught:
        read_site(connect_from_environment(ways_to_log_in(local)["person"]))
    assert str(caught.value) == (
        "127.0.0.1: does not take a password here: Can't authenticate user 'producer' "
        "Use SG_SCRIPT and SG_API_KEY, or SG_SESSION_TOKEN."
    )


PAGE = (
    "answered with a page of text, not with a schema. "
    "A proxy or a login page stands between here and the site; check SG_URL and the network."
)
BROKEN = (
    "127.0.0.1: sent something that is not ShotGrid's (cut off, or another server's). "
    "Check SG_URL and the network, and try again."
)
MISBEHAVIOURS = {
    "html": (SourceError, f"127.0.0.1: schema_read(): {PAGE}"),
    "unavailable": (
        UnreachableError,
        "127.0.0.1: answered with HTTP status 503. The site is down or busy; try again.",
    ),
    "forbidden": (UnreachableError, "127.0.0.1: answered with HTTP status 403. Check SG_URL and permissions."),
    "truncated": (UnreachableError, BROKEN),
    "nonsense": (UnreachableError, BROKEN),
    "drop": (UnreachableError, "127.0.0.1: no connection (RemoteDisconnected). Check SG_URL and the network."),
    "slow": (UnreachableError, "127.0.0.1: did not answer in time. Try again; a site under load is slow."),
}


@pytest.mark.parametrize("how", MISBEHAVIOURS)
def test_a_site_that_misbehaves(local: LocalSite, how: Any) -> None:
    local.misbehave(how)
    error, message = MISBEHAVIOURS[how]
    with pytest.raises(error) as caught:
        read_site(connect_from_environment(local.environment, timeout=0.3))
    assert type(caught.value) is error
    assert str(caught.value) == message


def test_only_the_second_request_goes_wrong(local: LocalSite) -> None:
    local.misbehave("html", method="schema_entity_read")
    with pytest.raises(SourceError) as caught:
        read_site(connect_from_environment(local.environment))
    assert str(caught.value) == f"127.0.0.1: schema_entity_read(): {PAGE}"
    local.misbehave(None)
    assert read_site(connect_from_environment(local.environment)).schema.entity_types == SMALL.entity_types


@pytest.mark.parametrize("how", ["html", "truncated", "nonsense"])
def test_a_page_in_answer_to_a_session_token(local: LocalSite, how: Any) -> None:
    local.misbehave(how)
    with pytest.raises(UnreachableError):
        read_site(connect_from_environment(ways_to_log_in(local)["session"]))


def test_nobody_listens() -> None:
    with socket.socket() as unused:
        unused.bind(("127.0.0.1", 0))
        url = f"http://127.0.0.1:{unused.getsockname()[1]}"
        with pytest.raises(UnreachableError) as caught:
            read_site(connect_from_environment({"SG_URL": url, "SG_SESSION_TOKEN": "t"}))
    assert str(caught.value) == "127.0.0.1: refused the connection. Check SG_URL and the network."


def test_no_such_host() -> None:
    with pytest.raises(UnreachableError) as caught:
        read_site(connect_from_environment({"SG_URL": "http://no-such-site.invalid", "SG_SESSION_TOKEN": "t"}))
    assert str(caught.value).startswith("no-such-site.invalid: no connection (")


def test_a_server_without_tls(local: LocalSite, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SHOTGUN_API_RETRY_INTERVAL", "1")
    with pytest.raises(UnreachableError) as caught:
        read_site(connect_from_environment(local.environment | {"SG_URL": local.url.replace("http:", "https:")}))
    assert str(caught.value).startswith("127.0.0.1: no secure connection (")
    assert str(caught.value).endswith("SHOTGUN_API_CACERTS names a file of certificates to trust.")


class Fake:
    """A connection whose first call fails or answers as told."""

    def __init__(self, result: object) -> None:
        self.result = result

    def schema_read(self) -> object:
        if isinstance(self.result, BaseException):
            raise self.result
        return self.result

    def schema_entity_read(self) -> object:
        return {}


@pytest.mark.parametrize(
    ("result", "message"),
    [
        (ssl.SSLCertVerificationError("certificate verify failed"), "the site: no secure connection ("),
        (TimeoutError("read"), "the site: did not answer in time."),
        (None, "the site: schema_read(): answered with null, not with a schema."),
        ([1], "the site: schema_read(): answered with a list, not with a schema."),
        (b"<html>", f"the site: schema_read(): {PAGE}"),
        ({}, "the site: no entity types."),
        ({"Shot": "x"}, "the site: Shot: expected its fields, found a text."),
        ({"Shot": {"a": {"data_type": {"value": object()}}}}, "the site: Shot.a.data_type.value: holds a object"),
    ],
)
def test_other_connections_give_the_same_kind_of_errors(result: object, message: str) -> None:
    with pytest.raises(SourceError) as caught:
        read_site(Fake(result))
    assert str(caught.value).startswith(message)


class SpitefulSite(LocalSite):
    """Refuses everything, and repeats what it was sent."""

    error_code = 102

    def answer(self, method: str, params: list[Any]) -> dict[str, Any]:
        if method == "info":
            return super().answer(method, params)
        return {"exception": True, "error_code": self.error_code, "message": f"You sent {json.dumps(params)}\nha!"}


@pytest.mark.parametrize("error_code", [102, 106, 108, 1])
@pytest.mark.parametrize("way", ["script", "person", "session"])
def test_no_message_holds_a_secret(error_code: int, way: str) -> None:
    spiteful = SpitefulSite()
    spiteful.error_code = error_code
    with spiteful as local, pytest.raises(SourceError) as caught:
        read_site(connect_from_environment(ways_to_log_in(local)[way]))
    assert "You sent" in str(caught.value)
    assert "***" in str(caught.value)
    assert not any(secret in str(caught.value) for secret in SECRETS)
    assert caught.value.__cause__ is None
    assert caught.value.__suppress_context__


def test_a_connection_without_credentials(local: LocalSite) -> None:
    with pytest.raises(CredentialsError) as caught:
        read_site(Shotgun(local.url, connect=False))
    assert str(caught.value) == f"127.0.0.1: the connection has no credentials. {SET}"


def test_an_answer_that_holds_itself() -> None:
    answer: dict[str, Any] = {}
    answer["Shot"] = answer
    with pytest.raises(SourceError) as caught:
        read_site(Fake(answer))
    assert str(caught.value) == "the site: schema_read(): nested too deep for a ShotGrid schema."


SET = "Set SG_URL and either SG_SCRIPT and SG_API_KEY, or SG_LOGIN and SG_PASSWORD, or SG_SESSION_TOKEN."
ADDRESS = "SG_URL: must be the site's address, such as https://studio.shotgrid.autodesk.com."


@pytest.mark.parametrize(
    ("environ", "message"),
    [
        ({}, f"SG_URL: not set. {SET}"),
        ({"SG_URL": " ", "SG_SESSION_TOKEN": "t"}, f"SG_URL: not set. {SET}"),
        ({"SG_URL": "studio.shotgrid.autodesk.com"}, ADDRESS),
        ({"SG_URL": "ftp://studio"}, ADDRESS),
        ({"SG_URL": "https://"}, ADDRESS),
        ({"SG_URL": "https://[::1"}, ADDRESS),
        ({"SG_URL": "https://a.b"}, f"credentials: none are set. {SET}"),
        ({"SG_URL": "https://a.b", "SG_SCRIPT": "s"}, f"SG_API_KEY: not set, but a script's key needs it. {SET}"),
        ({"SG_URL": "https://a.b", "SG_API_KEY": "k"}, f"SG_SCRIPT: not set, but a script's key needs it. {SET}"),
        ({"SG_URL": "https://a.b", "SG_LOGIN": "l"}, f"SG_PASSWORD: not set, but a person's login needs it. {SET}"),
        (
            {"SG_URL": "https://a.b", "SG_LOGIN": "l", "SG_SESSION_TOKEN": "t"},
            "credentials: both a person's login and a session token are set. Leave one kind.",
        ),
        (
            {"SG_URL": "https://a.b:port", "SG_SESSION_TOKEN": "t"},
            f"SG_URL: not a web address that can be used. {SET}",
        ),
    ],
)
def test_missing_and_ambiguous_credentials(environ: dict[str, str], message: str) -> None:
    with pytest.raises(CredentialsError) as caught:
        connect_from_environment(environ)
    assert str(caught.value) == message


def test_the_process_environment_is_the_default(monkeypatch: pytest.MonkeyPatch, local: LocalSite) -> None:
    for key, value in local.environment.items():
        monkeypatch.setenv(key, value)
    for key in ("SG_LOGIN", "SG_PASSWORD", "SG_SESSION_TOKEN"):
        monkeypatch.delenv(key, raising=False)
    assert read_site(connect_from_environment()).schema.entity_types == SMALL.entity_types


def test_the_host_is_known_without_port_user_and_capitals() -> None:
    environ = {"SG_URL": "https://me:secret@Studio.ShotGrid.Autodesk.com:8443", "SG_SESSION_TOKEN": "t"}
    assert connection_host(connect_from_environment(environ)) == "studio.shotgrid.autodesk.com"
    assert connection_host(Fake(None)) is None
    assert read_site(Fake(SMALL_FIELDS), "given").schema.host == "given"


@pytest.mark.parametrize(
    ("convert", "moment"),
    [(True, "2024-02-29T23:59:58Z"), (False, "2024-02-29T23:59:58Z"), (False, "0999-01-01T00:00:00Z")],
)
def test_texts_that_look_like_moments_stay_texts(local: LocalSite, convert: bool, moment: str) -> None:
    local.schema = site_of(field("Shot.code", name=moment, valid_values=(moment,)), names={"Shot": moment})
    client = Shotgun(
        local.url, script_name=local.script, api_key=local.api_key, convert_datetimes_to_utc=convert, connect=False
    )
    schema = read_site(client).schema
    assert schema.entity_types["Shot"].name == moment
    assert schema.entity_types["Shot"].fields["code"].name == moment
    assert schema.entity_types["Shot"].fields["code"].valid_values == (moment,)


def test_mockgun(tmp_path: Path) -> None:
    expected = load_schema(SAMPLES[0]).schema
    paths = (tmp_path / "schema.pickle", tmp_path / "schema_entity.pickle")
    for path, answer in zip(paths, raw_schema(expected), strict=True):
        path.write_bytes(pickle.dumps(answer, protocol=2))
    mockgun: Any = importlib.import_module("shotgun_api3.lib.mockgun")
    mockgun.Shotgun.set_schema_paths(*map(str, paths))
    loaded = read_site(mockgun.Shotgun("https://studio.shotgrid.autodesk.com", script_name="s", api_key="k"))
    assert loaded.schema.entity_types == expected.entity_types
    assert loaded.schema.host == "studio.shotgrid.autodesk.com"


def test_connecting_imports_the_client_only_then() -> None:
    code = (
        "import sys; from sg_migrate.site.live import connect_from_environment as connect\n"
        "assert 'shotgun_api3' not in sys.modules\n"
        "connect({'SG_URL': 'https://a.b', 'SG_SESSION_TOKEN': 't'})\n"
        "assert 'shotgun_api3' in sys.modules"
    )
    subprocess.run([sys.executable, "-c", code], check=True)
