from typing import Any

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from rest_framework.test import APIClient

from accounts.models import AuditEntry, Driver, Employer
from missions.lifecycle import cancel_mission, end_mission
from missions.models import Mission, Site, Stop, StopResult
from missions.planning import MOST_STOPS
from missions.stages import Stage
from tests.cast import ClientFor
from tests.missions.builders import make_mission, put_stage, start, state_of
from tests.missions.opening_cases import Sent, State, at


@pytest.fixture
def client(client_for: ClientFor) -> APIClient:
    return client_for("dispatcher")


@pytest.fixture
def mission(acme: Employer, ada: Driver) -> Mission:
    return make_mission(acme, ada, stops=3)


@pytest.fixture
def url(mission: Mission) -> str:
    return f"/api/v1/missions/{mission.uuid}/stops"


def stop_ids(mission: Mission) -> list[str]:
    return [str(uuid) for uuid in mission.stops.order_by("seq").values_list("uuid", flat=True)]


def result(client: APIClient, url: str, stop: Stop, **body: Any) -> Any:
    return client.post(f"{url}/{stop.uuid}/result", body)


# --- plan ------------------------------------------------------------------------------------


def test_a_stop_is_added_at_the_end(client: APIClient, url: str, mission: Mission) -> None:
    answer = client.post(url, {"external_id": "a", "purpose": "load"})
    assert answer.status_code == 201
    assert (answer.json()["seq"], answer.json()["purpose"]) == (4, "load")
    shown = client.get(url).json()["results"]
    assert [stop["seq"] for stop in shown] == [1, 2, 3, 4]
    assert shown[3] == answer.json() == client.get(f"{url}/{answer.json()['id']}").json()


def test_a_mission_gets_no_more_stops_than_can_be_put_in_order(
    client: APIClient, acme: Employer
) -> None:
    mission = make_mission(acme, stops=MOST_STOPS - 1)
    url = f"/api/v1/missions/{mission.uuid}/stops"
    assert client.post(url, {}).status_code == 201
    assert client.post(url, {}).status_code == 400
    order = {"stops": stop_ids(mission)[::-1]}
    assert len(order["stops"]) == MOST_STOPS
    assert client.put(f"{url}/order", order).status_code == 200


def test_a_change_of_a_stop_is_a_new_version_of_its_mission(
    client: APIClient, url: str, mission: Mission, acme: Employer
) -> None:
    site = Site.objects.create(employer=acme, name="Ghent")
    change = {"site": str(site.uuid), "planned_arrival_at": "2026-11-20T10:00:00+01:00"}
    shown = client.patch(f"{url}/{stop_ids(mission)[0]}", change).json()
    assert (shown["site"], shown["planned_arrival_at"]) == (change["site"], "2026-11-20T09:00:00Z")
    before = mission.version
    mission.refresh_from_db()
    assert mission.version == before + 1
    assert AuditEntry.objects.get(action="stop.changed").detail["fields"] == [
        "planned_arrival_at",
        "site",
    ]


def test_a_stop_is_changed_under_the_tag_that_came_with_it(
    client: APIClient, url: str, mission: Mission
) -> None:
    first, second = (f"{url}/{stop}" for stop in stop_ids(mission)[:2])
    known = client.get(first)["ETag"]
    changed = client.patch(second, {"remark": "bell"}, headers={"If-Match": known})
    assert (changed.status_code, changed["ETag"]) == (200, '"2"')
    stale = client.patch(first, {"remark": "gate"}, headers={"If-Match": known})
    assert stale.status_code == 412
    assert [field["pointer"] for field in stale.json()["changed"]] == ["/stops/1/remark"]
    assert mission.stops.filter(remark="gate").count() == 0
    again = client.patch(first, {"remark": "gate"}, headers={"If-Match": changed["ETag"]})
    assert (again.status_code, again["ETag"]) == (200, '"3"')
    assert client.post(url, {"purpose": "load"})["ETag"] == '"4"'


def test_what_a_stop_says_already_leaves_the_version(
    client: APIClient, url: str, mission: Mission, acme: Employer
) -> None:
    Site.objects.create(employer=acme, name="Ghent", external_id="S-1")
    stop = f"{url}/{stop_ids(mission)[0]}"
    change = {"site": "S-1", "purpose": "both", "window_end_at": "2026-11-20T10:00:00+01:00"}
    first = client.patch(stop, change)
    entries = AuditEntry.objects.count()
    again = client.patch(stop, change, headers={"If-Match": first["ETag"]})
    assert (again.json(), again["ETag"]) == (first.json(), first["ETag"])
    assert AuditEntry.objects.count() == entries


def test_two_stops_of_a_mission_cannot_share_an_external_id(
    client: APIClient, url: str, mission: Mission
) -> None:
    assert client.post(url, {"external_id": "a"}).status_code == 201
    assert client.post(url, {"external_id": "a"}).status_code == 409
    first = stop_ids(mission)[0]
    assert client.patch(f"{url}/{first}", {"external_id": "a"}).status_code == 409
    assert mission.stops.filter(external_id="a").count() == 1


def test_a_window_is_checked_against_what_is_stored(
    client: APIClient, url: str, mission: Mission
) -> None:
    stop = f"{url}/{stop_ids(mission)[0]}"
    client.patch(stop, {"window_start_at": "2026-11-20T10:00:00Z"})
    answer = client.patch(stop, {"window_end_at": "2026-11-20T09:00:00Z"})
    assert (answer.status_code, answer.json()["errors"][0]["pointer"]) == (400, "/window_end_at")


def test_another_employers_site_is_unknown(
    client: APIClient, url: str, mission: Mission, elsewhere: Employer
) -> None:
    theirs = Site.objects.create(employer=elsewhere, name="Theirs", external_id="S-1")
    stop = f"{url}/{stop_ids(mission)[0]}"
    assert client.patch(stop, {"site": str(theirs.uuid)}).status_code == 404
    # A name is no id: it is refused like any that no site has.
    answer = client.patch(stop, {"site": "S-1"})
    assert (answer.status_code, answer.json()["errors"][0]["pointer"]) == (400, "/site")
    assert mission.stops.exclude(site=None).count() == 0


def test_a_stop_of_another_mission_is_404(
    client: APIClient, url: str, acme: Employer, ada: Driver
) -> None:
    other = stop_ids(make_mission(acme, ada, stops=1))[0]
    assert client.get(f"{url}/{other}").status_code == 404
    assert client.delete(f"{url}/{other}").status_code == 404
    assert Stop.objects.count() == 4


def test_stops_are_put_in_another_order(client: APIClient, url: str, mission: Mission) -> None:
    order = stop_ids(mission)[::-1]
    shown = client.put(f"{url}/order", {"stops": order}).json()
    assert [stop["id"] for stop in shown["stops"]] == order
    assert [stop["seq"] for stop in shown["stops"]] == [1, 2, 3]


def test_an_order_names_each_stop_once(client: APIClient, url: str, mission: Mission) -> None:
    first, second, third = stop_ids(mission)
    for order in ([first, second], [first, second, second], [first, second, third, third], []):
        assert client.put(f"{url}/order", {"stops": order}).status_code == 400
    assert stop_ids(mission) == [first, second, third]


def test_a_stop_is_removed_until_something_happened_there(
    client: APIClient, url: str, mission: Mission, ada: Driver
) -> None:
    first, second, third = mission.stops.order_by("seq")
    assert client.delete(f"{url}/{third.uuid}").status_code == 204
    put_stage(mission, ada, Sent(Stage.ARRIVAL, at("08:00"), stop=1))
    assert client.delete(f"{url}/{first.uuid}").json()["code"] == "stop_in_use"
    result(client, url, second, result="cancelled", at="2026-11-20T08:30:00Z")
    assert client.delete(f"{url}/{second.uuid}").json()["code"] == "stop_in_use"
    assert mission.stops.count() == 2


def test_removing_the_stops_that_are_left_ends_the_mission(
    client: APIClient, url: str, mission: Mission, ada: Driver
) -> None:
    put_stage(mission, ada, Sent(Stage.DEPARTURE, at("09:00"), stop=2))
    assert state_of(mission).status == "started"
    client.delete(f"{url}/{stop_ids(mission)[2]}")
    assert state_of(mission) == State("completed", at("09:00"), at("09:00"), "dispatcher")


def test_the_stops_of_a_mission_that_is_over_stay(
    client: APIClient, url: str, mission: Mission
) -> None:
    cancel_mission(mission)
    stop = f"{url}/{stop_ids(mission)[0]}"
    assert client.post(url, {}).status_code == 409
    assert client.patch(stop, {"remark": "bell"}).status_code == 409
    assert client.delete(stop).status_code == 409
    assert client.put(f"{url}/order", {"stops": stop_ids(mission)}).status_code == 409
    assert mission.stops.filter(remark="").count() == 3


# --- results ---------------------------------------------------------------------------------


def test_a_result_of_an_earlier_stop_ends_nothing(
    client: APIClient, url: str, mission: Mission, ada: Driver
) -> None:
    start(mission, ada, at("08:00"))
    shown = result(client, url, mission.stops.get(seq=1), result="succeeded").json()
    assert shown["result"] == "succeeded"
    assert state_of(mission).status == "started"


def test_the_last_stops_result_ends_the_mission(
    client: APIClient, url: str, mission: Mission, ada: Driver
) -> None:
    start(mission, ada, at("08:00"))
    last = mission.stops.get(seq=3)
    body = {"result": "failed", "reason": "receiver_absent", "remark": "dark"}
    shown = result(client, url, last, **body, at="2026-11-20T11:00:00Z").json()
    assert (shown["result_reason"], shown["remark"]) == ("receiver_absent", "dark")
    assert state_of(mission) == State("completed", at("08:00"), at("11:00"), "dispatcher")


def test_a_last_stop_called_off_leaves_the_one_before_as_the_last(
    client: APIClient, url: str, mission: Mission, ada: Driver
) -> None:
    start(mission, ada, at("08:00"))
    result(client, url, mission.stops.get(seq=3), result="cancelled", at="2026-11-20T09:00:00Z")
    assert state_of(mission).status == "started"
    put_stage(mission, ada, Sent(Stage.DEPARTURE, at("10:00"), stop=2))
    assert state_of(mission) == State("completed", at("08:00"), at("10:00"), "driver")


def test_a_result_that_comes_late_leaves_the_end(
    client: APIClient, url: str, mission: Mission, ada: Driver
) -> None:
    start(mission, ada, at("08:00"))
    end_mission(mission, at=at("12:00"))
    stop = mission.stops.get(seq=3)
    assert result(client, url, stop, result="succeeded").status_code == 200
    stop.refresh_from_db()
    assert stop.result == StopResult.SUCCEEDED
    assert state_of(mission).ended_at == at("12:00")


def test_a_mission_that_has_not_started_takes_no_results(
    client: APIClient, url: str, mission: Mission
) -> None:
    answer = result(client, url, mission.stops.get(seq=3), result="succeeded")
    assert (answer.status_code, answer.json()["code"]) == (409, "move_refused")
    assert mission.stops.exclude(result="").count() == 0


@pytest.mark.parametrize("bad", ["failed", "partially_succeeded"])
def test_what_was_not_delivered_has_a_reason(
    client: APIClient, url: str, mission: Mission, ada: Driver, bad: str
) -> None:
    start(mission, ada, at("08:00"))
    stop = mission.stops.get(seq=1)
    assert result(client, url, stop, result=bad).status_code == 400
    assert result(client, url, stop, result=bad, reason="weather").status_code == 400
    assert result(client, url, stop, result=bad, reason="damage").status_code == 200


def test_what_succeeded_has_no_reason(
    client: APIClient, url: str, mission: Mission, ada: Driver
) -> None:
    start(mission, ada, at("08:00"))
    stop = mission.stops.get(seq=1)
    refused = result(client, url, stop, result="succeeded", reason="damage")
    assert (refused.status_code, refused.json()["errors"][0]["pointer"]) == (400, "/reason")
    assert result(client, url, stop, result="succeeded", reason="").status_code == 200


def test_the_stops_cost_the_same_for_one_and_for_thirty(
    client: APIClient, url: str, mission: Mission, acme: Employer
) -> None:
    site = Site.objects.create(employer=acme, name="Ghent")

    def queries() -> int:
        with CaptureQueriesContext(connection) as captured:
            assert client.get(url).status_code == 200
        return len(captured)

    mission.stops.filter(seq__gt=1).delete()
    mission.stops.update(site=site)
    one = queries()
    for seq in range(2, 31):
        Stop.objects.create(employer=acme, mission=mission, seq=seq, site=site)
    assert len(client.get(url).json()["results"]) == 30
    assert queries() == one
