"""A signature is kept once, with what it is about; a refusal and an empty house are too."""

import base64
import io
import json
import zlib
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from hashlib import sha256
from typing import Any
from uuid import uuid4

import pytest
from django.core.files.storage import default_storage
from django.db import connection
from django.db.backends.postgresql.psycopg_any import DateTimeTZRange
from django.test.utils import CaptureQueriesContext
from django.utils import timezone
from PIL import Image
from rest_framework.test import APIClient

from accounts.duty_marks import DutyMarkKind
from accounts.freezing import freeze_driver
from accounts.models import AuditEntry, DeviceHolding, Driver, DutyMark, Employer, TokenScope
from missions.models import GoodsLine, Mission, Signature, Site, Stop
from tests.cast import ClientFor, Phone, make_phone
from tests.missions.builders import make_mission
from tests.missions.pictures import png_chunk

MINE = "/api/v1/me/signatures"
STROKES = [[{"x": 1.5, "y": 2, "t_ms": 0}, {"x": 60, "y": 20, "t_ms": 80}], [{"x": 30, "y": 9}]]


@pytest.fixture(autouse=True)
def files(settings: Any, tmp_path: Any) -> None:
    settings.MEDIA_ROOT = tmp_path


@pytest.fixture
def mission(acme: Employer, ada: Driver) -> Mission:
    mission = make_mission(acme, ada, stops=1, external_id="M-1", reference="PO 77")
    site = Site.objects.create(
        employer=acme, name="Café Łódź", latitude=51.0, longitude=3.7, radius_m=80
    )
    mission.stops.update(site=site, reference="drop 1")
    stop = mission.stops.get()
    for number, (what, quantity) in enumerate([("beer", 12), ("crates", 4)], start=1):
        GoodsLine.objects.create(
            employer=acme, stop=stop, line_no=number, description=what, quantity=quantity
        )
    return mission


@pytest.fixture
def stop(mission: Mission) -> Stop:
    return mission.stops.get()


@pytest.fixture
def client(client_for: ClientFor) -> APIClient:
    return client_for("driver")


def body(mission: Mission, /, **said: Any) -> dict[str, Any]:
    return {
        "client_id": "sig-1",
        "mission": "M-1",
        "stop": str(mission.stops.get().uuid),
        "outcome": "signed",
        "signer_name": "Żaneta Kowalska",
        "signer_role": "warehouse",
        "strokes": STROKES,
        "recorded_at": "2026-11-20T10:15:00Z",
        **said,
    }


def png_of(width: int, height: int) -> str:
    stream = io.BytesIO()
    Image.new("RGBA", (width, height), (0, 0, 0, 0)).save(stream, "PNG")
    return base64.b64encode(stream.getvalue()).decode()


def test_it_keeps_who_signed_for_what(client: APIClient, mission: Mission, stop: Stop) -> None:
    line = stop.goods.get(line_no=2)
    sent = body(
        mission,
        counts=[{"line": str(line.uuid), "quantity": "3"}],
        reservations="one crate wet",
        latitude=51.001,
        longitude=3.7,
        accuracy_m=20,
    )
    answer = client.post(MINE, sent)
    assert answer.status_code == 201, answer.json()
    shown = answer.json()
    assert (shown["signer_name"], shown["outcome"]) == ("Żaneta Kowalska", "signed")
    assert (shown["site_check"], round(shown["site_distance_m"])) == ("outside", 111)
    assert shown["warnings"] == []
    document = shown["document"]
    assert (document["mission"], document["site"]) == ("PO 77", "Café Łódź")
    counts = [(row["planned"], row["actual"], row["is_counted"]) for row in document["goods"]]
    assert counts == [("12", "12", False), ("4", "3", True)]
    assert document["reservations"] == "one crate wet"
    signature = Signature.objects.get()
    assert signature.strokes == STROKES
    with default_storage.open(str(signature.image.name)) as file, Image.open(file) as image:
        assert image.format == "PNG"
        assert image.getextrema() == (0, 255)
    assert AuditEntry.objects.get(action="signature.added").object_id == signature.uuid


def test_no_place_is_kept_in_private_time_and_a_retry_is_the_same(
    client: APIClient, mission: Mission, ada: Driver
) -> None:
    DutyMark.objects.create(
        employer=ada.employer,
        driver=ada,
        kind=DutyMarkKind.PRIVATE_STARTED,
        recorded_at=datetime(2026, 11, 20, 10, 0, tzinfo=UTC),
    )
    sent = body(mission, latitude=51.001, longitude=3.7, accuracy_m=20)
    answers = [client.post(MINE, sent) for _ in range(2)]
    assert [answer.status_code for answer in answers] == [201, 200]
    shown = answers[0].json()
    assert (shown["position_source"], shown["site_check"]) == ("none", "unknown")
    assert (shown["site_distance_m"], shown["accuracy_m"]) == (None, None)
    row = Signature.objects.get()
    assert (row.latitude, row.longitude) == (None, None)


def test_the_hash_is_of_the_documents_canonical_json(client: APIClient, mission: Mission) -> None:
    shown = client.post(MINE, body(mission)).json()
    text = json.dumps(shown["document"], sort_keys=True, separators=(",", ":"), ensure_ascii=False)
    assert shown["document_sha256"] == sha256(text.encode()).hexdigest()


def test_what_was_signed_stays_when_the_order_changes(
    client: APIClient, mission: Mission, stop: Stop
) -> None:
    before = client.post(MINE, body(mission)).json()["document"]
    stop.goods.filter(line_no=1).update(quantity=Decimal(99), description="wine")
    assert Signature.objects.get().document == before
    assert client.post(MINE, body(mission)).json()["document"] == before


def test_sent_again_it_is_stored_once(client: APIClient, mission: Mission) -> None:
    first = client.post(MINE, body(mission))
    again = client.post(MINE, body(mission, mission=str(mission.uuid)))
    assert (first.status_code, again.status_code) == (201, 200)
    assert first.json() == again.json()
    assert Signature.objects.count() == 1
    assert AuditEntry.objects.filter(action="signature.added").count() == 1


@pytest.mark.parametrize(
    "other",
    [
        {"signer_name": "Somebody else"},
        {"outcome": "refused"},
        {"strokes": STROKES[:1]},
        {"recorded_at": "2026-11-20T10:15:01Z"},
        {"reservations": "wet"},
        {"latitude": 51, "longitude": 3},
        {"counts": [1]},
    ],
)
def test_the_same_id_with_other_words_is_a_conflict(
    client: APIClient, mission: Mission, stop: Stop, other: dict[str, Any]
) -> None:
    if "counts" in other:
        other = {"counts": [{"line": str(stop.goods.get(line_no=1).uuid), "quantity": 12}]}
    assert client.post(MINE, body(mission)).status_code == 201
    answer = client.post(MINE, body(mission, **other))
    assert (answer.status_code, answer.json()["code"]) == (409, "request_differs")
    assert Signature.objects.get().signer_name == "Żaneta Kowalska"


@pytest.mark.parametrize("outcome", ["refused", "nobody_there", "left_with_neighbour"])
def test_without_a_signature_a_photo_is_recommended_and_nothing_refused(
    client: APIClient, mission: Mission, outcome: str
) -> None:
    name = "the neighbour at 12" if outcome == "left_with_neighbour" else ""
    answer = client.post(MINE, body(mission, outcome=outcome, signer_name=name, strokes=[]))
    assert answer.status_code == 201, answer.json()
    assert answer.json()["warnings"] == ["photo_recommended"]
    assert not Signature.objects.get().image


@pytest.mark.parametrize(
    ("said", "pointer"),
    [
        ({"signer_name": ""}, "/signer_name"),
        ({"signer_name": "  "}, "/signer_name"),
        ({"outcome": "left_with_neighbour", "signer_name": ""}, "/signer_name"),
        ({"outcome": "maybe"}, "/outcome"),
        ({"strokes": []}, "/strokes"),
        ({"strokes": [[{"x": 1}]]}, "/strokes"),
        ({"strokes": [[{"x": True, "y": 1}]]}, "/strokes"),
        ({"strokes": [[{"x": 1e300, "y": 1}]]}, "/strokes"),
        ({"strokes": [[{"x": 1, "y": 1}]] * 201}, "/strokes"),
        ({"strokes": [[{"x": 1, "y": 1}] * 10_001]}, "/strokes"),
        ({"strokes": "M0 0"}, "/strokes"),
        ({"latitude": 51}, "/latitude"),
        ({"latitude": 91, "longitude": 3}, "/latitude"),
        ({"position_source": "at_event"}, "/position_source"),
        ({"recorded_at": "2026-11-20T10:15:00"}, "/recorded_at"),
        ({"recorded_at": "2099-01-01T00:00:00Z"}, "/recorded_at"),
        ({"image": "%%%"}, "/image"),
        ({"image": base64.b64encode(b"<svg/>").decode()}, "/image"),
        ({"image": png_of(300, 300)[:400]}, "/image"),
        ({"image": png_of(5000, 1000)}, "/image"),
        ({"image": "A" * 500_000}, "/image"),
        ({"counts": [{"line": str(uuid4()), "quantity": 1}]}, "/counts"),
    ],
)
def test_it_refuses_what_cannot_be_and_keeps_nothing(
    client: APIClient, mission: Mission, tmp_path: Any, said: dict[str, Any], pointer: str
) -> None:
    answer = client.post(MINE, body(mission, **said))
    assert answer.status_code == 400, answer.json()
    assert answer.json()["errors"][0]["pointer"].startswith(pointer)
    assert not Signature.objects.exists()
    assert [path for path in tmp_path.rglob("*") if path.is_file()] == []


@pytest.mark.parametrize("number", ["1e999", "1" + "0" * 400])
def test_infinity_is_no_place_on_a_pad(client: APIClient, mission: Mission, number: str) -> None:
    text = json.dumps(body(mission)).replace('"x": 1.5', f'"x": {number}')
    answer = client.post(MINE, text, content_type="application/json")
    assert answer.status_code == 400
    assert answer.json()["errors"][0]["code"] == "invalid_strokes"


@pytest.mark.parametrize(
    "chunk", [(b"gAMA", b"1"), (b"zTXt", b"a\0\0" + zlib.compress(bytes(3_000_000)))]
)
def test_an_image_that_a_decoder_trips_over_is_refused(
    client: APIClient, mission: Mission, chunk: tuple[bytes, bytes]
) -> None:
    whole = base64.b64decode(png_of(20, 8))
    odd = base64.b64encode(whole[:33] + png_chunk(*chunk) + whole[33:]).decode()
    answer = client.post(MINE, body(mission, strokes=[], image=odd))
    assert answer.status_code == 400, answer.content
    assert answer.json()["errors"][0]["code"] == "invalid_image"
    assert not Signature.objects.exists()


def test_an_image_is_drawn_anew(client: APIClient, mission: Mission) -> None:
    answer = client.post(MINE, body(mission, strokes=[], image=png_of(200, 80)))
    assert answer.status_code == 201, answer.json()
    with default_storage.open(str(Signature.objects.get().image.name)) as file:
        kept = Image.open(file)
        assert (kept.size, kept.mode) == ((200, 80), "L")


def test_it_speaks_for_whoever_carried_the_phone_then(
    client: APIClient, mission: Mission, ada: Driver, ben: Driver, ada_phone: Phone
) -> None:
    handed_over = timezone.now() - timedelta(hours=1)
    DeviceHolding.objects.filter(device=ada_phone.device).update(
        period=DateTimeTZRange(None, handed_over)
    )
    DeviceHolding.objects.create(
        employer=ada.employer,
        device=ada_phone.device,
        driver=ben,
        period=DateTimeTZRange(handed_over, None),
    )
    assert client.post(MINE, body(mission)).status_code == 201
    assert Signature.objects.get().driver == ada
    now = timezone.now().isoformat()
    assert client.post(MINE, body(mission, client_id="2", recorded_at=now)).status_code == 404


def test_another_drivers_mission_is_404(client_for: ClientFor, mission: Mission) -> None:
    assert client_for("other_driver").post(MINE, body(mission)).status_code == 404
    assert client_for("driver").post(MINE, body(mission)).status_code == 201


def test_another_employers_mission_is_404(
    mission: Mission, cy_phone: Phone, elsewhere: Employer
) -> None:
    answer = APIClient().post(MINE, body(mission), headers=cy_phone.headers)
    assert answer.status_code == 404
    assert not Signature.objects.exists()


def test_another_missions_stop_is_404(client: APIClient, mission: Mission, ada: Driver) -> None:
    other = make_mission(mission.employer, ada, stops=1)
    said = body(mission, stop=str(other.stops.get().uuid))
    assert client.post(MINE, said).status_code == 404


def test_a_frozen_driver_signs_nothing(client: APIClient, mission: Mission, ada: Driver) -> None:
    assert client.post(MINE, body(mission)).status_code == 201
    freeze_driver(ada)
    for client_id in ("sig-1", "sig-2"):
        answer = client.post(MINE, body(mission, client_id=client_id))
        assert (answer.status_code, answer.json()["code"]) == (403, "driver_frozen")
    assert Signature.objects.count() == 1


@pytest.mark.parametrize(
    ("role", "status"), [("nobody", 401), ("dispatcher", 403), ("manager", 403), ("dpo", 403)]
)
def test_only_a_phone_brings_signatures(
    client_for: ClientFor, mission: Mission, role: str, status: int
) -> None:
    assert client_for(role).post(MINE, body(mission)).status_code == status


def test_a_foreign_clients_token_does_not(mission: Mission, ada: Driver) -> None:
    phone = make_phone(ada, scope=TokenScope.INGEST)
    assert APIClient().post(MINE, body(mission), headers=phone.headers).status_code == 401


def test_a_dispatcher_lists_them_without_places(
    client: APIClient, client_for: ClientFor, mission: Mission
) -> None:
    client.post(MINE, body(mission, latitude=51.0012345, longitude=3.7))
    answer = client_for("dispatcher").get(f"/api/v1/missions/{mission.uuid}/signatures")
    (shown,) = answer.json()["results"]
    assert (shown["client_id"], shown["has_image"]) == ("sig-1", True)
    assert "latitude" not in shown
    assert "51.0012345" not in answer.content.decode()


def test_a_link_opens_the_picture(
    client: APIClient, client_for: ClientFor, mission: Mission
) -> None:
    shown = client.post(MINE, body(mission)).json()
    path = f"/api/v1/missions/{mission.uuid}/signatures/{shown['id']}/link"
    answer = client_for("dispatcher").post(path)
    assert answer["Cache-Control"] == "no-store"
    opened = client_for("nobody").head(answer.json()["url"])
    assert opened["Content-Type"] == "image/png"
    assert client_for("stranger").post(path).status_code == 404


def test_without_a_picture_there_is_no_link(
    client: APIClient, client_for: ClientFor, mission: Mission
) -> None:
    shown = client.post(MINE, body(mission, outcome="refused", strokes=[])).json()
    path = f"/api/v1/missions/{mission.uuid}/signatures/{shown['id']}/link"
    assert client_for("dispatcher").post(path).json()["code"] == "no_image"


def test_thirty_cost_as_many_queries_as_one(
    client: APIClient, client_for: ClientFor, mission: Mission
) -> None:
    dispatcher = client_for("dispatcher")

    def queries() -> int:
        with CaptureQueriesContext(connection) as captured:
            dispatcher.get(f"/api/v1/missions/{mission.uuid}/signatures")
        return len(captured)

    client.post(MINE, body(mission))
    one = queries()
    for number in range(29):
        client.post(MINE, body(mission, client_id=f"more-{number}", outcome="refused", strokes=[]))
    assert Signature.objects.count() == 30
    assert queries() == one
