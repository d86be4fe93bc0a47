"""What a proof of delivery says, as plain values for the PDF, the page and the row. (pure)

Neither a driver's name nor a position is among them: a distance from the site is all that
is said of where a phone was. So an erasure has nothing to take out of a proof.
"""

import re
from collections.abc import Iterable
from dataclasses import asdict, dataclass, field
from datetime import datetime
from typing import Any, Final
from unicodedata import normalize

# Stands for a driver's name in what people wrote; each language has words for it.
DRIVER: Final = "[driver]"


@dataclass(frozen=True, slots=True, kw_only=True)
class GoodsValues:
    """One goods line. Quantities are text; `actual` is None while nobody signed for it."""

    description: str
    planned: str
    actual: str | None = None
    is_counted: bool = False
    unit: str = ""
    reference: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class StageValues:
    """A stage that stands, and how far from the site's point it was marked."""

    stage: str
    at: datetime
    source: str
    check: str
    distance_m: int | None = None
    accuracy_m: int | None = None
    reason: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class SignatureValues:
    """What came of asking for a signature."""

    id: str
    outcome: str
    at: datetime
    document_sha256: str
    signer_name: str = ""
    signer_role: str = ""
    reservations: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class PhotoValues:
    """A photo, by what it is called and what it is of."""

    id: str
    kind: str
    at: datetime
    sha256: str


@dataclass(frozen=True, slots=True, kw_only=True)
class ProofValues:
    """One stop as planned and as it was. Times are aware; seconds and metres are whole."""

    employer: str
    consignee: str
    address: str
    country: str
    timezone: str
    mission: str
    ecmr_number: str
    stop_seq: int
    stop_reference: str
    purpose: str
    result: str
    result_reason: str
    window_start_at: datetime | None = None
    window_end_at: datetime | None = None
    planned_arrival_at: datetime | None = None
    planned_departure_at: datetime | None = None
    arrived_at: datetime | None = None
    departed_at: datetime | None = None
    arrival_delta_s: int | None = None
    departure_delta_s: int | None = None
    on_time: bool | None = None
    waiting_s: int | None = None
    loading_s: int | None = None
    unloading_s: int | None = None
    dwell_s: int | None = None
    end_inferred: bool = False
    radius_m: int | None = None
    goods: tuple[GoodsValues, ...] = ()
    stages: tuple[StageValues, ...] = ()
    signatures: tuple[SignatureValues, ...] = ()
    photos: tuple[PhotoValues, ...] = ()
    missing: tuple[str, ...] = field(default=())


def as_json(values: ProofValues) -> dict[str, Any]:
    """As stored with the proof; two that say the same are equal."""
    plain: dict[str, Any] = _plain(asdict(values))
    return plain


def _plain(value: Any) -> Any:
    if isinstance(value, dict):
        return {name: _plain(inner) for name, inner in value.items()}
    if isinstance(value, list | tuple):
        return [_plain(inner) for inner in value]
    return value.isoformat() if isinstance(value, datetime) else value


def without_names(text: str, names: Iterable[str]) -> str:
    """A text in which no driver's name is left, however it is capitalised or spaced.

    Somebody may write "Ada was late" by hand, or a driver sign for an empty house.
    """
    nameless = normalize("NFC", text)
    spelled = [normalize("NFC", name).split() for name in names]
    for words in sorted(filter(None, spelled), key=lambda words: -len(" ".join(words))):
        name = r"\s+".join(map(re.escape, words))
        nameless = re.sub(rf"(?<!\w){name}(?!\w)", DRIVER, nameless, flags=re.IGNORECASE)
    return nameless if DRIVER in nameless else text
