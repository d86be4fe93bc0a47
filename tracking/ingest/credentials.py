"""The token of an off-the-shelf client: in the path, as Bearer, as Basic, or bare. (pure)

The first part of the path that looks like a token is one; what comes behind it is the
dialect's. Basic takes the token as password under any name, or as name without a password;
Overland's OwnTracks mode sends Basic in the clear. The name is the user's text: it may hold
a colon, and Android writes it in Latin-1. Neither may cost the phone its queue.
"""

from base64 import b64decode
from collections.abc import Sequence
from dataclasses import dataclass
from http.cookies import CookieError, SimpleCookie
from typing import Final

from accounts.secrets import DEVICE_PREFIX
from tracking.ingest.http import Scope, header

COOKIE: Final = "ulogger"  # what its sign-in sets


@dataclass(frozen=True, slots=True)
class Credentials:
    """A token, if there is one, and what is left of the path without it."""

    token: str | None
    rest: str
    is_basic_unencoded: bool = False


def credentials(scope: Scope, parts: Sequence[str]) -> Credentials:
    """Who posts to a path of these parts (behind the dialect's name)."""
    for position, part in enumerate(parts):
        if part.startswith(DEVICE_PREFIX):
            return Credentials(part, "/".join((*parts[:position], *parts[position + 1 :])))
    rest = "/".join(parts)
    sent = header(scope, b"authorization").strip()
    scheme, _, value = sent.partition(" ")
    if scheme.lower() == "bearer":
        return Credentials(value.strip() or None, rest)
    if scheme.lower() == "basic":
        return _basic(value.strip(), rest)
    if sent.startswith(DEVICE_PREFIX):
        return Credentials(sent, rest)
    return Credentials(_cookie(header(scope, b"cookie")), rest)


def _basic(value: str, rest: str) -> Credentials:
    try:
        pair, is_encoded = b64decode(value, validate=True).decode("utf-8", "replace"), True
    except ValueError:
        pair, is_encoded = value, False
    user, _, password = pair.partition(":")
    behind = pair.rpartition(":")[2]
    if behind.startswith(DEVICE_PREFIX):
        password = behind
    return Credentials(password or user or None, rest, is_basic_unencoded=not is_encoded)


def _cookie(value: str) -> str | None:
    try:
        cookie = SimpleCookie(value).get(COOKIE)
    except CookieError:
        return None
    return cookie.value if cookie else None
