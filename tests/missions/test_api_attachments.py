"""Photos from phones: stored once, private, and shown to those who may see the mission."""

from datetime import datetime, timedelta
from hashlib import sha256
from pathlib import Path
from threading import Event
from typing import Any, cast
from uuid import UUID, uuid4

import pytest
from kombu.exceptions import OperationalError
from rest_framework.test import APIClient

from accounts.duty_marks import DutyMarkKind
from accounts.freezing import freeze_driver
from accounts.models import AuditEntry, Driver, DutyMark, Employer
from missions import attaching, stored_files
from missions.api import my_attachments
from missions.attaching import ClientIdTaken
from missions.lifecycle import hand_over_mission
from missions.models import Attachment, Mission
from missions.stages import Stage
from tests.accounts.racing import raced
from tests.cast import ClientFor
from tests.missions.builders import make_mission, put_stage, start
from tests.missions.opening_cases import Sent
from tests.missions.photo_phone import MINE, Sender, ago, send, stored_on_disk
from tests.missions.pictures import encoded, exif, form, jpeg, picture

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def files(settings: Any, tmp_path: Path) -> Path:
    settings.MEDIA_ROOT = tmp_path / "media"
    return tmp_path / "media"


@pytest.fixture(autouse=True)
def queue(monkeypatch: pytest.MonkeyPatch) -> Sender:
    sender = Sender()
    monkeypatch.setattr(my_attachments, "make_thumbnail", sender)
    return sender


@pytest.fixture
def mission(acme: Employer, ada: Driver) -> Mission:
    return make_mission(acme, ada, stops=2, external_id="M-1")


@pytest.fixture
def phone(client_for: ClientFor, mission: Mission) -> APIClient:
    return client_for("driver")


def test_a_photo_is_stored_and_shown(phone: APIClient, mission: Mission, queue: Sender) -> None:
    taken_at = ago(minutes=5)
    answer = send(
        phone,
        jpeg(80, 60),
        kind="damage",
        stop=str(mission.stops.get(seq=2).uuid),
        recorded_at=taken_at.isoformat(),
        latitude="50.85",
        longitude="4.35",
        accuracy_m="7.5",
        remark="dented",
    )
    assert answer.status_code == 201, answer.content
    body = answer.json()
    assert body["client_id"] == "p-1"
    assert body["mission"] == str(mission.uuid)
    assert body["stop"] == str(mission.stops.get(seq=2).uuid)
    assert (body["kind"], body["remark"]) == ("damage", "dented")
    assert (body["latitude"], body["longitude"], body["accuracy_m"]) == (50.85, 4.35, 7.5)
    assert body["position_source"] == "at_event"
    assert datetime.fromisoformat(body["recorded_at"]) == taken_at
    assert (body["width_px"], body["height_px"], body["media_type"]) == (80, 60, "image/jpeg")
    assert body["original_sha256"] == sha256(jpeg(80, 60)).hexdigest()
    assert body["thumbnail"] == "waiting"
    assert phone.get(MINE).json() == {"results": [body], "next": None}
    row = Attachment.objects.get()
    assert queue.sent == [row.pk]
    with row.file.open() as kept:
        assert sha256(kept.read()).hexdigest() == body["content_sha256"]
    entry = AuditEntry.objects.get(action="attachment.added")
    assert (entry.object_id, entry.actor_kind) == (row.uuid, "device")


def test_sent_again_it_is_the_same_photo(phone: APIClient, files: Path, queue: Sender) -> None:
    first, second = send(phone), send(phone, remark="other words")
    assert (first.status_code, second.status_code) == (201, 200)
    assert first.json() == second.json()
    assert Attachment.objects.count() == len(stored_on_disk(files)) == len(queue.sent) == 1


def test_another_photo_under_a_known_client_id_is_refused(phone: APIClient, files: Path) -> None:
    assert send(phone).status_code == 201
    answer = send(phone, jpeg(20, 20))
    assert (answer.status_code, answer.json()["code"]) == (409, "client_id_taken")
    assert Attachment.objects.get().width_px == 64
    assert len(stored_on_disk(files)) == 1


def test_a_retry_of_0_bytes_harms_nothing(phone: APIClient) -> None:
    stored = send(phone).json()
    answer = send(phone, b"")
    assert (answer.status_code, answer.json()["code"]) == (422, "photo_empty")
    assert phone.get(MINE).json()["results"] == [stored]


def test_bytes_that_changed_on_the_way_are_asked_for_again(phone: APIClient, files: Path) -> None:
    whole = form(jpeg(), mission="M-1")
    cut = {**form(jpeg()[:-10], mission="M-1"), "sha256": whole["sha256"]}
    answer = phone.post(MINE, cut, format="multipart")
    assert (answer.status_code, answer.json()["code"]) == (422, "sha256_differs")
    assert Attachment.objects.count() == 0
    assert not files.exists()
    assert phone.post(MINE, whole, format="multipart").status_code == 201


@pytest.mark.parametrize(
    ("field", "value", "pointer"),
    [
        ("sha256", "abc", "/sha256"),
        ("client_id", "", "/client_id"),
        ("mission", "", "/mission"),
        ("kind", "selfie", "/kind"),
        ("recorded_at", "2026-11-24T08:00:00", "/recorded_at"),
        ("recorded_at", "2199-11-24T08:00:00Z", "/recorded_at"),
        ("recorded_at", "2001-11-24T08:00:00Z", "/recorded_at"),
        ("latitude", "50.85", "/latitude"),
        ("accuracy_m", "-1", "/accuracy_m"),
    ],
)
def test_a_wrong_field_is_named(phone: APIClient, field: str, value: str, pointer: str) -> None:
    answer = send(phone, **cast("dict[str, Any]", {field: value}))
    assert answer.status_code == 400
    assert answer["Content-Type"] == "application/problem+json"
    assert answer.json()["errors"][0]["pointer"] == pointer


@pytest.mark.parametrize(
    ("content", "status", "code"),
    [
        (b"<svg xmlns='http://www.w3.org/2000/svg'/>", 415, "photo_type_unknown"),
        (b"GIF89a" + bytes(100), 415, "photo_type_unknown"),
        (jpeg()[:-200], 422, "photo_broken"),
        (jpeg(10, 30_001), 422, "photo_too_many_pixels"),
    ],
)
def test_what_is_no_photo_leaves_nothing_behind(
    phone: APIClient, files: Path, content: bytes, status: int, code: str
) -> None:
    answer = send(phone, content)
    assert (answer.status_code, answer.json()["code"]) == (status, code)
    assert Attachment.objects.count() == 0
    assert not files.exists()


def test_a_form_of_too_many_files_is_refused_as_all_else_is(phone: APIClient) -> None:
    many = {f"file-{at}": form(b"x")["file"] for at in range(101)}
    answer = phone.post(MINE, many, format="multipart")
    assert (answer.status_code, answer.json()["code"]) == (400, "parse_error")


def test_one_over_25_mb_is_refused(phone: APIClient) -> None:
    answer = send(phone, jpeg() + bytes(25 * 1024 * 1024))
    assert (answer.status_code, answer.json()["code"]) == (413, "photo_too_large")


def test_time_and_place_come_from_the_photo_when_the_phone_says_none(phone: APIClient) -> None:
    taken_at = ago(hours=2)
    local = (taken_at + timedelta(hours=1)).strftime("%Y:%m:%d %H:%M:%S")
    camera = exif(taken=local, offset="+01:00", place=(51.05, 3.72))
    body = send(phone, jpeg(exif=camera)).json()
    assert datetime.fromisoformat(body["recorded_at"]) == taken_at
    assert (body["latitude"], body["longitude"]) == (51.05, 3.72)
    said = send(phone, jpeg(exif=camera), client_id="p-2", latitude="50.1", longitude="4.1").json()
    assert (said["latitude"], said["longitude"]) == (50.1, 4.1)


@pytest.mark.parametrize(
    "camera",
    [
        exif(),
        exif(taken="2026:11:24 10:00:00"),  # no zone: nothing is guessed
        exif(taken="2199:01:01 10:00:00", offset="+01:00"),
        exif(taken="1999:01:01 10:00:00", offset="+01:00"),
    ],
)
def test_a_photo_that_does_not_say_when_is_of_when_it_came(phone: APIClient, camera: Any) -> None:
    body = send(phone, jpeg(exif=camera)).json()
    assert body["recorded_at"] == body["received_at"]
    assert body["position_source"] == "none"


def test_no_place_is_kept_in_private_time(phone: APIClient, ada: Driver) -> None:
    place: dict[str, Any] = {"latitude": "50.85", "longitude": "4.35"}
    assert send(phone, **place).json()["latitude"] == 50.85
    DutyMark.objects.create(
        employer=ada.employer,
        driver=ada,
        kind=DutyMarkKind.PRIVATE_STARTED,
        recorded_at=ago(minutes=1),
    )
    body = send(phone, jpeg(exif=exif(place=(51.05, 3.72))), client_id="p-2", **place).json()
    assert (body["latitude"], body["position_source"]) == (None, "none")
    row = Attachment.objects.get(client_id="p-2")
    assert (row.latitude, row.longitude, row.accuracy_m) == (None, None, None)


def test_no_place_is_kept_past_the_route_period(phone: APIClient, acme: Employer) -> None:
    acme.route_months = 1
    acme.save()
    place: dict[str, Any] = {"latitude": "50.85", "longitude": "4.35"}
    old = send(phone, recorded_at=ago(days=40).isoformat(), **place)
    assert (old.status_code, old.json()["latitude"]) == (201, None)
    new = send(phone, recorded_at=ago(days=2).isoformat(), client_id="p-2", **place)
    assert new.json()["latitude"] == 50.85


@pytest.mark.parametrize("is_before", [True, False])
def test_a_photo_finds_its_stage_in_any_order(
    phone: APIClient, mission: Mission, ada: Driver, is_before: bool
) -> None:
    def arrive() -> UUID:
        event = put_stage(mission, ada, Sent(Stage.ARRIVAL, ago(minutes=3)))
        event.client_id = "stage-7"
        event.save()
        return event.uuid

    if not is_before:
        arrive()
    body = send(phone, stage_client_id="stage-7").json()
    assert (body["stage"] is None) is is_before
    if is_before:
        arrive()
    shown = phone.get(MINE).json()["results"][0]
    assert shown["stage"] == str(mission.stage_events.get().uuid)
    assert send(phone, client_id="p-2").json()["stage"] is None


def test_the_mission_is_one_of_the_drivers_own(
    phone: APIClient, acme: Employer, ben: Driver, cy_driver: Driver, files: Path
) -> None:
    make_mission(acme, ben, external_id="M-2")
    theirs = make_mission(cy_driver.employer, cy_driver, external_id="M-3")
    for name in ("M-2", "M-3", str(theirs.uuid), str(uuid4()), "nothing"):
        answer = send(phone, mission=name)
        assert (answer.status_code, answer.json()["code"]) == (404, "not_found"), name
        assert phone.get(MINE, {"mission": name}).status_code == 404
    assert not stored_on_disk(files)
    assert send(phone, stop=str(uuid4())).status_code == 404


def test_a_mission_handed_on_still_takes_the_photos_of_before(
    phone: APIClient, mission: Mission, ada: Driver, ben: Driver
) -> None:
    start(mission, ada, ago(hours=2))
    hand_over_mission(mission, ben, truck=None, at=ago(hours=1))
    place: dict[str, Any] = {"latitude": "50.85", "longitude": "4.35"}
    before = send(phone, recorded_at=ago(minutes=90).isoformat(), **place)
    assert (before.status_code, before.json()["latitude"]) == (201, 50.85)
    # Hers no more: the photo is kept, and where she was then is nobody's business.
    after = send(phone, client_id="p-2", **place)
    assert (after.status_code, after.json()["latitude"]) == (201, None)


def test_a_driver_sees_only_the_own_photos(
    phone: APIClient, client_for: ClientFor, acme: Employer, ben: Driver
) -> None:
    make_mission(acme, ben, external_id="M-2")
    mine = send(phone).json()
    other = client_for("other_driver")
    assert send(other, mission="M-2").status_code == 201  # ben's own client id p-1
    assert [row["id"] for row in phone.get(MINE).json()["results"]] == [mine["id"]]
    assert phone.get(MINE, {"mission": "M-1"}).json()["results"] == [mine]
    assert other.post(f"{MINE}/{mine['id']}/link").status_code == 404
    assert phone.post(f"{MINE}/{mine['id']}/link").status_code == 200


def test_a_frozen_driver_stores_nothing_and_is_shown_without_place(
    phone: APIClient, client_for: ClientFor, mission: Mission, ada: Driver, files: Path
) -> None:
    photo = send(phone, latitude="50.85", longitude="4.35").json()
    path = f"/api/v1/missions/{mission.uuid}/attachments"
    assert client_for("dispatcher").get(path).json()["results"][0]["latitude"] == 50.85
    freeze_driver(ada)
    for answer in (send(phone, client_id="p-2"), send(phone), phone.get(MINE)):
        assert (answer.status_code, answer.json()["code"]) == (403, "driver_frozen")
    (shown,) = client_for("dispatcher").get(path).json()["results"]
    assert shown == {
        **photo, "driver": None, "latitude": None, "longitude": None, "accuracy_m": None,
    }  # fmt: skip
    assert Attachment.objects.count() == len(stored_on_disk(files)) == 1


def test_a_freeze_while_the_photo_is_decoded_wins(
    phone: APIClient, ada: Driver, files: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    store = stored_files.store

    def freeze_then_store(content: bytes, suffix: str) -> str:
        freeze_driver(ada)
        return store(content, suffix)

    monkeypatch.setattr(stored_files, "store", freeze_then_store)
    answer = send(phone)
    assert (answer.status_code, answer.json()["code"]) == (403, "driver_frozen")
    assert not stored_on_disk(files)


def test_photos_are_decoded_one_at_a_time_and_nobody_waits_for_ever(
    phone: APIClient, files: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(attaching, "PATIENCE_S", 0.05)
    another_is_done = Event()
    attaching._decoder.submit(another_is_done.wait, 10)  # noqa: SLF001
    answer = send(phone)
    assert (answer.status_code, answer.json()["code"]) == (503, "photos_busy")
    assert answer["Retry-After"] == "15"
    assert not files.exists()
    another_is_done.set()
    monkeypatch.undo()
    assert send(phone).status_code == 201


def test_the_queue_may_be_away(phone: APIClient, monkeypatch: pytest.MonkeyPatch) -> None:
    class Away:
        def delay(self, _: int) -> None:
            raise OperationalError

    monkeypatch.setattr(my_attachments, "make_thumbnail", Away())
    assert send(phone).status_code == 201


@pytest.mark.django_db(transaction=True)
def test_two_equal_uploads_at_the_same_moment_are_one_photo(
    client_for: ClientFor, mission: Mission, files: Path
) -> None:
    phones = [client_for("driver") for _ in range(4)]
    answers: list[Any] = raced(*(lambda phone=phone: send(phone) for phone in phones))
    assert sorted(answer.status_code for answer in answers) == [200, 200, 200, 201]
    assert len({answer.json()["id"] for answer in answers}) == 1
    assert Attachment.objects.count() == len(stored_on_disk(files)) == 1


@pytest.mark.django_db(transaction=True)
def test_two_photos_under_one_client_id_at_the_same_moment_are_one_and_a_refusal(
    client_for: ClientFor, mission: Mission, files: Path
) -> None:
    one, two = client_for("driver"), client_for("driver")
    answers: list[Any] = raced(lambda: send(one, jpeg(20, 20)), lambda: send(two, jpeg(30, 30)))
    assert sorted(answer.status_code for answer in answers) == [201, 409]
    assert ClientIdTaken.code in {answer.json().get("code") for answer in answers}
    assert Attachment.objects.count() == len(stored_on_disk(files)) == 1


def test_what_the_database_refuses_leaves_no_file(
    phone: APIClient, files: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(*_: object, **__: object) -> None:
        raise RuntimeError("no room for the audit entry")

    monkeypatch.setattr("missions.attaching.record", full)
    phone.raise_request_exception = False
    assert send(phone).status_code == 500
    assert Attachment.objects.count() == 0
    assert not stored_on_disk(files)
    monkeypatch.undo()


def test_a_png_is_kept_as_jpeg(phone: APIClient) -> None:
    body = send(phone, encoded(picture(), "PNG")).json()
    assert body["media_type"] == "image/jpeg"
    assert Attachment.objects.get().original_media_type == "image/png"
