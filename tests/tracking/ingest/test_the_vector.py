"""The acceptance vector as a phone sends it and as the API answers it."""

from datetime import UTC, datetime, timedelta
from itertools import chain
from typing import Any

import pytest
from rest_framework.test import APIClient

from missions.models import Mission, Stop
from tests.cast import ClientFor, Phone
from tests.tracking.ingest.asgi_phone import AsgiPhone, fix

FIRST, SECOND = 2.3909544, 2.4182573
EIGHT = (datetime.now(UTC) - timedelta(days=1)).replace(hour=8, minute=0, second=0, microsecond=0)


def sent(seconds: float, longitude: float, **more: Any) -> dict[str, Any]:
    return fix(EIGHT + timedelta(seconds=seconds), 48.85, longitude, mission="M-1", **more)


@pytest.fixture
def feed(mission: Mission) -> list[dict[str, Any]]:
    """Two moves, 17 minutes at the first stop, ten and no departure at the second."""
    stops = [
        Stop.objects.create(employer=mission.employer, mission=mission, seq=seq) for seq in (1, 2)
    ]
    first, second = (str(stop.uuid) for stop in stops)
    out = [sent(60 * n, 2.35 + (FIRST - 2.35) * n / 6) for n in range(7)]
    on = [sent(1410 + 60 * n, FIRST + (SECOND - FIRST) * n / 4) for n in range(1, 5)]
    return [
        sent(0, 2.35, kind="departure"),
        *out,
        sent(390, FIRST, kind="arrival", stop=first),
        sent(1290, FIRST, kind="signature", stop=first),
        sent(1410, FIRST, kind="departure", stop=first),
        *on,
        sent(1670, SECOND, kind="arrival", stop=second),
        sent(2270, SECOND),
    ]


def timeline(client: APIClient, mission: Mission) -> dict[str, Any]:
    body: dict[str, Any] = client.get(f"/api/v1/missions/{mission.uuid}/timeline").json()
    return body


def check(body: dict[str, Any]) -> None:
    lasting = [one for one in body["entries"] if one["type"] != "stage"]
    assert [one["type"] for one in lasting] == ["move", "dwell", "move", "dwell"]
    assert lasting[0]["distance_m"] == pytest.approx(2_996.6, abs=1)
    assert (lasting[1]["duration_s"], lasting[1]["is_open"]) == (1020, False)
    assert lasting[2]["distance_m"] == pytest.approx(1_997.8, abs=1)
    assert lasting[3]["is_open"]
    assert lasting[3]["duration_s"] >= 600


def test_online_and_in_order(
    ingest: AsgiPhone, ada_phone: Phone, mission: Mission, feed: list[dict[str, Any]],
    client_for: ClientFor,
) -> None:  # fmt: skip
    for one in feed:
        assert ingest.post(ada_phone.token, [one]).statuses == ["stored"]
    check(timeline(client_for("dispatcher"), mission))


def test_late_twice_and_backwards(
    ingest: AsgiPhone, ada_phone: Phone, mission: Mission, feed: list[dict[str, Any]],
    client_for: ClientFor,
) -> None:  # fmt: skip
    backwards = [feed[n : n + 3] for n in range(0, len(feed), 3)][::-1]
    for batch in chain(backwards, backwards):
        assert ingest.post(ada_phone.token, batch).status == 200
    client = client_for("dispatcher")
    check(timeline(client, mission))
    times = client.get(f"/api/v1/missions/{mission.uuid}/stops/times").json()
    first, second = times["results"]
    assert (first["dwell_s"], first["unloading_s"]) == (1020, None)
    assert second["arrived_at"] == (EIGHT + timedelta(seconds=1670)).strftime("%Y-%m-%dT%H:%M:%SZ")
    assert second["dwell_s"] is None
