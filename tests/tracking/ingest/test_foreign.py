"""Off-the-shelf clients over ASGI: what is stored, under which token, and what each is told."""

import asyncio
import time
from base64 import b64encode
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from accounts.models import Device, DeviceToken, Driver, TokenScope
from tests.cast import Phone, make_phone
from tests.tracking.ingest.asgi_phone import AsgiPhone
from tests.tracking.ingest.foreign_clients import (
    FORM,
    JSON,
    NAMES,
    as_json,
    feature,
    fixes,
    is_success,
    location,
    post,
    record,
    stamp,
)
from tests.tracking.ingest.test_app import is_problem
from tracking.ingest.http import BodyLimits, BodyRefused, read_sent_body
from tracking.ingest.off_the_shelf import LIMITS
from tracking.ingest.sent import DISTANCE, HEARTBEAT
from tracking.models import Fix, QuarantinedFix

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.mark.parametrize("name", NAMES)
def test_a_fix_is_stored_once_and_the_client_told_so(
    name: str, ingest: AsgiPhone, traccar: Phone, now: datetime
) -> None:
    assert is_success(name, post(ingest, name, traccar.token, now))
    assert is_success(name, post(ingest, name, traccar.token, now))
    stored = Fix.objects.get(driver_id=traccar.driver.pk)
    assert (stored.latitude, stored.longitude, stored.kind) == (50.85, 4.35, DISTANCE)
    assert (stored.recorded_at, stored.device_id) == (now, traccar.device.pk)
    assert not QuarantinedFix.objects.exists()


@pytest.mark.parametrize("name", NAMES)
def test_one_fix_is_the_same_fix_through_every_client(
    name: str, ingest: AsgiPhone, traccar: Phone, now: datetime
) -> None:
    post(ingest, "osmand", traccar.token, now)
    post(ingest, name, traccar.token, now)
    assert fixes(traccar) == 1


@pytest.mark.parametrize("name", NAMES)
def test_a_token_that_opens_nothing_gets_401(
    name: str, ingest: AsgiPhone, traccar: Phone, ada_phone: Phone, now: datetime
) -> None:
    assert is_success(name, post(ingest, name, traccar.token, now))
    assert fixes(traccar) == 1
    later = now + timedelta(minutes=1)
    # Our own app's token is not taken by any of them.
    for token in ("mpd_" + "x" * 43, ada_phone.token, "nobody"):
        assert is_problem(post(ingest, name, token, later), 401, "token_unknown")
    Device.objects.filter(pk=traccar.device.pk).update(revoked_at=now)
    assert is_problem(post(ingest, name, traccar.token, later), 401, "token_unknown")
    assert fixes(traccar) == 1


def test_an_app_token_is_refused_in_every_place(
    ingest: AsgiPhone, ada_phone: Phone, now: datetime
) -> None:
    basic = "Basic " + b64encode(f"u:{ada_phone.token}".encode()).decode()
    body = as_json(location(now))
    for authorization in (basic, f"Bearer {ada_phone.token}", ada_phone.token):
        headers = JSON | {"authorization": authorization}
        assert ingest.send(body, headers, path="/ingest/owntracks").status == 401
    assert fixes(ada_phone) == 0


@pytest.mark.parametrize(
    "authorization",
    ["Bearer {}", "bearer {}", "{}", "Basic {}:"],
)
def test_the_token_comes_in_a_header_too(
    authorization: str, ingest: AsgiPhone, traccar: Phone, now: datetime
) -> None:
    headers = JSON | {"authorization": authorization.format(traccar.token)}
    body = as_json({"locations": [feature(now)]})
    assert is_success("overland", ingest.send(body, headers, path="/ingest/overland/"))
    assert fixes(traccar) == 1


@pytest.mark.parametrize("charset", ["utf-8", "latin-1"])
@pytest.mark.parametrize("pair", ["ada:{}", ":{}", "{}:", "Téléphone: 12:{}"])
def test_basic_takes_the_token_as_password_or_as_name(
    pair: str, charset: str, ingest: AsgiPhone, traccar: Phone, now: datetime
) -> None:
    encoded = b64encode(pair.format(traccar.token).encode(charset)).decode()
    headers = JSON | {"authorization": f"Basic {encoded}"}
    answer = ingest.send(as_json(location(now)), headers, path="/ingest/owntracks")
    assert is_success("owntracks", answer)
    assert fixes(traccar) == 1


def test_overlands_owntracks_mode_is_read_in_its_own_epoch(
    ingest: AsgiPhone, traccar: Phone, now: datetime
) -> None:
    headers = JSON | {"authorization": f"Basic {traccar.token}:"}
    odd = location(now) | {"tst": stamp(now) - 978_307_200}
    assert is_success("owntracks", ingest.send(as_json(odd), headers, path="/ingest/owntracks"))
    assert Fix.objects.get(driver_id=traccar.driver.pk).recorded_at == now


def test_phonetracks_own_path_is_understood(
    ingest: AsgiPhone, traccar: Phone, now: datetime
) -> None:
    base = "/ingest/phonetrack/index.php/apps/phonetrack"
    form = f"lat=50.85&lon=4.35&timestamp={stamp(now)}".encode()
    answer = ingest.send(form, FORM, path=f"{base}/logPost/{traccar.token}/Ada's phone")
    assert is_success("phonetrack", answer)
    points = {"points": [[50.86, 4.35, stamp(now), None, 5, 80, 0, "x", 0, 0]]}
    answer = ingest.send(
        as_json(points), JSON, path=f"{base}/logPostMultiple/{traccar.token}/Ada's phone"
    )
    assert is_success("phonetrack", answer)
    assert fixes(traccar) == 2


def test_ulogger_signs_in_and_then_comes_with_its_cookie(
    ingest: AsgiPhone, traccar: Phone, now: datetime
) -> None:
    path = "/ingest/ulogger/client/index.php"
    answer = ingest.send(b"action=auth&user=a&pass=wrong", FORM, path=path)
    assert answer.status == 401
    answer = ingest.send(f"action=auth&user=a&pass={traccar.token}".encode(), FORM, path=path)
    assert is_success("ulogger", answer)
    cookie = answer.headers["set-cookie"].split(";")[0]
    answer = ingest.send(b"action=addtrack&track=Monday", FORM | {"cookie": cookie}, path=path)
    assert answer.json == {"error": False, "trackid": 1}
    form = f"action=addpos&trackid=1&lat=50.85&lon=4.35&time={stamp(now)}".encode()
    answer = ingest.send(form, FORM | {"cookie": cookie}, path=path)
    assert is_success("ulogger", answer)
    assert fixes(traccar) == 1
    assert ingest.send(form, FORM, path=path).status == 401
    head = ingest.send(b"", {}, method="HEAD", path=f"/ingest/ulogger/{traccar.token}/client")
    assert head.status == 200


def test_a_get_on_owntracks_is_405_and_another_name_is_404(
    ingest: AsgiPhone, traccar: Phone
) -> None:
    answer = ingest.send(b"", {}, method="GET", path=f"/ingest/owntracks/{traccar.token}")
    assert is_problem(answer, 405, "method_not_allowed")
    for path in ("/ingest/", "/ingest/teleport/x", f"/ingest/v1/{traccar.token}"):
        assert is_problem(ingest.send(b"", {}, path=path), 404, "not_found")


def test_a_ping_is_stored_as_a_heartbeat(ingest: AsgiPhone, traccar: Phone, now: datetime) -> None:
    body = as_json(location(now, t="p"))
    assert is_success(
        "owntracks", ingest.send(body, JSON, path=f"/ingest/owntracks/{traccar.token}")
    )
    assert Fix.objects.get(driver_id=traccar.driver.pk).kind == HEARTBEAT


def test_a_rotated_token_is_good_until_it_ends(
    ingest: AsgiPhone, traccar: Phone, now: datetime
) -> None:
    tokens = DeviceToken.objects.filter(device=traccar.device)
    tokens.update(expires_at=datetime.now(UTC) + timedelta(days=14))
    assert is_success("osmand", post(ingest, "osmand", traccar.token, now))
    tokens.update(expires_at=datetime.now(UTC) - timedelta(seconds=1))
    assert post(ingest, "osmand", traccar.token, now).status == 401


def test_another_employers_phone_writes_only_there(
    ingest: AsgiPhone, traccar: Phone, cy_driver: Driver, now: datetime
) -> None:
    other = make_phone(cy_driver, scope=TokenScope.INGEST)
    body = as_json(location(now, topic=f"owntracks/{traccar.token}/x", tid="ad"))
    assert is_success("owntracks", ingest.send(body, JSON, path=f"/ingest/owntracks/{other.token}"))
    assert (fixes(other), fixes(traccar)) == (1, 0)


def test_a_long_body_is_read_only_for_a_phone_that_we_know(
    ingest: AsgiPhone, traccar: Phone, now: datetime
) -> None:
    batch = [record(now + timedelta(seconds=n), extras={"x": "y" * 300}) for n in range(5000)]
    body = as_json({"location": batch})
    assert len(body) > 1_000_000
    headers = JSON | {"content-length": str(len(body))}
    path = "/ingest/background_geolocation/"
    assert ingest.send(body, headers, path=path + "mpd_" + "x" * 43).status == 401
    assert is_success(
        "background_geolocation", ingest.send(body, headers, path=path + traccar.token)
    )
    assert fixes(traccar) == 5000
    too_long = JSON | {"content-length": "16000001"}
    assert is_problem(ingest.send(b"", too_long, path=path + traccar.token), 413, "body_too_large")


def test_while_a_hostile_body_is_read_others_are_answered(
    ingest: AsgiPhone, traccar: Phone, ben: Driver, now: datetime
) -> None:
    other = make_phone(ben, scope=TokenScope.INGEST)
    hostile = b'{"locations":[' + b",".join([b"1"] * 300_000) + b"]}"
    with ThreadPoolExecutor(1) as pool:
        slow = pool.submit(ingest.send, hostile, JSON, path=f"/ingest/overland/{traccar.token}")
        took = []
        while not slow.done():
            begin = time.perf_counter()
            assert is_success("osmand", post(ingest, "osmand", other.token, now))
            took.append(time.perf_counter() - begin)
        assert is_success("overland", slow.result())
    assert len(took) > 3
    assert QuarantinedFix.objects.count() == 1


async def _slowly() -> dict[str, object]:
    await asyncio.sleep(0.2)
    return {"type": "http.request", "body": b"{}", "more_body": False}


def test_a_slow_network_has_longer_than_any_client_waits() -> None:
    scope: dict[str, Any] = {"headers": []}
    hasty = BodyLimits(sent=10, plain=10, seconds=0.05)
    with pytest.raises(BodyRefused):
        asyncio.run(read_sent_body(scope, _slowly, hasty))
    assert asyncio.run(read_sent_body(scope, _slowly, replace(hasty, seconds=5))) == b"{}"
    assert LIMITS.seconds > 60


@pytest.mark.parametrize("name", NAMES)
def test_half_a_surrogate_costs_no_more_than_its_own_fix(
    name: str, ingest: AsgiPhone, traccar: Phone, now: datetime
) -> None:
    path = f"/ingest/{name}/{traccar.token}"
    odd = (
        rb'{"_type":"location","id":"\ud800","lat":"\ud800","tst":"\udfff","location":[{"uuid":'
        rb'"\ud800","coords":{"latitude":50}}],"locations":[{"properties":{"battery_state":'
        rb'"\ud800"}}],"points":[["\ud800",4,1,1,1,1,1,"\ud800"]]}'
    )
    assert is_success(name, ingest.send(odd, JSON | {"user-agent": "\xed\xa0\x80"}, path=path))
    assert is_success(name, post(ingest, name, traccar.token, now))
    assert fixes(traccar) == 1
    assert QuarantinedFix.objects.count() == 1


def test_half_a_surrogate_in_our_own_app_costs_its_own_fix(
    ingest: AsgiPhone, ada_phone: Phone, now: datetime
) -> None:
    good = {"recorded_at": now.isoformat(), "latitude": 50.85, "longitude": 4.35}
    fields = ("mission", "stop", "reason", "result", "note", "id", "position_source", "kind")
    odd = [{**good, "kind": "arrival", name: "\ud800"} for name in fields]
    answer = ingest.post(ada_phone.token, [good, *odd])
    assert answer.statuses == ["stored", *["refused"] * len(fields)]
    assert fixes(ada_phone) == 1
