"""What a stage says beyond its time and kind: kept with the event, never at the stage's cost."""

from datetime import datetime, timedelta
from typing import Any

import pytest

from accounts.models import Employer
from missions.models import Mission, Site, StageEvent, Stop
from tests.cast import Phone
from tests.tracking.ingest.asgi_phone import Answered, AsgiPhone, fix, mark
from tracking.models import Fix

pytestmark = pytest.mark.django_db(transaction=True)
MINUTE = timedelta(minutes=1)


@pytest.fixture
def stop(mission: Mission) -> Stop:
    site = Site.objects.create(
        employer=mission.employer, name="Ghent", latitude=51.05, longitude=3.72, radius_m=150
    )
    return Stop.objects.create(
        employer=mission.employer, mission=mission, seq=1, external_id="S-1", site=site
    )


def stored(phone: Phone) -> list[Fix]:
    return list(Fix.objects.filter(driver_id=phone.driver.pk).order_by("recorded_at"))


def warnings(answer: Answered) -> list[str]:
    (result,) = answer.json["results"]
    assert result["status"] == "stored"
    warned: list[str] = result.get("warnings", [])
    return warned


def test_an_id_and_a_note_are_kept_with_the_stage(
    ingest: AsgiPhone, ada_phone: Phone, mission: Mission, now: datetime
) -> None:
    sent = fix(now, kind="arrival", mission="M-1", id="s-1", note="Het hek was dicht.\n🚚")
    assert warnings(ingest.post(ada_phone.token, [sent])) == []
    event = StageEvent.objects.get()
    assert (event.client_id, event.note) == ("s-1", "Het hek was dicht.\n🚚")
    assert (event.position_source, event.position_recorded_at) == ("at_event", None)
    assert len(stored(ada_phone)) == 1


def test_a_place_measured_earlier_is_the_events_and_no_fix(
    ingest: AsgiPhone, ada_phone: Phone, stop: Stop, now: datetime
) -> None:
    sent = fix(
        now, 51.0509, 3.72, kind="arrival", mission="M-1", stop="S-1", id="s-1", accuracy_m=9,
        position_source="last_known", position_recorded_at=(now - 4 * MINUTE).isoformat(),
    )  # fmt: skip
    assert warnings(ingest.post(ada_phone.token, [sent])) == []
    event = StageEvent.objects.get()
    assert (event.latitude, event.longitude, event.accuracy_m) == (51.0509, 3.72, 9)
    assert event.position_source == "last_known"
    assert event.position_recorded_at == now - 4 * MINUTE
    assert event.site_distance_m == pytest.approx(100, abs=1)
    assert event.site_check == "inside"
    assert stored(ada_phone) == []
    assert ingest.post(ada_phone.token, [sent, sent]).statuses == ["duplicate", "duplicate"]


def test_two_stages_at_one_earlier_place_stay_two_and_thin_nothing(
    ingest: AsgiPhone, acme: Employer, ada_phone: Phone, mission: Mission, now: datetime
) -> None:
    acme.min_spacing_m = 500
    acme.save()
    earlier: dict[str, Any] = {
        "position_source": "last_known",
        "position_recorded_at": now.isoformat(),
    }
    sent = [
        fix(now, 50.85),
        fix(now + MINUTE, 50.86, kind="waiting_started", id="a", mission="M-1", **earlier),
        fix(now + MINUTE, 50.86, kind="waiting_started", id="b", mission="M-1", **earlier),
        fix(now + 2 * MINUTE, 50.86),
    ]
    assert ingest.post(ada_phone.token, sent).statuses == ["stored"] * 4
    assert [row.latitude for row in stored(ada_phone)] == [50.85, 50.86]
    assert StageEvent.objects.count() == 2


@pytest.mark.parametrize(
    "said",
    [
        {"position_source": "last_known"},
        {"position_source": "last_known", "position_recorded_at": "later"},
        {"position_source": "last_known", "position_recorded_at": "earlier", "latitude": 91},
        {"position_source": "last_known", "position_recorded_at": "earlier", "latitude": None},
        {"position_source": "gps", "position_recorded_at": "earlier"},
        {"position_source": "none"},
    ],
)
def test_a_place_of_which_nobody_knows_when_it_was_is_left_out(
    ingest: AsgiPhone, ada_phone: Phone, now: datetime, said: dict[str, Any]
) -> None:
    moments = {"later": now + MINUTE, "earlier": now - MINUTE}
    if said.get("position_recorded_at") in moments:
        said = {**said, "position_recorded_at": moments[said["position_recorded_at"]].isoformat()}
    answer = ingest.post(ada_phone.token, [{**fix(now, kind="arrival", accuracy_m=9), **said}])
    assert warnings(answer) == ["position_left_out"]
    event = StageEvent.objects.get()
    assert (event.latitude, event.accuracy_m, event.position_source) == (None, None, "none")
    assert stored(ada_phone) == []


def test_no_place_and_said_so_is_nothing_to_warn_of(
    ingest: AsgiPhone, ada_phone: Phone, now: datetime
) -> None:
    sent = mark(now, "arrival", position_source="none", odometer_m=183_220_100)
    assert warnings(ingest.post(ada_phone.token, [sent])) == []
    event = StageEvent.objects.get()
    assert (event.position_source, event.odometer_m) == ("none", 183_220_100)


@pytest.mark.parametrize(
    ("said", "warning"),
    [
        ({"note": "x" * 2_001}, "note_too_long"),
        ({"note": "a\0b"}, "note_invalid"),
        ({"id": "x" * 101}, "id_invalid"),
        ({"id": "a\0b"}, "id_invalid"),
        ({"stop": "a\0b"}, "stop_unknown"),
        ({"result": "fine", "stop": "S-1"}, "result_unknown"),
        ({"result": "cancelled", "stop": "S-1"}, "result_unknown"),
        ({"result": "succeeded"}, "result_without_stop"),
        ({"result": "failed", "stop": "S-1"}, "result_without_reason"),
        ({"result": "succeeded", "stop": "S-9"}, "stop_unknown"),
    ],
)
def test_a_word_that_cannot_be_kept_costs_a_warning_and_never_the_stage(
    ingest: AsgiPhone, ada_phone: Phone, stop: Stop, now: datetime,
    said: dict[str, Any], warning: str,
) -> None:  # fmt: skip
    sent = {"id": "s-1", **said}
    answer = ingest.post(ada_phone.token, [mark(now, "arrival", mission="M-1", **sent)])
    assert warnings(answer) == [warning]
    event = StageEvent.objects.get()
    assert (event.note, event.result) == ("", "")
    stop.refresh_from_db()
    assert stop.result == ""


def test_the_longest_note_and_id_are_kept_whole(
    ingest: AsgiPhone, ada_phone: Phone, now: datetime
) -> None:
    answer = ingest.post(ada_phone.token, [mark(now, "arrival", id="i" * 100, note="n" * 2_000)])
    assert warnings(answer) == []
    event = StageEvent.objects.get()
    assert (event.client_id, event.note) == ("i" * 100, "n" * 2_000)


def test_how_a_stop_ended_comes_with_a_stage_once(
    ingest: AsgiPhone, ada_phone: Phone, mission: Mission, stop: Stop, now: datetime
) -> None:
    Stop.objects.create(employer=mission.employer, mission=mission, seq=2)
    sent = mark(
        now, "exception", mission="M-1", stop="S-1", result="failed", reason="receiver_absent"
    )
    assert warnings(ingest.post(ada_phone.token, [sent])) == []
    stop.refresh_from_db()
    assert (stop.result, stop.result_reason) == ("failed", "receiver_absent")
    assert (stop.result_at, stop.result_said_at, stop.result_source) == (now, now, "driver")
    assert StageEvent.objects.get().result == "failed"
    mission.refresh_from_db()
    version = mission.version
    assert ingest.post(ada_phone.token, [sent]).statuses == ["duplicate"]
    mission.refresh_from_db()
    assert (mission.status, mission.version) == ("started", version)


def test_a_result_alone_is_a_change_of_the_mission(
    ingest: AsgiPhone, ada_phone: Phone, mission: Mission, stop: Stop, now: datetime
) -> None:
    """Its ETag stands for all that is shown of it, its stops too."""
    Stop.objects.create(employer=mission.employer, mission=mission, seq=2)
    ingest.post(ada_phone.token, [mark(now, "departure", mission="M-1")])
    mission.refresh_from_db()
    before = mission.version
    plain = mark(now + MINUTE, "arrival", mission="M-1", stop="S-1")
    ingest.post(ada_phone.token, [plain])
    mission.refresh_from_db()
    assert mission.version == before
    said = mark(now + 2 * MINUTE, "signature", mission="M-1", stop="S-1", result="succeeded")
    ingest.post(ada_phone.token, [said])
    mission.refresh_from_db()
    assert mission.version == before + 1


def test_a_cancelled_mission_is_seen_to_have_changed(
    ingest: AsgiPhone, ada_phone: Phone, mission: Mission, stop: Stop, now: datetime
) -> None:
    Mission.objects.update(status="cancelled")
    plain = mark(now, "arrival", mission="M-1", stop="S-1")
    ingest.post(ada_phone.token, [plain])
    mission.refresh_from_db()
    before = mission.version
    said = mark(now + MINUTE, "signature", mission="M-1", stop="S-1", result="succeeded")
    ingest.post(ada_phone.token, [said])
    mission.refresh_from_db()
    assert (mission.status, mission.opened_at, mission.version) == ("cancelled", None, before + 1)


def test_a_fix_says_nothing_of_a_stop(
    ingest: AsgiPhone, ada_phone: Phone, mission: Mission, stop: Stop, now: datetime
) -> None:
    sent = fix(now, mission="M-1", stop="S-1", result="succeeded", note="x" * 9_999)
    assert warnings(ingest.post(ada_phone.token, [sent])) == []
    stop.refresh_from_db()
    assert stop.result == ""
