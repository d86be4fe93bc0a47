"""Made-up drives for measurements: fixes of many phones in the order in which they arrive. (pure)

Each phone makes one every 36 s and 500 m, a little after the phone before it, with accuracy,
speed, heading and battery filled. All of them are distinct, however many are made.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Final, NamedTuple

# As tracking.models has them, which only Django can import.
E7: Final = 10_000_000
RESOLVED: Final = 2

EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)
STEP_US: Final = 36_000_000
PHONE_OFFSET_US: Final = 71_003
# 500 m of latitude, and back to the start before the drive leaves the continent.
STEP_LATITUDE: Final = 0.0045
STEPS_NORTH: Final = 1_000
# Old enough for many fixes up to now, young enough to be accepted (59 days).
DRIVEN_FOR: Final = timedelta(days=50)


class DrivenFix(NamedTuple):
    """One fix: time in microseconds since 1970 UTC, place in degrees."""

    recorded_at_us: int
    latitude: float
    longitude: float
    accuracy_m: int
    speed_mps: float
    heading_deg: int
    battery: float

    @property
    def recorded_at(self) -> datetime:
        return EPOCH + timedelta(microseconds=self.recorded_at_us)

    @property
    def json(self) -> bytes:
        return (
            b'{"recorded_at":"%s","latitude":%.6f,"longitude":%.6f,"accuracy_m":%d,'
            b'"speed_mps":%.1f,"heading_deg":%d,"battery":%.2f}'
        ) % (self.recorded_at.isoformat().encode(), *self[1:])


@dataclass(slots=True)
class Drives:
    """The drives of so many phones. They go on from call to call, so that no fix comes twice."""

    phones: int
    start_us: int
    next_step: int = 0

    def fix(self, phone: int, step: int) -> DrivenFix:
        return DrivenFix(
            self.start_us + step * STEP_US + phone * PHONE_OFFSET_US,
            49.0 + step % STEPS_NORTH * STEP_LATITUDE + phone * 0.0001,
            4.0 + phone * 0.001,
            4 + (step + phone) % 13,
            (step * 7 + phone) % 250 / 10,
            (step * 37 + phone) % 360,
            1 - step % 80 / 100,
        )

    def batches(self, size: int) -> Iterator[tuple[int, list[DrivenFix]]]:
        """The next phone's number and its next `size` fixes, phone by phone, without end."""
        while True:
            step = self.next_step
            self.next_step += size
            for phone in range(self.phones):
                yield phone, [self.fix(phone, step + n) for n in range(size)]

    def requests(self, tokens: Sequence[str], size: int) -> Iterator[bytes]:
        """HTTP requests of `size` fixes each, in order of arrival, without end."""
        for phone, fixes in self.batches(size):
            yield request_bytes(tokens[phone], b",".join([fix.json for fix in fixes]))


def drives_until_now(phones: int) -> Drives:
    """Drives that began 50 days ago."""
    began_at = datetime.now(UTC) - DRIVEN_FOR
    return Drives(phones, (began_at - EPOCH) // timedelta(microseconds=1))


def request_bytes(token: str, fixes: bytes) -> bytes:
    """One request of the native API with these fixes (JSON objects, with commas between)."""
    return (
        b"POST /ingest/v1/fixes HTTP/1.1\r\nhost: localhost\r\nauthorization: Bearer %s\r\n"
        b"content-type: application/json\r\ncontent-length: %d\r\n\r\n"
        b'{"fixes":[%s]}'
    ) % (token.encode(), len(fixes) + 12, fixes)
