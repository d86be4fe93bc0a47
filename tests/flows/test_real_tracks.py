"""Real tracks, posted as they are and then again shuffled: the same fixes, the same day."""

import csv
import gzip
from collections import defaultdict
from collections.abc import Iterator
from datetime import UTC, date, datetime
from pathlib import Path
from random import Random
from typing import Any

import pytest
from django.conf import settings

from accounts.models import Employer
from tests.cast import ClientFor, Phone, make_driver, make_phone
from tests.tracking.ingest.asgi_phone import AsgiPhone
from tracking.models import Fix
from tracking.partitions import make_partitions, next_month

TRACKS = Path(settings.BASE_DIR).parent / "shared/data/gotrack/fixes.csv.gz"
ROWS = 18_107
DISTINCT = 15_271

pytestmark = [
    pytest.mark.django_db(transaction=True),
    pytest.mark.slow,
    pytest.mark.skipif(not TRACKS.exists(), reason="the real tracks are not beside the project"),
]


@pytest.fixture
def replay_ingest(transactional_db: None) -> Iterator[AsgiPhone]:
    """Ingest in replay mode, with the months of the tracks."""
    month = datetime(2014, 9, 1, tzinfo=UTC)
    while month < datetime(2016, 3, 1, tzinfo=UTC):
        make_partitions(month)
        month = next_month(month)
    phone = AsgiPhone(max_fix_age_days=6000)
    yield phone
    phone.close()


def rows() -> list[dict[str, str]]:
    with gzip.open(TRACKS, "rt", encoding="utf-8") as file:
        return list(csv.DictReader(file))


def post(ingest: AsgiPhone, phones: dict[str, Phone], rows: list[dict[str, str]]) -> int:
    """Post in batches of 100 per device, in the order given; returns how many were stored."""
    by_device: dict[str, list[dict[str, Any]]] = defaultdict(list)
    for row in rows:
        place = {"latitude": float(row["lat"]), "longitude": float(row["lon"])}
        by_device[row["device"]].append({"recorded_at": row["recorded_at"], **place})
    stored = 0
    for device, fixes in by_device.items():
        for start in range(0, len(fixes), 100):
            answer = ingest.post(phones[device].token, fixes[start : start + 100])
            assert (answer.status, answer.json["refused"]) == (200, 0)
            stored += answer.json["stored"]
    return stored


def test_tracks_posted_twice_are_stored_once_and_give_the_same_day(
    replay_ingest: AsgiPhone, acme: Employer, client_for: ClientFor
) -> None:
    sent = rows()
    assert len(sent) == ROWS
    phones = {
        device: make_phone(make_driver(acme, device, device))
        for device in sorted({row["device"] for row in sent})
    }
    dispatcher = client_for("dispatcher")

    def days() -> list[Any]:
        answers = []
        for device, phone in phones.items():
            first = min(row["recorded_at"] for row in sent if row["device"] == device)
            day = date.fromisoformat(first[:10])
            path = f"/api/v1/drivers/{phone.driver.uuid}/timeline?date={day}"
            answers.append(dispatcher.get(path).json())
        return answers

    assert post(replay_ingest, phones, sent) == DISTINCT
    before = days()
    assert any(len(day["entries"]) > 1 and day["distance_m"] > 1000 for day in before)

    Random(7).shuffle(sent)  # noqa: S311 (an order, not a secret)
    assert post(replay_ingest, phones, sent) == 0
    assert days() == before
    ours = [phone.driver.pk for phone in phones.values()]
    assert Fix.objects.filter(driver_id__in=ours).count() == DISTINCT
