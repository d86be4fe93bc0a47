"""The board of the day: what each mission says, filters in the address, counts of the whole day."""

from datetime import datetime, timedelta

import pytest
from django.utils import timezone

from accounts.models import Driver, Employer, Truck, User
from missions.stages import Stage
from tests.pages.test_missions_page import bakery, make, noon, put
from tests.pages.test_pages import client_of, text_of

__all__ = ["bakery", "noon"]


def test_it_shows_the_missions_of_today_with_their_state_in_words(
    acme: Employer, dee: User, ada: Driver, truck12: Truck, noon: datetime
) -> None:
    mission = make(acme, noon, "Gent", driver=ada, truck=truck12)
    make(acme, noon + timedelta(days=2), "Later")
    make(acme, noon - timedelta(days=2), "Before")
    page = text_of(client_of(dee).get("/"))
    for said in ("Gent", "assigned", "Ada Peeters", "1-TRK-012", "0 of 1 stops done"):
        assert said in page, said
    assert f'href="/missions/{mission.uuid}"' in page
    assert f'href="/drivers/{ada.uuid}/day"' in page
    assert "1 mission today" in page
    assert "Later" not in page
    assert "Before" not in page
