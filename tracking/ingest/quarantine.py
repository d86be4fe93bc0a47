"""What is kept of what nobody could use, for a person to see. (pure)

At most 8 KB, and never a credential, a name of a network or of an access point, a push token,
a number of the phone itself, a picture or a note of its user: they are taken out before
anything is stored. What is kept is a request of its own and can be read again as it is.
"""

import json
import re
from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass
from hashlib import sha256
from typing import Any, Final, NamedTuple
from urllib.parse import unquote_to_bytes

from accounts.secrets import API_KEY_PREFIX, DEVICE_PREFIX
from tracking.ingest.sent import Refusal
from tracking.ingest.values import BYTE_ORDER_MARK, Unreadable, json_value

MAX_PAYLOAD: Final = 8192  # bytes, as the column
MAX_READ: Final = 65_536  # bytes looked at of what is no JSON; the rest is cut anyhow
MAX_DETAIL: Final = 300
# Of one request; what is more is only counted.
MAX_KEPT_OF_REQUEST: Final = 1_000

_PARTS: Final = ("ssid", "wifi", "token", "passw", "secret", "auth", "cookie", "session")
_NAMES: Final = frozenset({
    "pass", "pwd", "user", "username", "key", "apikey", "jwt",
    "cell", "mcc", "mnc", "lac", "cid", "cellid",
    "aid", "androidid", "ser", "serial", "imei", "uniqueid", "deviceidentifierforvendor",
    "desc", "comment", "note", "notes", "poi", "tag", "inregions", "inrids",
    "image", "imagename", "face",
    "networkname", "accesspoint", "mac", "macaddress", "hotspot", "imsi", "iccid", "msisdn",
    "login", "mail", "email", "phone", "phonenumber", "registrationid", "advertisingid",
})  # fmt: skip
_SECRET: Final = re.compile(
    rb"(?:%s|%s)[\w-]+|\b(?:Bearer|Basic)\s+[^\s\"'&,;]+"
    % (DEVICE_PREFIX.encode(), API_KEY_PREFIX.encode())
)
# A name in JSON, even where the JSON is text inside other JSON and its quotes are escaped.
_NAME: Final = re.compile(rb'\\{0,7}"((?:[^"\\]|\\u[0-9a-fA-F]{4}){1,60})\\{0,7}"\s*:\s*')
_QUOTE: Final = re.compile(rb'\\{0,7}"')
_BRACKET: Final = re.compile(rb'"(?:[^"\\]|\\.)*"?|[\[\]{}]', re.DOTALL)
_BARE: Final = re.compile(rb"[^,{}\[\]\s]*")
_GZIP: Final = b"\x1f\x8b"
_LOOSE_PAIR: Final = re.compile(rb"([A-Za-z_.-]{2,40})(\s*[=:]\s*)([^\s,;&}\"]+)")
_NO_LETTER: Final = re.compile(r"[^a-z]")


@dataclass(frozen=True, slots=True)
class Unusable:
    """One thing that could not be used. Without a payload it is only counted, `count` times.

    `recorded_at_us` is the time it says, where that can be read.
    """

    reason: str
    detail: str
    payload: bytes | None
    recorded_at_us: int | None
    count: int = 1

    @property
    def payload_hash(self) -> bytes | None:
        return None if self.payload is None else sha256(self.payload).digest()


class Refused(NamedTuple):
    """Why something was not taken, what it was, and the time it says, if any."""

    refusal: Refusal
    source: object
    recorded_at_us: int | None


def unusable(refused: Iterable[Refused]) -> list[Unusable]:
    """What the quarantine gets of a request; past the bound only numbers by reason."""
    kept: list[Unusable] = []
    beyond: Counter[str] = Counter()
    for refusal, source, recorded_at_us in refused:
        if len(kept) >= MAX_KEPT_OF_REQUEST:
            beyond[refusal.reason] += 1
            continue
        payload, detail = kept_payload(source), refusal.detail
        if len(payload) > MAX_PAYLOAD:
            detail = f"{detail} (only its first 8 KB are kept)"
        kept.append(
            Unusable(refusal.reason, detail[:MAX_DETAIL], payload[:MAX_PAYLOAD], recorded_at_us)
        )
    return kept + [Unusable(reason, "", None, None, count) for reason, count in beyond.items()]


def kept_payload(source: object) -> bytes:
    """The bytes of a request without what may not be kept.

    Nothing of what hides its words: a packed body, or a form in parts (one may be a photo).
    """
    if not isinstance(source, bytes):
        return _cleaned_json(source)
    start = source[:64].lstrip(BYTE_ORDER_MARK + b" \t\r\n")
    if start.startswith((_GZIP, b"--")):
        return b""
    if not start.startswith((b"{", b"[")):
        return _cleaned(source)
    try:
        return _cleaned_json(json_value(source))
    except Unreadable:
        return _cleaned(source)


def _cleaned_json(value: object) -> bytes:
    try:
        text = json.dumps(_without_secrets(value), ensure_ascii=False, separators=(",", ":"))
    except (ValueError, TypeError, RecursionError):
        return b""
    # Half a surrogate becomes the escape that it was.
    return _SECRET.sub(b"...", text.encode("utf-8", "backslashreplace"))


def is_secret(name: str) -> bool:
    """Whether what stands under this name may not be kept."""
    letters = _NO_LETTER.sub("", name.lower())
    return letters in _NAMES or any(part in letters for part in _PARTS)


def _without_secrets(value: Any) -> Any:
    if isinstance(value, dict):
        return {
            key: _without_secrets(inner) for key, inner in value.items() if not is_secret(str(key))
        }
    if isinstance(value, list):
        return [_without_secrets(inner) for inner in value]
    if isinstance(value, str) and _ODD.search(value):
        raw = value.encode("utf-8", "surrogatepass")[:MAX_READ]
        return "..." if _hides(raw) else _without_words(raw).decode("utf-8", "surrogatepass")
    return value


# Only a text with one of these can hold a name and a value, or hide them.
_ODD: Final = re.compile(r"[:=%]")


def _cleaned(raw: bytes) -> bytes:
    """A form, or bytes that are nothing known: each secret's value is taken out."""
    pairs = [pair for pair in raw[:MAX_READ].split(b"&") if not _is_secret_pair(pair)]
    cleaned = _without_words(b"&".join(pairs))
    # What was cut must show: a retry may not take the rest for the whole.
    return b"" if len(raw) > MAX_READ and len(cleaned) < MAX_PAYLOAD else cleaned


def _is_secret_pair(pair: bytes) -> bool:
    name, equals, _ = pair.partition(b"=")
    named = unquote_to_bytes(name) if equals else b""
    return (len(named) <= 60 and is_secret(named.decode("utf-8", "replace"))) or _hides(pair)


def _hides(raw: bytes) -> bool:
    """Whether it says something secret in percent-encoding."""
    if b"%" not in raw:
        return False
    plain = unquote_to_bytes(raw)
    return _without_words(plain) != plain


def _without_words(raw: bytes) -> bytes:
    return _SECRET.sub(b"...", _LOOSE_PAIR.sub(_blanked, _without_named(raw)))


def _blanked(pair: "re.Match[bytes]") -> bytes:
    return pair[1] + pair[2] + b"null" if is_secret(pair[1].decode()) else pair[0]


def _without_named(raw: bytes) -> bytes:
    """JSON that may be broken: null for the value of each secret name, whatever it is."""
    pieces, at = [], 0
    while name := _NAME.search(raw, at):
        pieces.append(raw[at : name.end()])
        at = name.end()
        if is_secret(_ESCAPE.sub(_letter, name[1].decode("utf-8", "replace"))):
            pieces.append(b"null")
            at = _end_of_value(raw, at)
    return b"".join((*pieces, raw[at:]))


_ESCAPE: Final = re.compile(r"\\u([0-9a-fA-F]{4})")


def _letter(escape: "re.Match[str]") -> str:
    return chr(int(escape[1], 16))


def _end_of_value(raw: bytes, at: int) -> int:
    """Where the value that begins here ends; the end of all where that does not show."""
    if quote := _QUOTE.match(raw, at):
        end = re.compile(rb"(?<!\\)" + re.escape(quote[0])).search(raw, quote.end())
        return end.end() if end else len(raw)
    if raw[at : at + 1] not in (b"{", b"["):
        bare = _BARE.match(raw, at)
        return bare.end() if bare else at
    depth = 0
    for token in _BRACKET.finditer(raw, at):
        depth += {b"{": 1, b"[": 1, b"}": -1, b"]": -1}.get(token[0], 0)
        if depth == 0:
            return token.end()
    return len(raw)
