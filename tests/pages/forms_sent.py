"""What the tests of a mission's forms share: what a browser would send of them."""

import re
from html import unescape

from django.http.response import HttpResponseBase

from accounts.models import Employer
from missions.models import Mission, Site
from missions.planning import StopPlan
from missions.stops import add_stop
from tests.missions.builders import make_mission
from tests.pages.test_pages import text_of

_INPUT = re.compile(r'<input[^>]*name="([^"]+)"[^>]*>')
_SELECT = re.compile(r'<select[^>]* name="([^"]+)".*?</select>', re.DOTALL)
_AREA = re.compile(r'<textarea[^>]* name="([^"]+)"[^>]*>(.*?)</textarea>', re.DOTALL)


def url_of(mission: Mission, page: str = "edit") -> str:
    return f"/missions/{mission.uuid}/{page}"


def fields_of(answer: HttpResponseBase) -> dict[str, str]:
    """What a browser would send of the page's form, had nobody touched it."""
    page = text_of(answer)
    page = page[page.index("data-busy=") :]
    page = page[: page.index("</form>")]
    sent = {}
    for found in _INPUT.finditer(page):
        tag, name = found[0], found[1]
        value = re.search(r' value="([^"]*)"', tag)
        if 'type="checkbox"' not in tag or " checked" in tag:
            sent[name] = unescape(value[1]) if value else "on" * ('type="checkbox"' in tag)
    for found in _SELECT.finditer(page):
        chosen = re.search(r'<option value="([^"]*)" selected', found[0])
        first = re.search(r'<option value="([^"]*)"', found[0])
        one = chosen or first
        sent[found[1]] = unescape(one[1]) if one else ""
    for found in _AREA.finditer(page):
        sent[found[1]] = unescape(found[2]).lstrip("\n")
    return sent


def stop_fields(number: int, **fields: str) -> dict[str, str]:
    """A stop of a form by its place; it is known by its purpose."""
    every = {"purpose": "unload", **fields}
    return {f"stops-{number}-{name}": value for name, value in every.items()}


def planned_at(employer: Employer, first: Site, second: Site) -> Mission:
    """A mission that has not begun, with a stop to load and one to unload."""
    mission = make_mission(employer, external_id="M-1", reference="Beer")
    add_stop(mission, StopPlan(site=first, purpose="load"))
    add_stop(mission, StopPlan(site=second, planned_service_s=750, free_time_s=90))
    mission.refresh_from_db()
    return mission
