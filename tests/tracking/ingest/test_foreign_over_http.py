"""Off-the-shelf clients on a real socket: encoded paths, HEAD, slashes, no database."""

from datetime import datetime
from urllib.parse import quote

import httpx
import pytest

from tests.cast import Phone
from tests.tracking.ingest.asgi_phone import AsgiPhone
from tests.tracking.ingest.foreign_clients import NAMES, SUCCESS, bodies, fixes
from tests.tracking.ingest.test_over_http import port
from tracking.models import QuarantinedFix

__all__ = ["port"]
pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.slow]


def test_every_client_is_answered_in_its_words(port: int, traccar: Phone, now: datetime) -> None:
    for name in NAMES:
        rest, body, headers = bodies(now)[name]
        address = f"http://127.0.0.1:{port}/ingest/{name}/{traccar.token}{rest}"
        for slash in ("", "/"):
            answer = httpx.post(address + slash, content=body, headers=headers)
            assert (answer.status_code, answer.content) == (200, SUCCESS[name]), name
            assert answer.headers["content-length"] == str(len(SUCCESS[name]))
    assert fixes(traccar) == 1


def test_odd_paths_and_methods(port: int, traccar: Phone, now: datetime) -> None:
    base = f"http://127.0.0.1:{port}/ingest"
    _, body, headers = bodies(now)["phonetrack"]
    for device in ("Ada's phone", "téléphone", "a/b", "%", "?lat=1", "#x"):
        path = f"{base}/phonetrack/index.php/apps/phonetrack/logPost/{traccar.token}"
        answer = httpx.post(f"{path}/{quote(device, safe='')}", content=body, headers=headers)
        assert answer.content == SUCCESS["phonetrack"], device
    assert fixes(traccar) == 1
    assert not QuarantinedFix.objects.exists()
    head = httpx.head(f"{base}/ulogger/{traccar.token}/client/index.php")
    assert (head.status_code, head.content) == (200, b"")
    get = httpx.get(f"{base}/gpslogger/{traccar.token}", params=body.decode())
    assert (get.status_code, fixes(traccar)) == (200, 1)
    assert httpx.get(f"{base}/owntracks/{traccar.token}").status_code == 405
    assert httpx.post(f"{base}/owntracks/{traccar.token[:-1]}", content=b"{}").status_code == 401


def test_while_the_database_is_away_every_client_keeps_its_fixes(
    traccar: Phone, now: datetime, transactional_db: None
) -> None:
    ingest = AsgiPhone(conninfo="host=127.0.0.1 port=1 dbname=x")
    try:
        for name in NAMES:
            rest, body, headers = bodies(now)[name]
            path = f"/ingest/{name}/{traccar.token}{rest}"
            answer = ingest.send(body, headers, path=path)
            assert (answer.status, answer.headers["retry-after"]) == (503, "5"), name
    finally:
        ingest.close()
    assert fixes(traccar) == 0
