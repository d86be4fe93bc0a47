"""What is kept of what nobody could use: never a secret, a network or a picture."""

import gzip
import json
import time
from typing import Any

import pytest

from tracking.ingest.quarantine import (
    MAX_KEPT_OF_REQUEST,
    MAX_PAYLOAD,
    MAX_READ,
    Refused,
    kept_payload,
    unusable,
)
from tracking.ingest.sent import Refusal

TOKEN = "mpd_" + "Zk3vQ8-hT2yLrWq0nB5sXcJ7uE9aGmPd1iOf4RtYwVA"
SECRET = "Depot-Gent-5G"
REFUSAL = Refusal("body_invalid", "the body is not valid JSON")


@pytest.mark.parametrize(
    "name",
    [
        "SSID", "ssid", "BSSID", "wifi", "wifi_name", "token", "notificationToken", "access_token",
        "refreshToken", "password", "pass", "Authorization", "api-key", "cell", "androidId", "aid",
        "serial", "ser", "unique_id", "desc", "comment", "notes", "poi", "image", "inregions",
        "user", "session_id", "client_secret", "deviceIdentifierForVendor",
    ],
)  # fmt: skip
def test_what_stands_under_such_a_name_is_taken_out(name: str) -> None:
    value: dict[str, Any] = {"lat": 91, "properties": [{name: SECRET, "acc": 5}]}
    for kept in (
        kept_payload(value),
        kept_payload(json.dumps(value).encode()),
        kept_payload(json.dumps(value).encode() + b"]"),  # no JSON any more
        kept_payload(json.dumps(value, indent=1).encode()[:-5]),
        kept_payload(f"lat=91&{name}={SECRET}&acc=5".encode()),
        kept_payload(f"{name}={SECRET}&lat=91&acc=5".encode()),
        kept_payload(f"lat: 91; acc: 5; {name}: {SECRET}".encode()),
    ):
        assert SECRET.encode() not in kept
        assert b"91" in kept
        assert b"acc" in kept


@pytest.mark.parametrize(
    "source",
    [
        f"data=%7B%22ssid%22%3A%22{SECRET}%22%7D&lat=91".encode(),
        f"lat=91&%73%73%69d={SECRET}".encode(),
        f"lat=91&w%69f%69={SECRET}".encode(),
        b"lat=91&id=" + TOKEN.replace("_", "%5F").encode(),
        {"lat": 91, "extras": json.dumps({"ssid": SECRET})},
        {"lat": 91, "extras": json.dumps({"a": json.dumps({"ssid": SECRET, "b": "c"})})},
        {"lat": 91, "extras": f"wifi={SECRET}"},
        {"lat": 91, "extras": f"%7B%22wifi%22:%22{SECRET}%22"},
        f'{{"lat":91,"wifi":{{"name":"{SECRET}"'.encode(),
        f'{{"lat":91,"wifi":["a",{{"name":"{SECRET}"}},"}}"],"x":'.encode(),
        f'{{"\\u0073sid":"{SECRET}","lat":91'.encode(),
        f'{{"a":"{{\\"ssid\\": \\"{SECRET}\\"}}","lat":91'.encode(),
        b"\xef\xbb\xbf" + json.dumps({"lat": 91, "wifi": {"name": SECRET}}).encode(),
        b"\r\n " + json.dumps({"lat": 91, "wifi": {"name": SECRET}}).encode(),
    ],
)
def test_a_secret_that_hides_is_found(source: object) -> None:
    kept = kept_payload(source)
    assert SECRET.encode() not in kept
    assert TOKEN[5:].encode() not in kept
    assert b"91" in kept


@pytest.mark.parametrize(
    "source",
    [
        gzip.compress(b'{"ssid": "' + SECRET.encode() + b'"}', mtime=0)[:-9],
        f'--b\r\nContent-Disposition: form-data; name="ssid"\r\n\r\n{SECRET}\r\n'.encode(),
        b"lat=50.85&image=" + b"x" * MAX_READ + b"&lon=4.3512",
    ],
)
def test_nothing_is_kept_of_what_hides_its_words(source: bytes) -> None:
    assert kept_payload(source) == b""


def test_a_word_that_looks_like_a_credential_leaves_the_json_whole() -> None:
    assert json.loads(kept_payload({"mode": "Basic abc", "lat": 91})) == {"mode": "...", "lat": 91}


def test_a_long_hostile_text_takes_no_time() -> None:
    for text in ('"' * 65_536, '"a":{' * 13_000, "\\" * 65_536, '"ssid":[' * 8_000):
        begin = time.perf_counter()
        kept_payload(b"{" + text.encode())
        kept_payload({"x": text})
        assert time.perf_counter() - begin < 2


def test_a_token_is_taken_out_wherever_it_stands() -> None:
    for source in (
        {"topic": f"owntracks/{TOKEN}/x", "lat": 91},
        f"lat=91&id={TOKEN}".encode(),
        f'{{"lat": 91, "id": "{TOKEN}'.encode(),
        f"lat 91 Authorization Bearer {TOKEN}".encode(),
        f"lat 91 {TOKEN}".encode(),
    ):
        kept = kept_payload(source)
        assert TOKEN[:12].encode() not in kept
        assert b"91" in kept


def test_what_may_be_kept_is_kept_as_it_is() -> None:
    form = b"lat=91&lon=4.35&timestamp=1790000000&speed=27.0&batt=81&odd=%C3%A9&b"
    assert kept_payload(form) == form
    value = {"lat": float("nan"), "lon": 4.35, "name": "é", "list": [1, None, True]}
    kept = kept_payload(value)
    assert str(json.loads(kept)) == str(value)
    assert kept_payload(b"\xff\x00\xfe") == b"\xff\x00\xfe"


def test_half_a_surrogate_and_a_bottomless_value_are_no_trouble() -> None:
    assert json.loads(kept_payload({"name": "\ud800"})) == {"name": "\ud800"}
    deep: list[Any] = []
    for _ in range(100_000):
        deep = [deep]
    assert kept_payload(deep) == b""


def test_8_kb_are_kept_and_it_says_so() -> None:
    (kept,) = unusable([Refused(REFUSAL, b"x" * 20_000, None)])
    assert kept.payload == b"x" * MAX_PAYLOAD
    assert "8 KB" in kept.detail
    (whole,) = unusable([Refused(REFUSAL, b"x" * MAX_PAYLOAD, None)])
    assert whole.detail == REFUSAL.detail


def test_past_a_thousand_of_one_request_only_numbers_are_kept() -> None:
    many = [Refused(REFUSAL, b"%d" % n, n) for n in range(MAX_KEPT_OF_REQUEST + 7)]
    *kept, rest = unusable(many)
    assert len(kept) == MAX_KEPT_OF_REQUEST
    assert (rest.payload, rest.payload_hash, rest.count) == (None, None, 7)


def test_the_same_payload_has_the_same_hash() -> None:
    first, again, other = unusable([Refused(REFUSAL, body, None) for body in (b"a", b"a", b"b")])
    assert first.payload_hash == again.payload_hash != other.payload_hash
