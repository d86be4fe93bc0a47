"""Histories as files: what they hold, and what a client that reads them slowly may cost."""

import asyncio
import csv
import io
import json
import time
from contextlib import aclosing
from typing import Any
from xml.etree import ElementTree

import pytest
from asgiref.sync import sync_to_async
from django.db import connection, connections
from django.test import AsyncClient

from accounts.models import Driver, Truck, User
from tests.cast import ClientFor, Phone, put_fixes
from tests.tracking.reading import drive, opened, streams_left, streams_open
from tracking.api import tracks
from tracking.turns import Turns

pytestmark = pytest.mark.django_db
SUBJECTS = ["drivers", "trucks", "missions"]
ENDINGS = ["geojson", "gpx", "csv"]
RANGE = {"from": "2026-11-24T00:00:00Z", "to": "2026-11-25T00:00:00Z"}
GPX = "{http://www.topografix.com/GPX/1/1}"


@pytest.fixture
def driven(ada_phone: Phone, truck12: Truck) -> dict[str, Any]:
    """ada drove truck 12 on a mission for thirty minutes; the three subjects of that."""
    mission = opened(ada_phone.driver, 0, 60, truck=truck12, external_id="M-1")
    put_fixes(ada_phone, drive(0, 30), truck=truck12, mission=mission)
    return {"drivers": ada_phone.driver, "trucks": truck12, "missions": mission}


def path(subject: str, driven: dict[str, Any], ending: str = "") -> str:
    return f"/api/v1/{subject}/{driven[subject].uuid}/fixes{ending}"


def read_file(user: User, url: str, query: dict[str, str]) -> tuple[Any, bytes]:
    """The response and its whole body, read as the server does: on an event loop."""

    async def read() -> tuple[Any, bytes]:
        client = AsyncClient()
        await client.aforce_login(user)
        response: Any = await client.get(url, query)
        assert response.is_async
        body = b"".join([chunk async for chunk in response])
        # The view ran in a thread of its own, whose connection nobody else would close.
        await sync_to_async(connections.close_all)()
        return response, body

    return asyncio.run(read())


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize("subject", SUBJECTS)
def test_files_are_complete_and_parseable(dee: User, driven: dict[str, Any], subject: str) -> None:
    bodies = {}
    for ending in ENDINGS:
        response, body = read_file(dee, path(subject, driven, f".{ending}"), RANGE)
        assert response.status_code == 200
        assert response["Content-Disposition"].endswith(f'.{ending}"')
        bodies[ending] = body.decode()

    features = json.loads(bodies["geojson"])["features"]
    points = ElementTree.fromstring(bodies["gpx"]).findall(f".//{GPX}trkpt")  # noqa: S314
    rows = list(csv.DictReader(io.StringIO(bodies["csv"])))
    assert len(features) == len(points) == len(rows) == 30
    times = [row["recorded_at"] for row in rows]
    assert times == [feature["properties"]["recorded_at"] for feature in features]
    assert times == [point.findtext(f"{GPX}time") for point in points]
    assert features[0]["geometry"]["coordinates"] == [4.35, 50.85]
    for row in rows:
        assert row["driver"] == str(driven["drivers"].uuid)
        assert row["truck"] == str(driven["trucks"].uuid)
        assert row["mission"] == str(driven["missions"].uuid)
    assert rows[0]["local_time"] == "2026-11-24T09:00:00+01:00"


@pytest.mark.django_db(transaction=True)
def test_an_empty_history_is_an_empty_file(dee: User, ada: Driver) -> None:
    url = f"/api/v1/drivers/{ada.uuid}/fixes"
    assert json.loads(read_file(dee, f"{url}.geojson", RANGE)[1])["features"] == []
    assert len(read_file(dee, f"{url}.csv", RANGE)[1].splitlines()) == 1
    ElementTree.fromstring(read_file(dee, f"{url}.gpx", RANGE)[1])  # noqa: S314


@pytest.mark.django_db(transaction=True)
def test_a_stream_leaves_djangos_connection_to_others(dee: User, driven: dict[str, Any]) -> None:
    """A client that does not read would else hold one of the pool's few."""

    async def is_left_after(url: str) -> bool:
        client = AsyncClient()
        await client.aforce_login(dee)
        response: Any = await client.get(url, RANGE)
        assert response.status_code == 200
        is_left: bool = await sync_to_async(lambda: connection.connection is None)()
        await sync_to_async(response.close)()
        await sync_to_async(connections.close_all)()
        return is_left

    assert asyncio.run(is_left_after(path("drivers", driven, ".csv")))
    # The view ran in the thread that was asked: a page leaves its connection open there.
    assert not asyncio.run(is_left_after(path("drivers", driven)))


@pytest.mark.django_db(transaction=True)
def test_one_export_too_many_is_told_to_come_back(
    client_for: ClientFor, driven: dict[str, Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(tracks, "turns", Turns(2))
    monkeypatch.setattr(tracks, "TURN_PATIENCE_S", 0.01)
    client, url = client_for("dispatcher"), path("drivers", driven, ".csv")
    first, second = client.get(url, RANGE), client.get(url, RANGE)
    assert (first.status_code, second.status_code) == (200, 200)
    third = client.get(url, RANGE)
    assert (third.status_code, third.json()["code"]) == (503, "exports_busy")
    assert third["Retry-After"] == "30"
    # Pages are no exports.
    assert client.get(path("drivers", driven), RANGE).status_code == 200
    first.close()
    first.close()
    # Held: a turn comes back also from a response that nobody holds.
    fourth = client.get(url, RANGE)
    assert (fourth.status_code, client.get(url, RANGE).status_code) == (200, 503)
    second.close()
    fourth.close()


@pytest.mark.django_db(transaction=True)
def test_a_client_that_does_not_read_is_left(
    dee: User, ada_phone: Phone, monkeypatch: pytest.MonkeyPatch
) -> None:
    put_fixes(ada_phone, drive(0, 30, 0.01))
    monkeypatch.setattr(tracks, "CHUNK_PATIENCE_S", 0.2)
    monkeypatch.setattr(tracks, "turns", Turns(1))
    left: list[tuple[int, bool]] = []

    async def read_and_stop() -> None:
        client = AsyncClient()
        await client.aforce_login(dee)
        response: Any = await client.get(
            f"/api/v1/drivers/{ada_phone.driver.uuid}/fixes.csv", RANGE
        )
        try:
            async with aclosing(aiter(response)) as pieces:
                assert await anext(pieces)
                assert await anext(pieces)
                assert streams_open() == 1
                assert not tracks.turns.take(0)
                try:
                    await asyncio.sleep(20)
                except asyncio.CancelledError:
                    # All is given back before the server lets go of its sending.
                    left.append((streams_left(), tracks.turns.take(0)))
                    raise
        finally:
            await sync_to_async(connections.close_all)()

    began_s = time.monotonic()
    with pytest.raises(asyncio.CancelledError):
        asyncio.run(read_and_stop())
    assert time.monotonic() - began_s < 10
    assert left == [(0, True)]


def test_a_file_does_not_mind_what_the_client_accepts(
    client_for: ClientFor, driven: dict[str, Any]
) -> None:
    for ending in ENDINGS:
        response = client_for("dispatcher").get(
            path("drivers", driven, f".{ending}"), RANGE, HTTP_ACCEPT="image/png"
        )
        assert response.status_code == 200


@pytest.mark.parametrize("ending", ENDINGS)
def test_a_wrong_parameter_of_a_file_is_a_problem_not_a_broken_file(
    client_for: ClientFor, driven: dict[str, Any], ending: str
) -> None:
    response = client_for("dispatcher").get(path("trucks", driven, f".{ending}"), {"from": "x"})
    assert response.status_code == 400
    assert response.json()["errors"][0]["pointer"] == "/from"
