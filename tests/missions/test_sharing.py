"""Links for consignees: made, listed, taken back, and when they end."""

from datetime import timedelta
from typing import Any

import pytest
from django.utils import timezone

from accounts.models import AuditEntry, Employer
from missions.models import Mission, MissionStatus, ShareLink, Stop
from missions.sharing import IN_FORCE_AT_MOST, count_view, opened, state_of
from tests.cast import ClientFor
from tests.missions.builders import make_mission

HOUR = timedelta(hours=1)


@pytest.fixture
def sharing(acme: Employer) -> Employer:
    acme.is_share_enabled = True
    acme.save()
    return acme


@pytest.fixture
def mission(acme: Employer) -> Mission:
    return make_mission(acme, stops=2)


def url(mission: Mission) -> str:
    return f"/api/v1/missions/{mission.uuid}/share-links"


def asked(mission: Mission, **more: Any) -> dict[str, Any]:
    return {"stop": str(mission.stops.get(seq=2).uuid), **more}


def token_in(answer: Any) -> str:
    return str(answer.json()["url"]).rpartition("/s/")[2]


def test_a_link_is_shown_once_and_opens_its_stop(
    sharing: Employer, mission: Mission, client_for: ClientFor
) -> None:
    client = client_for("dispatcher")
    made = client.post(url(mission), asked(mission, shows_position=True), format="json")
    assert made.status_code == 201
    assert made["Cache-Control"] == "no-store"
    token = token_in(made)
    assert token.startswith("mps_")
    (listed,) = client.get(url(mission)).json()["results"]
    assert "url" not in listed
    assert (listed["state"], listed["views"], listed["ends_at"]) == ("in_force", 0, None)
    assert (listed["shows_position"], listed["shows_proof"]) == (True, False)
    link = opened(token, timezone.now())
    assert link is not None
    assert link.stop.seq == 2
    assert token.encode() not in bytes(ShareLink.objects.get().token_hash)
    assert opened(token + "x", timezone.now()) is None
    assert opened("mps_\u0660", timezone.now()) is None
    assert opened("", timezone.now()) is None


def test_sharing_is_off_until_a_manager_turns_it_on(
    acme: Employer, mission: Mission, client_for: ClientFor
) -> None:
    client = client_for("dispatcher")
    refused = client.post(url(mission), asked(mission), format="json")
    assert (refused.status_code, refused.json()["code"]) == (409, "share_disabled")
    switch = {"is_share_enabled": True, "is_shared_position_exact": True}
    assert client.patch("/api/v1/employer", switch, format="json").status_code == 403
    changed = client_for("manager").patch("/api/v1/employer", switch, format="json")
    assert changed.json()["is_shared_position_exact"] is True
    made = client.post(url(mission), asked(mission), format="json")
    assert opened(token_in(made), timezone.now()) is not None
    # Off again: what was sent out opens nothing, at once, and everything when it is on again.
    Employer.objects.update(is_share_enabled=False)
    assert opened(token_in(made), timezone.now()) is None
    assert client.get(url(mission)).json()["results"][0]["state"] == "off"


def test_a_link_ends_24_hours_after_the_mission_is_completed(
    sharing: Employer, mission: Mission, client_for: ClientFor
) -> None:
    made = client_for("dispatcher").post(url(mission), asked(mission), format="json")
    now = timezone.now()
    assert opened(token_in(made), now + timedelta(days=89)) is not None
    assert opened(token_in(made), now + timedelta(days=91)) is None
    Mission.objects.update(status=MissionStatus.COMPLETED, opened_at=now - HOUR, ended_at=now)
    assert opened(token_in(made), now + 23 * HOUR) is not None
    assert opened(token_in(made), now + 25 * HOUR) is None


def test_a_link_may_end_at_a_date_and_sharing_again_works(
    sharing: Employer, mission: Mission, client_for: ClientFor
) -> None:
    client = client_for("dispatcher")
    now = timezone.now()
    end = (now + timedelta(days=3)).isoformat()
    made = client.post(url(mission), asked(mission, expires_at=end), format="json")
    Mission.objects.update(
        status=MissionStatus.COMPLETED, opened_at=now - 48 * HOUR, ended_at=now - 30 * HOUR
    )
    assert opened(token_in(made), now + timedelta(days=2)) is not None
    assert opened(token_in(made), now + timedelta(days=4)) is None
    ShareLink.objects.update(expires_at=now - HOUR)
    assert client.get(url(mission)).json()["results"][0]["state"] == "expired"
    again = client.post(url(mission), asked(mission, expires_at=end), format="json")
    assert opened(token_in(again), now) is not None
    assert opened(token_in(made), now) is None


@pytest.mark.parametrize(
    "end", [timedelta(seconds=-1), timedelta(days=30, minutes=1)], ids=["past", "too far"]
)
def test_an_end_that_cannot_be_is_refused(
    sharing: Employer, mission: Mission, client_for: ClientFor, end: timedelta
) -> None:
    body = asked(mission, expires_at=(timezone.now() + end).isoformat())
    refused = client_for("dispatcher").post(url(mission), body, format="json")
    assert refused.status_code == 400
    assert refused.json()["errors"][0]["pointer"] == "/expires_at"
    assert not ShareLink.objects.exists()


def test_of_a_mission_long_over_an_end_must_be_said(
    sharing: Employer, mission: Mission, client_for: ClientFor
) -> None:
    now = timezone.now()
    Mission.objects.update(
        status=MissionStatus.COMPLETED, opened_at=now - 48 * HOUR, ended_at=now - 25 * HOUR
    )
    client = client_for("dispatcher")
    refused = client.post(url(mission), asked(mission), format="json")
    assert refused.json()["errors"][0]["pointer"] == "/expires_at"
    end = (now + HOUR).isoformat()
    made = client.post(url(mission), asked(mission, expires_at=end), format="json")
    assert made.status_code == 201


def test_one_taken_back_opens_nothing_and_says_who_did_it(
    sharing: Employer, mission: Mission, client_for: ClientFor
) -> None:
    client = client_for("dispatcher")
    made = client.post(url(mission), asked(mission), format="json")
    back = f"{url(mission)}/{made.json()['id']}/revoke"
    assert opened(token_in(made), timezone.now()) is not None
    first = client.post(back).json()
    assert first["state"] == "revoked"
    assert client.post(back).json()["revoked_at"] == first["revoked_at"]
    assert opened(token_in(made), timezone.now()) is None
    told = AuditEntry.objects.filter(action__startswith="share_link.").order_by("id")
    assert [entry.action for entry in told] == ["share_link.made", "share_link.revoked"]
    assert {entry.detail["mission"] for entry in told} == {str(mission.uuid)}
    assert token_in(made) not in str([entry.detail for entry in told])


def test_nobody_makes_links_without_end(
    sharing: Employer, mission: Mission, client_for: ClientFor
) -> None:
    client = client_for("dispatcher")
    for _ in range(IN_FORCE_AT_MOST):
        assert client.post(url(mission), asked(mission), format="json").status_code == 201
    refused = client.post(url(mission), asked(mission), format="json")
    assert (refused.status_code, refused.json()["code"]) == (409, "too_many_links")
    link = ShareLink.objects.order_by("id")[0]
    client.post(f"{url(mission)}/{link.uuid}/revoke")
    assert client.post(url(mission), asked(mission), format="json").status_code == 201


def test_others_neither_make_nor_list_nor_take_back(
    sharing: Employer, mission: Mission, elsewhere: Employer, client_for: ClientFor
) -> None:
    client = client_for("dispatcher")
    made = client.post(url(mission), asked(mission), format="json")
    back = f"{url(mission)}/{made.json()['id']}/revoke"
    for role, status in (("nobody", 401), ("dpo", 403), ("driver", 403), ("stranger", 404)):
        other = client_for(role)
        assert other.post(url(mission), asked(mission), format="json").status_code == status
        assert other.get(url(mission)).status_code == status
        assert other.post(back).status_code == status
    other_mission = make_mission(sharing, stops=1)
    assert client.post(url(other_mission), asked(mission), format="json").status_code == 404
    assert client.post(f"{url(other_mission)}/{made.json()['id']}/revoke").status_code == 404
    assert state_of(ShareLink.objects.select_related("stop__mission", "employer").get(),
                    timezone.now()) == "in_force"  # fmt: skip


def test_views_are_counted_one_by_one(sharing: Employer, mission: Mission) -> None:
    stop = Stop.objects.filter(mission=mission)[0]
    ShareLink.objects.create(employer=sharing, stop=stop, token_hash=b"\1" * 32)
    first, second = ShareLink.objects.get(), ShareLink.objects.get()
    now = timezone.now()
    count_view(first, now)
    count_view(second, now)
    assert ShareLink.objects.get().views == 2
    assert ShareLink.objects.get().last_viewed_at == now
