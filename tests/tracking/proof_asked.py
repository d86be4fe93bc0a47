"""A delivered stop of acme, and how a dispatcher asks for its proof."""

from typing import Any

import pytest
from rest_framework.test import APIClient

from accounts.models import Driver, Employer
from missions.models import (
    GoodsLine,
    Mission,
    ProofOfDelivery,
    Site,
    Stop,
)
from missions.stages import Stage
from tests.cast import ClientFor
from tests.missions.builders import make_mission
from tests.tracking.delivered import (
    NINE,
    put_photo,
    put_signature,
    put_stage,
)
from tracking import tasks
from tracking.proofs import issue_proof


@pytest.fixture(autouse=True)
def files(settings: Any, tmp_path: Any) -> None:
    settings.MEDIA_ROOT = tmp_path


@pytest.fixture(autouse=True)
def no_messages(monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """Messages to the worker, which these tests are themselves."""
    sent: list[int] = []
    monkeypatch.setattr(tasks.issue_proof, "delay", sent.append)
    return sent


@pytest.fixture
def mission(acme: Employer, ada: Driver) -> Mission:
    """Delivered by Ada, with a signature, a photo and a place for each stage."""
    mission = make_mission(acme, ada, stops=2, external_id="M-1", reference="PO 77")
    site = Site.objects.create(
        employer=acme,
        name="Café Łódź",
        address="Kaai 12, Gent",
        latitude=51.054,
        longitude=3.717,
        timezone="Europe/London",
    )
    stop = mission.stops.get(seq=1)
    mission.stops.filter(pk=stop.pk).update(site=site, planned_arrival_at=NINE)
    GoodsLine.objects.create(
        employer=acme, stop=stop, line_no=1, description="beer", quantity=4, unit="pallet"
    )
    for stage, minutes in (
        (Stage.ARRIVAL, 10),
        (Stage.UNLOADING_STARTED, 20),
        (Stage.SIGNATURE, 50),
        (Stage.DEPARTURE, 60),
    ):
        put_stage(stop, ada, stage, minutes)
    put_photo(stop, ada)
    put_signature(stop, ada)
    return mission


@pytest.fixture
def stop(mission: Mission) -> Stop:
    return mission.stops.get(seq=1)


def proofs_url(stop: Stop) -> str:
    return f"/api/v1/missions/{stop.mission.uuid}/stops/{stop.uuid}/proofs"


def issued(client: APIClient, stop: Stop, **body: Any) -> ProofOfDelivery:
    answer = client.post(proofs_url(stop), body)
    assert answer.status_code == 202, answer.json()
    proof = ProofOfDelivery.objects.get(uuid=answer.json()["id"])
    assert issue_proof(proof.pk)
    proof.refresh_from_db()
    return proof


@pytest.fixture
def client(client_for: ClientFor) -> APIClient:
    return client_for("dispatcher")
