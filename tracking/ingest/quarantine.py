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

from accounts.secrets import API_KEY_PREFIX, DEVICE_PREFIX
from tracking.ingest.sent import Refusal
from tracking.ingest.values import Unreadable, json_value

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
})  # fmt: skip
_SECRET: Final = re.compile(
    rb"(?:%s|%s)[\w-]+|\b(?:Bearer|Basic)\s+\S+" % (DEVICE_PREFIX.encode(), API_KEY_PREFIX.encode())
)
_JSON_PAIR: Final = re.compile(rb'"([^"\\]{1,60})"(\s*:\s*)("(?:[^"\\]|\\.)*"?|[^,{}\[\]\s]+)')
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
    """The bytes of a request without what may not be kept."""
    if isinstance(source, bytes):
        if source[:1] not in (b"{", b"["):
            return _cleaned(source)
        try:
            return _cleaned_json(json_value(source))
        except Unreadable:
            return _cleaned(source)
    return _cleaned_json(source)


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
    return value


def _cleaned(raw: bytes) -> bytes:
    """A form, or bytes that are nothing known: each secret's value is taken out."""
    raw = raw[:MAX_READ]
    pairs = [pair for pair in raw.split(b"&") if not _is_secret_pair(pair)]
    raw = _JSON_PAIR.sub(_blanked, b"&".join(pairs))
    return _SECRET.sub(b"...", _LOOSE_PAIR.sub(_blanked, raw))


def _is_secret_pair(pair: bytes) -> bool:
    name, equals, _ = pair.partition(b"=")
    return bool(equals) and len(name) <= 60 and is_secret(name.decode("utf-8", "replace"))


def _blanked(pair: "re.Match[bytes]") -> bytes:
    if not is_secret(pair[1].decode("utf-8", "replace")):
        return pair[0]
    quote = b'"' if pair[0].startswith(b'"') else b""
    return quote + pair[1] + quote + pair[2] + b"null"
