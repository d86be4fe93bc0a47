"""From an imported table to a proof: a phone that was away tells the same as one that was not.

Real HTTP, a real worker, a real receiver of webhooks; only time is not waited for.
"""

import random
import re
import time
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import httpx
import pypdfium2
import pytest
from django.conf import settings

from accounts.models import Employer, Role, TrackingWindow, Truck
from tests.cast import Phone, make_api_key
from tests.flows.receiver import Receiver, receiving
from tests.flows.story import StoryPhone, workbook
from tests.live_site import live_site, live_site_environment, live_worker
from tracking.partitions import make_partitions

__all__ = ["live_site", "live_site_environment", "live_worker"]

pytestmark = pytest.mark.slow

PATIENCE_S = 60.0
UUID = re.compile(r"[0-9a-f]{8}-(?:[0-9a-f]{4}-){3}[0-9a-f]{12}")
# What must differ: who, when it came in, and what the system counts.
OWN = ("received_at", "upload_delay_s", "id", "driver", "truck", "mission", "shifts", "version")


def eventually(what: Callable[[], Any]) -> Any:
    """What a worker brings about, as soon as it has; its last answer when it does not."""
    deadline_s = time.monotonic() + PATIENCE_S
    while not (found := what()) and time.monotonic() < deadline_s:
        time.sleep(0.25)
    return found


class Office:
    """The employer's own system, by its API key."""

    def __init__(self, url: str, key: str) -> None:
        self.url = url
        self._client = httpx.Client(
            base_url=f"{url}/api/v1", headers={"Authorization": f"Bearer {key}"}, timeout=30
        )

    def close(self) -> None:
        self._client.close()

    def get(self, path: str) -> Any:
        answer = self._client.get(path)
        assert answer.status_code == 200, answer.text
        return answer.json()

    def post(self, path: str, body: Any = None, **more: Any) -> Any:
        answer = (
            self._client.post(path, json=body, **more)
            if not more
            else self._client.post(path, **more)
        )
        assert answer.status_code in (200, 201, 202), answer.text
        return answer.json()


@pytest.fixture
def employer(transactional_db: None, acme: Employer) -> Employer:
    make_partitions()
    acme.tracking_window = TrackingWindow.MISSION
    acme.save()
    return acme


@pytest.fixture
def office(live_site: str, employer: Employer) -> Iterator[Office]:
    office = Office(live_site, make_api_key(employer, Role.MANAGER))
    yield office
    office.close()


@pytest.fixture
def receiver(office: Office) -> Iterator[Receiver]:
    with receiving() as (url, receiver):
        made = office.post("/webhooks", {
            "url": url,
            "types": [
                "mission.assigned", "mission.started", "mission.completed", "stage.recorded",
                "attachment.added", "signature.added", "pod.ready",
            ],
        })  # fmt: skip
        receiver.secret = made["secret"]
        yield receiver


def imported(
    office: Office, begin_at: datetime, missions: dict[str, tuple[str, str]]
) -> dict[str, Any]:
    """The missions by their external id, after a dry run and its confirmation."""
    file = ("orders.xlsx", workbook(begin_at, missions), "application/octet-stream")
    checked = office.post("/mission-imports", files={"file": file})
    assert checked["can_be_confirmed"], checked["problems"]
    office.post(f"/mission-imports/{checked['id']}/confirm")
    made = office.get("/missions")["results"]
    return {mission["external_id"]: mission for mission in made}


def tell_online(phone: StoryPhone, goods_line: str) -> None:
    """Each thing at its time, one by one."""
    everything = sorted(phone.stages() + phone.fixes(), key=lambda fix: fix["recorded_at"])
    for fix in everything:
        assert phone.post([fix]) == ["stored"]
        if fix.get("id") == "unloading_ended-75":
            assert phone.send_photo() == 201
        if fix.get("id") == "signature-76":
            assert phone.send_signature(goods_line) == 201


def tell_late(phone: StoryPhone, goods_line: str) -> None:
    """Everything an hour late, in the wrong order and twice; the photo before its stage."""
    fixes, stages = phone.fixes(), phone.stages()
    outside = phone.post(fixes[:6])
    assert outside == ["outside_window"] * 6  # nothing is open yet: the app keeps them
    assert phone.send_photo() == 201
    assert phone.send_photo() == 200
    assert phone.send_signature(goods_line) == 201
    shuffled = [*stages]
    random.Random(20261125).shuffle(shuffled)  # noqa: S311 (an order, not a secret)
    assert set(phone.post(shuffled[:5])) == {"stored"}
    phone.post(shuffled[3:])
    phone.post(fixes[6:] + stages)
    offered_again = phone.post(fixes[:6])
    assert offered_again == ["stored"] * 6
    again = phone.post(fixes + stages)
    assert set(again) == {"duplicate"}
    assert phone.send_signature(goods_line) == 200


def told(value: Any) -> Any:
    """An answer without what is each phone's own."""
    if isinstance(value, dict):
        return {key: told(one) for key, one in value.items() if key not in OWN}
    if isinstance(value, list):
        return [told(one) for one in value]
    if isinstance(value, str):
        return UUID.sub("<id>", re.sub(r"\b(ON|OFF)-1\b", "<mission>", value))
    return value


def proof_of(office: Office, mission: dict[str, Any]) -> bytes:
    """The PDF of the delivery, asked for and made by the worker."""
    proofs = f"/missions/{mission['id']}/stops/{mission['stops'][1]['id']}/proofs"
    asked = office.post(proofs, {"locale": "en"})

    def issued() -> Any:
        proof = office.get(f"{proofs}/{asked['id']}")
        assert not proof.get("failure"), proof
        return proof["issued_at"]

    assert eventually(issued)
    link = office.post(f"{proofs}/{asked['id']}/link")["url"]
    answer = httpx.get(f"{office.url}{link}")
    assert answer.status_code == 200
    assert answer.headers["content-type"] == "application/pdf"
    return answer.content


def text_of(pdf: bytes) -> str:
    document = pypdfium2.PdfDocument(pdf)
    return "\n".join(page.get_textpage().get_text_range() for page in document)


def keep_picture(pdf: bytes, name: str) -> None:
    """For people to look at; the folder is not committed."""
    folder = Path(settings.VAR_DIR) / "screenshots"
    folder.mkdir(parents=True, exist_ok=True)
    for number, page in enumerate(pypdfium2.PdfDocument(pdf), start=1):
        page.render(scale=2).to_pil().save(folder / f"{name}-{number}.png")


def comparable(text: str) -> str:
    """A proof's words without its number, codes, hashes and moment of issue."""
    text = re.sub(r"\b(ON|OFF)-1\b", "<mission>", text)
    text = re.sub(r"\b[0-9a-f]{64}\b|\b[0-9a-f]{16,}\b", "<hash>", text)
    text = re.sub(r"\b(?:[0-9A-HJKMNP-TV-Z]{4}-){3}[0-9A-HJKMNP-TV-Z]{4}\b", "<code>", text)
    return "\n".join(
        line for line in text.splitlines() if not re.search(r"(?i)issued|No\. ?\d", line)
    )


def test_a_phone_that_was_away_tells_the_same_mission(
    office: Office,
    receiver: Receiver,
    live_site: str,
    live_worker: None,
    ada_phone: Phone,
    ben_phone: Phone,
    truck12: Truck,
    truck34: Truck,
) -> None:
    begin_at = datetime.now(UTC).replace(second=0, microsecond=0) - timedelta(hours=4)
    missions = imported(office, begin_at, {
        "ON-1": (str(ada_phone.driver.number), truck12.plate),
        "OFF-1": (str(ben_phone.driver.number), truck34.plate),
    })  # fmt: skip
    phones = {
        "ON-1": StoryPhone(live_site, ada_phone.headers, "ON-1", begin_at),
        "OFF-1": StoryPhone(live_site, ben_phone.headers, "OFF-1", begin_at),
    }
    lines = {}
    for name, phone in phones.items():
        mine = httpx.get(f"{live_site}/api/v1/me/missions", headers=phone.headers).json()["results"]
        assert [mission["external_id"] for mission in mine] == [name]
        assert mine[0]["stops"][1]["requires_signature"]
        lines[name] = mine[0]["stops"][1]["goods"][0]["id"]

    tell_online(phones["ON-1"], lines["ON-1"])
    tell_late(phones["OFF-1"], lines["OFF-1"])

    online, late = missions["ON-1"]["id"], missions["OFF-1"]["id"]
    states = [office.get(f"/missions/{id}") for id in (online, late)]
    assert states[0]["status"] == "completed"
    assert [stop["result"] for stop in states[0]["stops"]] == ["succeeded", "succeeded"]
    assert told(states[0]) | {"created_at": "", "updated_at": ""} == told(states[1]) | {
        "created_at": "", "updated_at": "",
    }  # fmt: skip
    timelines = [told(office.get(f"/missions/{id}/timeline")) for id in (online, late)]
    assert [entry["type"] for entry in timelines[0]["entries"]].count("dwell") == 2
    assert timelines[0] == timelines[1]
    times = [told(office.get(f"/missions/{id}/stops/times")) for id in (online, late)]
    assert times[0] == times[1]
    fixes = [office.get(f"/missions/{id}/fixes?limit=1000")["results"] for id in (online, late)]
    assert len(fixes[0]) == len(phones["ON-1"].fixes()) + len(phones["ON-1"].stages())
    assert told(fixes[0]) == told(fixes[1])

    proofs = [proof_of(office, missions[name]) for name in ("ON-1", "OFF-1")]
    keep_picture(proofs[1], "proof-of-the-late-phone")
    said = [text_of(proof) for proof in proofs]
    assert "Łukasz De Smet" in said[0]
    assert "One pallet short" in said[0]
    assert ada_phone.driver.name not in said[0]
    assert comparable(said[0]) == comparable(said[1])

    assert eventually(lambda: "pod.ready" in receiver.types_of(late))
    assert eventually(lambda: receiver.types_of(online) == receiver.types_of(late))
    assert receiver.types_of(late) == sorted(
        ["mission.assigned", "mission.started", "mission.completed", "attachment.added"]
        + ["signature.added", "pod.ready"]
        + ["stage.recorded"] * len(phones["OFF-1"].stages())
    )
    feed = office.get("/changes?after=0&limit=1000")["results"]
    assert [change["seq"] for change in feed] == [*range(1, len(feed) + 1)]
    assert {change["id"] for change in feed} >= {*receiver.messages}
