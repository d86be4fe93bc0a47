"""Stages from phones open and end missions by the same cases as a dispatcher's."""

from dataclasses import replace

import pytest

from accounts.models import Employer
from missions.models import Mission
from tests.cast import Phone
from tests.missions.builders import mission_before, results_of, state_of, wrong_open_periods
from tests.missions.opening_cases import CASES, Case, Sent
from tests.tracking.ingest.asgi_phone import AsgiPhone, mark

pytestmark = pytest.mark.django_db(transaction=True)


def as_mark(mission: Mission, sent: Sent) -> dict[str, object]:
    stop = None if sent.stop is None else str(mission.stops.get(seq=sent.stop).uuid)
    return mark(
        sent.recorded_at,
        sent.stage.label,
        mission=str(mission.uuid),
        stop=stop,
        ends_mission=sent.ends_mission,
        result=sent.result or None,
        reason=sent.reason or None,
        id=str(mission.uuid),
    )


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.name)
def test_a_mission_opens_and_ends_whatever_the_order_of_its_stages(
    case: Case, replay_ingest: AsgiPhone, acme: Employer, ada_phone: Phone
) -> None:
    expected = replace(case.after, ended_source="")
    for order in case.orders:
        mission = mission_before(case, acme, ada_phone.driver)
        for sent in order:
            answer = replay_ingest.post(ada_phone.token, [as_mark(mission, sent)])
            assert answer.statuses == ["stored"]
        assert replace(state_of(mission), ended_source="") == expected, order
        assert results_of(mission) == case.results, order
    if case.stages:
        mission = mission_before(case, acme, ada_phone.driver)
        replay_ingest.post(ada_phone.token, [as_mark(mission, sent) for sent in case.stages])
        assert replace(state_of(mission), ended_source="") == expected, "all at once"
        assert results_of(mission) == case.results, "all at once"
    assert wrong_open_periods() == []


def test_an_end_says_who_ended_it(
    replay_ingest: AsgiPhone, acme: Employer, ada_phone: Phone
) -> None:
    automatic = next(case for case in CASES if case.before.ended_source == "automatic")
    mission = mission_before(automatic, acme, ada_phone.driver)
    assert mission.opened_at is not None
    ending = Sent(automatic.stages[0].stage, mission.opened_at, ends_mission=True)
    replay_ingest.post(ada_phone.token, [as_mark(mission, ending)])
    mission.refresh_from_db()
    assert (mission.ended_at, mission.ended_source) == (automatic.before.ended_at, "driver")
    assert mission.version == 2
