"""Phones over the API: the office's side and the phone's own."""

from datetime import UTC, datetime

from rest_framework.test import APIClient

from accounts.app_settings import app_settings
from accounts.models import AuditEntry, Device, Driver, Employer
from accounts.sealing import unseal
from accounts.stages import STAGE_BY_LABEL
from tests.cast import ClientFor, Phone, make_phone


def test_a_phone_is_listed_with_who_carries_it(
    client_for: ClientFor, ada_phone: Phone, ben_phone: Phone
) -> None:
    client = client_for("dispatcher")
    rows = client.get("/api/v1/devices").json()["results"]
    assert {row["holder"] for row in rows} == {
        str(ada_phone.driver.uuid),
        str(ben_phone.driver.uuid),
    }
    assert {row["scope"] for row in rows} == {"app"}
    (row,) = client.get("/api/v1/devices", {"driver": str(ada_phone.driver.uuid)}).json()["results"]
    assert row["id"] == str(ada_phone.device.uuid)


def test_the_detail_says_when_it_was_last_seen(client_for: ClientFor, ada_phone: Phone) -> None:
    ada_phone.device.last_seen_at = datetime(2026, 11, 20, 8, tzinfo=UTC)
    ada_phone.device.save()
    shown = client_for("dispatcher").get(f"/api/v1/devices/{ada_phone.device.uuid}").json()
    assert shown["last_seen_at"] == "2026-11-20T08:00:00Z"
    assert shown["holdings"] == [
        {
            "id": str(ada_phone.device.holdings.get().uuid),
            "driver": str(ada_phone.driver.uuid),
            "from": None,
            "to": None,
        }
    ]


def test_an_off_the_shelf_client_gets_a_token_for_ingest(
    client_for: ClientFor, ada: Driver
) -> None:
    client = client_for("dispatcher")
    made = client.post("/api/v1/devices", {"driver": str(ada.uuid), "name": "OwnTracks"})
    assert made.status_code == 201
    assert made.headers["Cache-Control"] == "no-store"
    assert made.json()["token"].startswith("mpd_")
    shown = client.get(f"/api/v1/devices/{made.json()['id']}").json()
    assert (shown["scope"], shown["name"], shown["holder"]) == (
        "ingest",
        "OwnTracks",
        str(ada.uuid),
    )
    assert made.json()["token"] not in str(shown)


def test_a_phone_shows_what_it_says_of_itself(client_for: ClientFor, ada_phone: Phone) -> None:
    path = f"/api/v1/devices/{ada_phone.device.uuid}"
    assert client_for("dispatcher").get(path).json()["health"] == {}
    said = {"battery": 0.07, "permission": "denied", "at": "2026-11-20T08:00:00Z"}
    Device.objects.filter(pk=ada_phone.device.pk).update(health=said)
    assert client_for("dispatcher").get(path).json()["health"] == said
    (row,) = client_for("dispatcher").get("/api/v1/devices").json()["results"]
    assert row["health"] == said


def test_a_passphrase_is_kept_sealed_and_never_shown(
    client_for: ClientFor, ada_phone: Phone
) -> None:
    client = client_for("dispatcher")
    path = f"/api/v1/devices/{ada_phone.device.uuid}/payload-key"
    answer = client.put(path, {"passphrase": " spaces count "})
    assert answer.json()["has_payload_key"] is True
    assert "spaces count" not in answer.content.decode()
    sealed = bytes(Device.objects.get(pk=ada_phone.device.pk).payload_key or b"")
    assert b"spaces count" not in sealed
    assert unseal(sealed) == " spaces count "
    assert client.put(path, {"passphrase": ""}).status_code == 400
    assert client.delete(path).json()["has_payload_key"] is False
    assert Device.objects.get(pk=ada_phone.device.pk).payload_key is None
    entries = AuditEntry.objects.filter(action__startswith="device.payload_key")
    assert [entry.action for entry in entries.order_by("id")] == [
        "device.payload_key_set",
        "device.payload_key_removed",
    ]
    assert not any("spaces" in str(entry.detail) for entry in entries)


def test_a_phone_handed_over_is_the_next_drivers(
    client_for: ClientFor, ada_phone: Phone, ben: Driver
) -> None:
    phone = client_for("driver")
    assert phone.get("/api/v1/me").json()["driver"]["id"] == str(ada_phone.driver.uuid)
    path = f"/api/v1/devices/{ada_phone.device.uuid}/hand-over"
    answer = client_for("dispatcher").post(path, {"driver": str(ben.uuid)})
    assert answer.status_code == 200
    assert answer.json()["holder"] == str(ben.uuid)
    assert phone.get("/api/v1/me").json()["driver"]["id"] == str(ben.uuid)
    again = client_for("dispatcher").post(path, {"driver": str(ben.uuid)})
    assert (again.status_code, again.json()["code"]) == (409, "already_held")


def test_a_lost_phone_is_shut_out(client_for: ClientFor, ada_phone: Phone) -> None:
    phone, office = client_for("driver"), client_for("dispatcher")
    assert phone.get("/api/v1/me").status_code == 200
    path = f"/api/v1/devices/{ada_phone.device.uuid}"
    revoked = office.post(path + "/revoke")
    assert revoked.json()["revoked_at"] is not None
    assert phone.get("/api/v1/me").status_code == 401
    assert office.post(path + "/revoke").json() == revoked.json()
    rotated = office.post(path + "/token")
    assert (rotated.status_code, rotated.json()["code"]) == (409, "device_revoked")
    assert AuditEntry.objects.filter(action="device.revoked").count() == 1


def test_the_office_makes_a_phone_a_new_token(client_for: ClientFor, ada: Driver) -> None:
    ingest_phone = make_phone(ada)
    made = client_for("dispatcher").post(f"/api/v1/devices/{ingest_phone.device.uuid}/token")
    assert made.status_code == 201
    assert made.headers["Cache-Control"] == "no-store"
    phone = APIClient(headers={"Authorization": f"Bearer {made.json()['token']}"})
    assert phone.get("/api/v1/me").json()["driver"]["id"] == str(ada.uuid)


def test_the_app_makes_itself_a_new_token(client_for: ClientFor, ada_phone: Phone) -> None:
    made = client_for("driver").post("/api/v1/me/token")
    assert made.status_code == 201
    assert made.headers["Cache-Control"] == "no-store"
    assert made.json()["token"] != ada_phone.token
    phone = APIClient(headers={"Authorization": f"Bearer {made.json()['token']}"})
    assert phone.get("/api/v1/me").json()["device"]["id"] == str(ada_phone.device.uuid)
    entry = AuditEntry.objects.get(action="device.token_rotated")
    assert (entry.actor_kind, entry.actor) == ("device", ada_phone.device.uuid)
    assert made.json()["token"] not in str(entry.detail)


def test_the_app_learns_its_settings(
    acme: Employer, client_for: ClientFor, ada_phone: Phone
) -> None:
    settings = client_for("driver").get("/api/v1/me/settings").json()
    assert settings["min_spacing_m"] == 500
    assert settings["stages"] == list(STAGE_BY_LABEL)
    assert "signature" in settings["stages"]
    assert settings["tracking_window"] == "always"
    assert (settings["timezone"], settings["ingest_url"]) == (
        "Europe/Brussels",
        "/ingest/v1/fixes",
    )
    assert settings["employer"] == {"id": str(acme.uuid), "name": acme.name}
    assert settings["max_batch"] == 1000


def test_an_employers_own_spacing_goes_to_the_app(acme: Employer, ada_phone: Phone) -> None:
    acme.min_spacing_m = 250
    acme.save()
    ada_phone.driver.employer.refresh_from_db()
    assert app_settings(ada_phone.device, ada_phone.driver)["min_spacing_m"] == 250


def test_another_employers_phone_is_not_found_whatever_is_sent(
    client_for: ClientFor, ada_phone: Phone
) -> None:
    path = f"/api/v1/devices/{ada_phone.device.uuid}/hand-over"
    assert client_for("dispatcher").post(path, {}).status_code == 400
    assert client_for("stranger").post(path, {}).status_code == 404
