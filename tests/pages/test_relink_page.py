"""After a correction of who drove which truck, a dispatcher links the positions again."""

from datetime import timedelta

from django.test import Client
from django.utils import timezone

from accounts.freezing import freeze_driver
from accounts.models import AuditEntry, Driver, Truck, User
from tests.cast import Phone, assign, put_fixes
from tests.pages.test_pages import client_of, text_of
from tracking.models import Fix

URL = "/manage/relink"


def test_positions_follow_a_corrected_assignment(
    ada_phone: Phone, truck12: Truck, truck34: Truck, dee: User
) -> None:
    now = timezone.now()
    points = [(now - timedelta(minutes=minute), 51.05, 3.72) for minute in (30, 20)]
    put_fixes(ada_phone, points, truck=truck12)
    assign(truck34, ada_phone.driver, now - timedelta(hours=1))
    client = client_of(dee)
    page = text_of(client.get(f"{URL}?driver={ada_phone.driver.uuid}"))
    assert f'value="{ada_phone.driver.uuid}" selected' in page
    done = client.post(URL, {"driver": str(ada_phone.driver.uuid)}, follow=True)
    assert "2 positions were looked at. 2 have another truck or mission now." in text_of(done)
    stored = Fix.objects.filter(driver_id=ada_phone.driver.pk)
    assert set(stored.values_list("truck_id", flat=True)) == {truck34.pk}
    assert AuditEntry.objects.get(action="fixes.relinked").actor == dee.uuid
    again = client.post(URL, {"driver": str(ada_phone.driver.uuid)}, follow=True)
    assert "0 have another truck or mission now." in text_of(again)


def test_only_dispatchers_and_only_their_own_drivers(
    ada: Driver, cy_driver: Driver, dee: User, max: User, pat: User
) -> None:
    assert Client().get(URL)["Location"].startswith("/accounts/login/")
    assert client_of(pat).get(URL).status_code == 403
    assert client_of(max).get(URL).status_code == 200
    assert client_of(dee).post(URL, {"driver": str(cy_driver.uuid)}).status_code == 400
    assert "Ada Peeters" in text_of(client_of(dee).get(URL))
    freeze_driver(ada)
    assert "Ada Peeters" not in text_of(client_of(dee).get(URL))
    assert client_of(dee).post(URL, {"driver": str(ada.uuid)}).status_code == 400


def test_an_end_before_the_beginning_is_refused(ada: Driver, dee: User) -> None:
    form = {"driver": str(ada.uuid), "begin": "2026-11-01T08:00", "end": "2026-11-01T07:00"}
    refused = client_of(dee).post(URL, form)
    assert refused.status_code == 400
    assert "This is not after the beginning." in text_of(refused)
