"""A live site: connecting with the credentials of the environment, and reading with two schema requests."""

from __future__ import annotations

import http.client
import os
import ssl
from collections.abc import Callable, Mapping
from datetime import datetime, timezone
from typing import Any, Protocol
from urllib.parse import urlsplit
from xmlrpc.client import ProtocolError

from sg_migrate.errors import CredentialsError, LoginRefusedError, RefusedError, SourceError, UnreachableError
from sg_migrate.site.formats import Recognised, entity_listing
from sg_migrate.site.loaded import Loaded, loaded
from sg_migrate.site.raw import RawSite
from sg_migrate.site.validation import Unreadable, check_plain, kind, quoted

TIMEOUT_SECONDS = 120.0
"""For one answer; a large site takes some ten seconds to write down its schema."""

_KINDS = {
    "a script's key": ("SG_SCRIPT", "SG_API_KEY"),
    "a person's login": ("SG_LOGIN", "SG_PASSWORD"),
    "a session token": ("SG_SESSION_TOKEN",),
}
_ARGUMENTS = {
    "SG_SCRIPT": "script_name",
    "SG_API_KEY": "api_key",
    "SG_LOGIN": "login",
    "SG_PASSWORD": "password",
    "SG_SESSION_TOKEN": "session_token",
}
_CREDENTIALS_REMEDY = (
    "Set SG_URL and either SG_SCRIPT and SG_API_KEY, or SG_LOGIN and SG_PASSWORD, or SG_SESSION_TOKEN."
)
_SECRETS = ("api_key", "user_password", "session_token", "auth_token", "authorization", "proxy_pass")


class Connection(Protocol):
    """What is needed of a ``shotgun_api3.Shotgun``; Mockgun has it too."""

    def schema_read(self) -> Any:
        """All fields of all entity types."""

    def schema_entity_read(self) -> Any:
        """All entity types with their display names."""


class LogConnection(Connection, Protocol):
    """A connection that can read records too, such as those of the event log."""

    def find(self, entity_type: str, filters: Any, fields: Any = None, order: Any = None, *, limit: int = 0) -> Any:
        """Records of an entity type."""


def has_credentials() -> bool:
    """Whether the environment holds a secret for the site; SG_URL alone is none."""
    return any(os.environ.get(name, "").strip() for name in _ARGUMENTS)


def connect_from_environment(
    environ: Mapping[str, str] | None = None,
    *,
    timeout: float = TIMEOUT_SECONDS,
    client: Callable[..., Any] | None = None,
) -> LogConnection:
    """A ``shotgun_api3.Shotgun`` made from SG_URL and one kind of credentials. Sends nothing yet.

    Args:
        environ: the variables; the process's own when left out. Empty ones count as not set.
        timeout: seconds to wait for each answer.
        client: the class to make, in the place of ``Shotgun``.

    Raises:
        CredentialsError: SG_URL or the credentials are missing, incomplete, or of more than one kind.
    """
    values = {key: value for key, value in (os.environ if environ is None else environ).items() if value.strip()}
    url = _site_url(values)
    arguments = {_ARGUMENTS[key]: values[key] for key in _chosen_kind(values)}
    from shotgun_api3.shotgun import Shotgun

    try:
        connection = (client or Shotgun)(url, connect=False, convert_datetimes_to_utc=False, **arguments)
    except ValueError:
        raise CredentialsError("SG_URL", "not a web address that can be used.", _CREDENTIALS_REMEDY) from None
    connection.config.timeout_secs = timeout
    result: LogConnection = connection
    return result


def _site_url(values: Mapping[str, str]) -> str:
    url = values.get("SG_URL", "").strip()
    if not url:
        raise CredentialsError("SG_URL", "not set.", _CREDENTIALS_REMEDY)
    if not url.lower().startswith(("https://", "http://")) or not _host(url):
        raise CredentialsError("SG_URL", "must be the site's address, such as https://studio.shotgrid.autodesk.com.")
    return url.rstrip("/")


def _chosen_kind(values: Mapping[str, str]) -> tuple[str, ...]:
    begun = {words: keys for words, keys in _KINDS.items() if any(key in values for key in keys)}
    if not begun:
        raise CredentialsError("credentials", "none are set.", _CREDENTIALS_REMEDY)
    if len(begun) > 1:
        names = " and ".join(begun)
        raise CredentialsError("credentials", f"both {names} are set.", "Leave one kind.")
    ((words, keys),) = begun.items()
    for key in keys:
        if key not in values:
            raise CredentialsError(key, f"not set, but {words} needs it.", _CREDENTIALS_REMEDY)
    return keys


def _host(url: str) -> str | None:
    try:
        return urlsplit(url).hostname
    except ValueError:
        return None


def read_site(connection: Connection, host: str | None = None) -> Loaded:
    """Read a live site's schema with exactly two schema requests, whatever the number of entity types.

    Args:
        connection: a ``shotgun_api3.Shotgun``, a Mockgun, or anything with their two schema calls.
        host: the site's host name, where the connection does not know it.

    Raises:
        LoginRefusedError: wrong key or password, expired session, two-factor or single sign-on in the way.
        UnreachableError: no connection, no answer in time, or an answer that is not ShotGrid's.
        SourceError: an answer that is not a schema. No message ever holds a secret.
    """
    host = host or connection_host(connection)
    source = host or "the site"
    fields = call(source, connection, connection.schema_read)
    entities = call(source, connection, connection.schema_entity_read)
    try:
        raw = RawSite(
            _plain_answer("schema_read()", fields), entity_listing(_plain_answer("schema_entity_read()", entities))
        )
        return loaded(Recognised(raw, "live site"), host)
    except Unreadable as error:
        raise SourceError(source, error.problem, error.remedy) from None


def connection_host(connection: Connection) -> str | None:
    """The host name, without port and user, that a connection talks to; ``None`` where it does not tell."""
    server = getattr(getattr(connection, "config", None), "server", None)
    return _host(f"//{server}") if isinstance(server, str) else None


def _plain_answer(name: str, answer: object) -> dict[str, Any]:
    if isinstance(answer, str | bytes):
        raise Unreadable(
            name,
            "answered with a page of text, not with a schema.",
            "A proxy or a login page stands between here and the site; check SG_URL and the network.",
        )
    if not isinstance(answer, dict):
        raise Unreadable(name, f"answered with {kind(answer)}, not with a schema.")
    try:
        plain: dict[str, Any] = _plain(answer)
    except RecursionError:
        raise Unreadable(name, "nested too deep for a ShotGrid schema.") from None
    check_plain(plain)
    return plain


def _plain(value: Any) -> Any:
    """Undo what the client does to texts that look like a moment: it returns them as ``datetime``."""
    if isinstance(value, dict):
        return {key: _plain(item) for key, item in value.items()}
    if isinstance(value, list):
        return [_plain(item) for item in value]
    if isinstance(value, datetime):
        moment = value.astimezone(timezone.utc) if value.tzinfo else value
        return moment.replace(tzinfo=None).isoformat(timespec="seconds") + "Z"
    return value


def call(source: str, connection: Connection, method: Callable[[], Any]) -> Any:
    """What ``method`` gives, with the errors of `read_site`; a fault that the site reports is a `RefusedError`."""
    from shotgun_api3.lib.httplib2 import HttpLib2Error
    from shotgun_api3.shotgun import ShotgunError

    try:
        return method()
    except ShotgunError as error:
        raise _refused(source, connection, error) from None
    except ProtocolError as error:
        words = f"answered with HTTP status {error.errcode}"
        remedy = "The site is down or busy; try again." if error.errcode >= 500 else "Check SG_URL and permissions."
        raise UnreachableError(source, f"{words}.", remedy) from None
    except (TimeoutError, ssl.SSLError, OSError, HttpLib2Error, http.client.HTTPException) as error:
        raise _unreachable(source, error) from None
    except (ValueError, AttributeError, RecursionError) as error:
        if str(error) == "invalid auth params":
            raise CredentialsError(source, "the connection has no credentials.", _CREDENTIALS_REMEDY) from None
        raise UnreachableError(
            source,
            "sent something that is not ShotGrid's (cut off, or another server's).",
            "Check SG_URL and the network, and try again.",
        ) from None


def _refused(source: str, connection: Connection, error: Exception) -> SourceError:
    """A fault that the site itself reported; ``AuthenticationFault`` and its cousins are about the login."""
    from shotgun_api3.shotgun import AuthenticationFault, MissingTwoFactorAuthenticationFault
    from shotgun_api3.shotgun import UserCredentialsNotAllowedForSSOAuthenticationFault as SingleSignOnFault

    said = _without_secrets(str(error), connection)
    if isinstance(error, AuthenticationFault):
        return LoginRefusedError(source, f"refused the login: {said}", "Check the credentials.")
    if isinstance(error, MissingTwoFactorAuthenticationFault | SingleSignOnFault) or "Oxygen" in type(error).__name__:
        return LoginRefusedError(
            source, f"does not take a password here: {said}", "Use SG_SCRIPT and SG_API_KEY, or SG_SESSION_TOKEN."
        )
    return RefusedError(source, f"reported an error: {said}")


def _unreachable(source: str, error: Exception) -> UnreachableError:
    remedy = "Check SG_URL and the network."
    if isinstance(error, TimeoutError):
        return UnreachableError(source, "did not answer in time.", "Try again; a site under load is slow.")
    if isinstance(error, ssl.SSLError):
        reason = getattr(error, "reason", None) or type(error).__name__
        return UnreachableError(
            source, f"no secure connection ({reason}).", "SHOTGUN_API_CACERTS names a file of certificates to trust."
        )
    if isinstance(error, ConnectionRefusedError):
        return UnreachableError(source, "refused the connection.", remedy)
    return UnreachableError(source, f"no connection ({type(error).__name__}).", remedy)


def _without_secrets(text: str, connection: Connection) -> str:
    config = getattr(connection, "config", None)
    for name in _SECRETS:
        secret = getattr(config, name, None)
        if isinstance(secret, str) and secret:
            text = text.replace(secret, "***")
    return quoted(text)
