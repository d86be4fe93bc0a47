"""How a dispatcher shares a stop: the form, the link once, the list, and taking it back."""

import re
from datetime import timedelta

import pytest
from django.test import Client
from django.utils import timezone

from accounts.models import Employer, User
from missions.models import Mission, MissionStatus, ShareLink
from tests.missions.builders import make_mission
from tests.pages.test_pages import client_of, text_of


@pytest.fixture
def mission(acme: Employer) -> Mission:
    acme.is_share_enabled = True
    acme.save()
    return make_mission(acme, stops=2)


def url(mission: Mission, seq: int = 2) -> str:
    return f"/missions/{mission.uuid}/stops/{mission.stops.get(seq=seq).uuid}/share"


def test_the_link_is_shown_once_and_works(mission: Mission, dee: User) -> None:
    client = client_of(dee)
    form = client.get(url(mission))
    assert "a circle seven kilometres across" in text_of(form)
    assert form["Referrer-Policy"] == "strict-origin"
    made = client.post(url(mission), {"shows_position": "on"})
    assert made.status_code == 200
    assert made["Cache-Control"].startswith("no-store")
    assert made["Referrer-Policy"] == "no-referrer"
    found = re.search(r'value="http://testserver(/s/mps_[\w-]{43})"', text_of(made))
    assert found
    assert Client().get(found[1]).status_code == 200
    page = text_of(client.get(url(mission)))
    assert "mps_" not in page
    for said in ("window and state, position", "1 view", "24 h after the mission is completed"):
        assert said in page, said


def test_an_end_is_a_day_of_the_employers_zone(mission: Mission, dee: User) -> None:
    client = client_of(dee)
    today = timezone.localdate()
    client.post(url(mission), {"expires_at": str(today + timedelta(days=3))})
    end_at = ShareLink.objects.get().expires_at
    assert end_at is not None
    assert end_at - timezone.now() > timedelta(days=3) - timedelta(hours=2)
    client.post(url(mission), {"expires_at": str(today + timedelta(days=30))})
    assert ShareLink.objects.count() == 2
    for day, said in (
        (today + timedelta(days=40), "30 days at most"),
        (today - timedelta(days=2), "This moment is past"),
    ):
        refused = client.post(url(mission), {"expires_at": str(day)})
        assert refused.status_code == 400
        assert said in text_of(refused)
    assert client.post(url(mission), {"expires_at": "nonsense"}).status_code == 400
    assert ShareLink.objects.count() == 2


def test_of_a_mission_long_over_the_form_asks_for_a_day(mission: Mission, dee: User) -> None:
    now = timezone.now()
    Mission.objects.update(
        status=MissionStatus.COMPLETED, opened_at=now - timedelta(hours=60),
        ended_at=now - timedelta(hours=50),
    )  # fmt: skip
    refused = client_of(dee).post(url(mission), {})
    assert refused.status_code == 400
    assert "ended more than 24 hours ago" in text_of(refused)


def test_taking_back_asks_first(mission: Mission, dee: User) -> None:
    client = client_of(dee)
    client.post(url(mission), {})
    link = ShareLink.objects.get()
    back = f"/missions/{mission.uuid}/share-links/{link.uuid}/revoke"
    assert back in text_of(client.get(url(mission)))
    assert "Take the link back?" in text_of(client.get(back))
    assert ShareLink.objects.get().revoked_at is None
    page = text_of(client.post(back, follow=True))
    assert "it opens nothing any more" in page
    assert "taken back" in page
    assert back not in page
    assert ShareLink.objects.get().revoked_at is not None


def test_while_sharing_is_off_nobody_can_make_one(mission: Mission, dee: User) -> None:
    assert "Make the link" in text_of(client_of(dee).get(url(mission)))
    Employer.objects.update(is_share_enabled=False)
    page = text_of(client_of(dee).get(url(mission)))
    assert "Sharing is off" in page
    assert "Make the link" not in page
    refused = client_of(dee).post(url(mission), {})
    assert refused.status_code == 409
    assert not ShareLink.objects.exists()


def test_others_get_nothing_of_it(
    mission: Mission, dee: User, max: User, pat: User, cy: User
) -> None:
    client_of(dee).post(url(mission), {})
    link = ShareLink.objects.get()
    for path in (url(mission), f"/missions/{mission.uuid}/share-links/{link.uuid}/revoke"):
        assert client_of(max).get(path).status_code == 200
        for method in ("get", "post"):
            assert getattr(client_of(pat), method)(path).status_code == 403
            assert getattr(client_of(cy), method)(path).status_code == 404
            nobody = getattr(Client(), method)(path)
            assert nobody["Location"].startswith("/accounts/login/")
    other = make_mission(mission.employer, stops=1)
    astray = f"/missions/{other.uuid}/share-links/{link.uuid}/revoke"
    assert client_of(dee).post(astray).status_code == 404
    assert ShareLink.objects.get().revoked_at is None
