"""Ingest links a fix by the one table of cases that relinking is held to as well."""

from datetime import datetime, timedelta

import pytest

from accounts.models import Driver
from tests.cast import Phone
from tests.tracking.ingest.asgi_phone import AsgiPhone, fix
from tests.tracking.linking_cases import CASES, FIX_AT, Case, set_scene
from tracking.ingest.sent import FLAG_MISSION_UNKNOWN, FLAG_TRUCK_DISAGREES
from tracking.models import Fix, LinkSource

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.mark.parametrize("case", CASES, ids=str)
def test_a_fix_is_linked_when_recorded(
    case: Case, ingest: AsgiPhone, ada_phone: Phone, ben: Driver, now: datetime
) -> None:
    scene = set_scene(case, ada_phone.driver, ben, now)
    recorded_at = now + timedelta(minutes=FIX_AT)

    answer = ingest.post(ada_phone.token, [fix(recorded_at, mission=case.named)])

    assert answer.statuses == ["stored"]
    warned = answer.json["results"][0].get("warnings", [])
    assert warned == (["mission_unknown"] if case.mission_unknown else [])
    stored = Fix.objects.get(driver_id=ada_phone.driver.pk)
    assert stored.mission_id == scene.mission_id(case.mission)
    assert stored.truck_id == scene.truck_id(case.truck)
    assert LinkSource(stored.link_source).label == case.link_source
    flags = stored.flags or 0
    assert bool(flags & FLAG_TRUCK_DISAGREES) == case.truck_disagrees
    assert bool(flags & FLAG_MISSION_UNKNOWN) == case.mission_unknown
