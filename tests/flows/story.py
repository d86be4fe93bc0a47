"""One mission as two phones tell it: one online all the way, one out of coverage for an hour.

Both drive the same road at the same times, so that whatever differs afterwards is what the
system made of the order in which it was told.
"""

import hashlib
import io
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Final

import httpx
from openpyxl import Workbook
from PIL import Image

DEPOT: Final = (51.0600, 3.7300)
CUSTOMER: Final = (51.1500, 3.8300)
STROKES: Final = [
    [{"x": x, "y": (x * 7) % 40, "t_ms": x * 12} for x in range(0, 120, 4)],
    [{"x": 20, "y": 60, "t_ms": 2000}, {"x": 110, "y": 62, "t_ms": 2300}],
]
HEADERS: Final = (
    "external_id", "reference", "planned_start_at", "driver_number", "truck_plate",
    "stop_external_id", "site_name", "site_address", "latitude", "longitude", "purpose",
    "window_start_at", "window_end_at", "requires_signature", "requires_photo",
    "goods_description", "goods_quantity", "goods_unit",
)  # fmt: skip


def workbook(begin_at: datetime, missions: dict[str, tuple[str, str]]) -> bytes:
    """The missions as an XLSX file: external id to driver's number and truck's plate."""

    def at(minute: int) -> str:
        return (begin_at + timedelta(minutes=minute)).isoformat()

    book = Workbook()
    sheet = book.active
    assert sheet is not None
    sheet.append(HEADERS)
    for external_id, (driver, plate) in missions.items():
        head = (external_id, f"Order {external_id}", at(0), driver, plate)
        sheet.append((
            *head, "load", "Depot Gent", "Dok Noord 1, Gent", *DEPOT, "load",
            at(5), at(20), "no", "no", "Pallets of tiles", 12, "pallet",
        ))  # fmt: skip
        sheet.append((
            *head, "unload", "Bouwpunt Lokeren", "Zele 4, Lokeren", *CUSTOMER, "unload",
            at(50), at(70), "yes", "yes", "Pallets of tiles", 12, "pallet",
        ))  # fmt: skip
    out = io.BytesIO()
    book.save(out)
    return out.getvalue()


def photo() -> bytes:
    """A phone's photo: a JPEG that lies on its side and says where it was taken."""
    picture = Image.new("RGB", (640, 480), (180, 120, 60))
    exif = Image.Exif()
    exif[0x0112] = 6
    exif[0x010F] = "Phone maker"
    out = io.BytesIO()
    picture.save(out, "JPEG", exif=exif)
    return out.getvalue()


def between(share: float) -> tuple[float, float]:
    """A place on the road from the depot to the customer."""
    return (
        round(DEPOT[0] + (CUSTOMER[0] - DEPOT[0]) * share, 6),
        round(DEPOT[1] + (CUSTOMER[1] - DEPOT[1]) * share, 6),
    )


@dataclass
class StoryPhone:
    """A driver's phone with our app, telling of one mission."""

    url: str
    headers: dict[str, str]
    mission: str
    begin_at: datetime

    def at(self, minute: float) -> str:
        return (self.begin_at + timedelta(minutes=minute)).isoformat()

    def fix(self, minute: float, place: tuple[float, float], **more: object) -> dict[str, Any]:
        return {
            "recorded_at": self.at(minute), "latitude": place[0], "longitude": place[1],
            "accuracy_m": 8, **more,
        }  # fmt: skip

    def stage(self, minute: float, kind: str, place: tuple[float, float], **more: object) -> Any:
        return self.fix(
            minute, place, kind=kind, id=f"{kind}-{minute}", mission=self.mission, **more
        )

    def stages(self) -> list[dict[str, Any]]:
        """Every stage in the order of their times."""
        unload = {"stop": "unload"}
        return [
            self.stage(0, "departure", (51.05, 3.72)),
            self.stage(10, "arrival", DEPOT, stop="load"),
            self.stage(12, "loading_started", DEPOT, stop="load"),
            self.stage(25, "loading_ended", DEPOT, stop="load"),
            self.stage(27, "departure", DEPOT, stop="load", result="succeeded"),
            self.stage(52, "arrival", CUSTOMER, **unload),
            self.stage(55, "waiting_started", CUSTOMER, **unload),
            self.stage(60, "unloading_started", CUSTOMER, **unload, note="Forklift was away"),
            self.stage(75, "unloading_ended", CUSTOMER, **unload),
            self.stage(76, "signature", CUSTOMER, **unload),
            self.stage(80, "departure", CUSTOMER, **unload, result="succeeded"),
        ]

    def fixes(self) -> list[dict[str, Any]]:
        """A fix every 500 m or so on the way."""
        on_the_way = [
            self.fix(minute, (51.05 + minute * 0.001, 3.72 + minute * 0.001))
            for minute in range(1, 10)
        ]
        return on_the_way + [
            self.fix(27 + step, between(step / 25), battery=0.8) for step in range(1, 25)
        ]

    def post(self, fixes: list[dict[str, Any]]) -> list[str]:
        """Statuses of what was sent, in order."""
        answer = httpx.post(
            f"{self.url}/ingest/v1/fixes", json={"fixes": fixes}, headers=self.headers
        )
        assert answer.status_code == 200, answer.text
        results: list[dict[str, Any]] = answer.json()["results"]
        refused = [one for one in results if one["status"] == "refused"]
        assert not refused
        return [one["status"] for one in results]

    def send_photo(self) -> int:
        content = photo()
        answer = httpx.post(
            f"{self.url}/api/v1/me/attachments",
            headers=self.headers,
            data={
                "client_id": "photo-1",
                "sha256": hashlib.sha256(content).hexdigest(),
                "mission": self.mission,
                "stop": "unload",
                "stage_client_id": "unloading_ended-75",
                "recorded_at": self.at(75.5),
                "latitude": str(CUSTOMER[0]),
                "longitude": str(CUSTOMER[1]),
                "accuracy_m": "8",
            },
            files={"file": ("IMG_1.jpg", content, "image/jpeg")},
        )
        assert answer.status_code in (200, 201), answer.text
        return answer.status_code

    def send_signature(self, goods_line: str) -> int:
        answer = httpx.post(
            f"{self.url}/api/v1/me/signatures",
            headers=self.headers,
            json={
                "client_id": "signature-1",
                "mission": self.mission,
                "stop": "unload",
                "stage_client_id": "signature-76",
                "outcome": "signed",
                "signer_name": "Łukasz De Smet",
                "signer_role": "warehouse",
                "strokes": STROKES,
                "recorded_at": self.at(76),
                "latitude": CUSTOMER[0],
                "longitude": CUSTOMER[1],
                "accuracy_m": 8,
                "counts": [{"line": goods_line, "quantity": "11"}],
                "reservations": "One pallet short",
            },
        )
        assert answer.status_code in (200, 201), answer.text
        return answer.status_code
