"""The native contract as a phone sees it, answer by answer."""

import gzip
import json
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from django.db.models.functions import Now

from accounts.models import Device, DeviceToken, TokenScope
from tests.cast import Phone, make_phone
from tests.tracking.ingest.asgi_phone import Answered, AsgiPhone, fix
from tracking.models import Fix

pytestmark = pytest.mark.django_db(transaction=True)
JSON = "application/json"


def count(phone: Phone) -> int:
    return Fix.objects.filter(driver_id=phone.driver.pk).count()


def is_problem(answer: Answered, status: int, code: str) -> bool:
    """Whether the answer is that problem, in the form of RFC 9457."""
    return (
        answer.status == status
        and answer.headers["content-type"] == "application/problem+json"
        and (answer.json["status"], answer.json["code"]) == (status, code)
        and bool(answer.json["title"])
    )


def test_it_answers_with_an_outcome_for_each_fix(
    ingest: AsgiPhone, ada_phone: Phone, now: datetime
) -> None:
    ahead = datetime.now(UTC) + timedelta(hours=1)
    answer = ingest.post(ada_phone.token, [fix(now), fix(now), fix(ahead)], zipped=True)
    assert answer.status == 200
    assert answer.headers["cache-control"] == "no-store"
    body = answer.json
    assert "10 minutes" in body["results"][2].pop("detail")
    assert body == {
        "received": 3,
        "stored": 1,
        "duplicates": 1,
        "thinned": 0,
        "outside_window": 0,
        "refused": 1,
        "results": [
            {"index": 0, "status": "stored"},
            {"index": 1, "status": "duplicate"},
            {"index": 2, "status": "refused", "reason": "recorded_at_in_future"},
        ],
    }


@pytest.mark.parametrize(
    ("changed", "reason"),
    [
        ({"latitude": 91}, "latitude_out_of_range"),
        ({"longitude": -180.5}, "longitude_out_of_range"),
        ({"latitude": "50.85"}, "latitude_invalid"),
        ({"latitude": None}, "latitude_missing"),
        ({"latitude": 0, "longitude": 0}, "place_unlikely"),
        ({"recorded_at": "1901-12-13T00:00:00Z"}, "recorded_at_too_old"),
        ({"recorded_at": "9999-12-31T23:59:59Z"}, "recorded_at_in_future"),
        ({"recorded_at": "2026-11-22T08:15:30"}, "recorded_at_without_zone"),
        ({"recorded_at": "yesterday"}, "recorded_at_invalid"),
        ({"recorded_at": 1_700_000_000}, "recorded_at_invalid"),
        ({"recorded_at": None}, "recorded_at_invalid"),
        ({"kind": "teleport"}, "kind_unknown"),
        ({"kind": "exception"}, "reason_unknown"),
        ({"kind": "exception", "reason": "aliens"}, "reason_unknown"),
        ({"mission": 7}, "mission_invalid"),
    ],
)
def test_it_refuses_one_fix_by_name_and_stores_its_neighbour(
    changed: dict[str, Any], reason: str, ingest: AsgiPhone, ada_phone: Phone, now: datetime
) -> None:
    answer = ingest.post(ada_phone.token, [fix(now, 50.1), fix(now) | changed])
    assert answer.statuses == ["stored", "refused"]
    assert answer.reasons[1] == reason
    assert answer.json["results"][1]["detail"]
    assert count(ada_phone) == 1


@pytest.mark.parametrize(
    ("name", "value"),
    [("speed_mps", -1), ("battery", 300), ("heading_deg", 361), ("odometer_m", 9e12)],
)
def test_an_impossible_extra_is_left_out_and_does_not_cost_the_fix(
    name: str, value: float, ingest: AsgiPhone, ada_phone: Phone, now: datetime
) -> None:
    (result,) = ingest.post(ada_phone.token, [fix(now, **{name: value})]).json["results"]
    assert result["status"] == "stored"
    assert result["warnings"] == [f"{name}_out_of_range"]
    assert getattr(Fix.objects.get(driver_id=ada_phone.driver.pk), name) is None


def test_numbers_too_small_for_a_column_do_not_cost_the_fix(
    ingest: AsgiPhone, ada_phone: Phone, now: datetime
) -> None:
    tiny = {"speed_mps": 1e-46, "accuracy_m": 5e-324, "battery": 1e-300, "altitude_m": -1e-310}
    assert ingest.post(ada_phone.token, [fix(now, **tiny)]).statuses == ["stored"]
    stored = Fix.objects.get(driver_id=ada_phone.driver.pk)
    assert (stored.speed_mps, stored.accuracy_m, stored.altitude_m) == (0, 0, 0)


def test_text_that_is_no_unicode_costs_one_fix(
    ingest: AsgiPhone, ada_phone: Phone, now: datetime
) -> None:
    broken = fix(now, mission="MARK")
    body = json.dumps({"fixes": [fix(now, 50.1), broken]}).replace("MARK", "\\ud800").encode()
    headers = {"content-type": JSON, "authorization": f"Bearer {ada_phone.token}"}
    assert ingest.send(body, headers).statuses == ["stored", "refused"]


def test_unknown_fields_are_ignored_and_of_a_doubled_key_the_last_wins(
    ingest: AsgiPhone, ada_phone: Phone, now: datetime
) -> None:
    odd = '{"recorded_at": "AT", "latitude": 91, "latitude": 50.85, "longitude": 4.35, "wifi": []}'
    body = f'{{"app": "9.1", "fixes": [{odd}]}}'.replace("AT", now.isoformat()).encode()
    headers = {"content-type": JSON, "authorization": f"Bearer {ada_phone.token}"}
    assert ingest.send(body, headers).statuses == ["stored"]


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"[",
        b"[]",
        b"{}",
        b'{"fixes": 3}',
        b'{"fixes": []}',
        b'{"fixes": [NaN]}',
        b'{"fixes": [{"recorded_at": "2026-11-22T08:15:30Z", "latitude": NaN}]}',
        b'{"fixes": [' + b"[" * 500_000,
        b'{"fixes": [' + b"1," * 400_000 + b"1]}",
        b'{"fixes": [' + b'{"a":' * 100_000 + b"1" + b"}" * 100_000 + b"]}",
        b"\xff\xfe{}",
        b"null",
    ],
    ids=lambda body: repr(body[:20]),
)
def test_a_body_of_another_shape_is_a_problem_not_an_error(
    body: bytes, ingest: AsgiPhone, ada_phone: Phone
) -> None:
    headers = {"content-type": JSON, "authorization": f"Bearer {ada_phone.token}"}
    answer = ingest.send(body, headers)
    assert is_problem(answer, 400, "body_invalid")
    assert answer.json["detail"]


def test_more_than_a_thousand_fixes_are_too_many(
    ingest: AsgiPhone, ada_phone: Phone, now: datetime
) -> None:
    answer = ingest.post(ada_phone.token, [fix(now)] * 1001)
    assert is_problem(answer, 400, "body_invalid")
    assert "1001" in answer.json["detail"]
    answer = ingest.post(ada_phone.token, [{"latitude": "x"}] * 1001)
    assert is_problem(answer, 400, "body_invalid")


def test_gzip_is_unpacked_within_bounds(ingest: AsgiPhone, ada_phone: Phone, now: datetime) -> None:
    headers = {
        "content-type": JSON,
        "content-encoding": "gzip",
        "authorization": f"Bearer {ada_phone.token}",
    }
    good = gzip.compress(json.dumps({"fixes": [fix(now)]}).encode())
    bomb = gzip.compress(b" " * 50_000_000)
    assert len(bomb) < 1_000_000
    assert ingest.send(good, headers).statuses == ["stored"]
    assert is_problem(ingest.send(bomb, headers), 413, "body_too_large")
    assert is_problem(ingest.send(good[:-9], headers), 400, "gzip_broken")
    assert is_problem(ingest.send(good + b"more", headers), 400, "gzip_broken")
    assert is_problem(ingest.send(b"\x1f\x8b\x08broken", headers), 400, "gzip_broken")
    assert is_problem(ingest.send(b"", headers), 400, "gzip_broken")
    headers["content-encoding"] = "br"
    answer = ingest.send(good, headers)
    assert is_problem(answer, 415, "content_encoding_unsupported")


def test_a_body_over_a_megabyte_is_too_large(ingest: AsgiPhone, ada_phone: Phone) -> None:
    headers = {"content-type": JSON, "authorization": f"Bearer {ada_phone.token}"}
    answer = ingest.send(b" " * 1_000_001, headers)
    assert is_problem(answer, 413, "body_too_large")


def test_another_content_type_method_or_path_is_said(ingest: AsgiPhone, ada_phone: Phone) -> None:
    headers = {"content-type": "text/plain", "authorization": f"Bearer {ada_phone.token}"}
    assert is_problem(ingest.send(b"{}", headers), 415, "content_type_unsupported")
    answer = ingest.send(b"", headers, method="GET")
    assert is_problem(answer, 405, "method_not_allowed")
    assert answer.headers["allow"] == "POST"
    assert is_problem(ingest.send(b"", headers, path="/ingest/v2/fixes"), 404, "not_found")
    headers["content-type"] = "application/json; charset=utf-8"
    assert is_problem(ingest.send(b"{}", headers, path="/ingest/v1/fixes/"), 400, "body_invalid")


@pytest.mark.parametrize("token", [None, "", "nope", "mpd_" + "x" * 43, "ü" * 10, "x" * 5000])
def test_it_refuses_who_has_no_token(token: str | None, ingest: AsgiPhone, now: datetime) -> None:
    answer = ingest.post(token, [fix(now)])
    assert is_problem(answer, 401, "token_unknown")
    assert answer.headers["www-authenticate"] == "Bearer"


def test_it_refuses_a_bad_token_even_for_fixes_that_are_all_bad(
    ingest: AsgiPhone, ada_phone: Phone
) -> None:
    assert ingest.post(ada_phone.token, [{"latitude": 1}]).status == 200
    assert ingest.post("nope", [{"latitude": 1}]).status == 401


def test_a_revoked_phone_is_refused_on_the_very_next_request(
    ingest: AsgiPhone, ada_phone: Phone, now: datetime
) -> None:
    assert ingest.post(ada_phone.token, [fix(now)]).status == 200
    Device.objects.filter(pk=ada_phone.device.pk).update(revoked_at=Now())
    assert ingest.post(ada_phone.token, [fix(now, 50.1)]).status == 401
    assert count(ada_phone) == 1


def test_an_expired_token_is_refused_and_the_other_one_of_the_phone_is_not(
    ingest: AsgiPhone, ada_phone: Phone, now: datetime
) -> None:
    old = make_phone(ada_phone.driver)
    DeviceToken.objects.filter(device=old.device).update(device=ada_phone.device, expires_at=Now())
    assert ingest.post(old.token, [fix(now)]).status == 401
    assert ingest.post(ada_phone.token, [fix(now)]).status == 200


def test_an_ingest_token_opens_the_native_dialect_too(
    ingest: AsgiPhone, ada_phone: Phone, now: datetime
) -> None:
    foreign = make_phone(ada_phone.driver, scope=TokenScope.INGEST)
    assert ingest.post(foreign.token, [fix(now)]).statuses == ["stored"]
