"""Ingest against the table of cases that relinking is held to as well."""

from datetime import datetime, timedelta
from typing import Any

import pytest

from accounts.models import Driver
from tests.cast import Phone
from tests.tracking.ingest.asgi_phone import AsgiPhone, fix
from tests.tracking.linking_cases import CASES, FIX_AT, Case, set_scene
from tracking.ingest.sent import FLAG_MISSION_UNKNOWN, FLAG_TRUCK_DISAGREES
from tracking.models import Fix

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.mark.parametrize("case", CASES, ids=str)
def test_a_fix_is_linked_when_it_is_recorded(
    ingest: AsgiPhone, ada_phone: Phone, ben: Driver, now: datetime, case: Case
) -> None:
    scene = set_scene(case, ada_phone.driver, ben, now)
    named: dict[str, Any] = {} if case.named is None else {"mission": case.named}
    recorded_at = now + timedelta(minutes=FIX_AT)

    assert ingest.post(ada_phone.token, [fix(recorded_at, **named)]).statuses == ["stored"]

    stored = Fix.objects.get(driver_id=ada_phone.driver.pk, recorded_at=recorded_at)
    assert stored.mission_id == scene.mission_id(case.mission)
    assert stored.truck_id == scene.truck_id(case.truck)
    assert stored.get_link_source_display() == case.link_source
    flags = stored.flags or 0
    assert bool(flags & FLAG_TRUCK_DISAGREES) == case.truck_disagrees
    assert bool(flags & FLAG_MISSION_UNKNOWN) == case.mission_unknown
