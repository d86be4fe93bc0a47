"""What is told of a mission in another system's words: plain values, read elsewhere. (pure)"""

from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from uuid import UUID


@dataclass(frozen=True, slots=True, kw_only=True)
class Place:
    """A site. Its address is one line of ours, so OTM's `street` holds it whole."""

    id: UUID
    name: str
    kind: str = ""
    address: str = ""
    country: str = ""
    point: tuple[float, float] | None = None
    external_id: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Goods:
    id: UUID
    description: str
    quantity: Decimal
    unit: str = ""
    weight_kg: Decimal | None = None
    reference: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Paper:
    """A photo or a signature; `signer` only of one who signed."""

    id: UUID
    kind: str
    recorded_at: datetime
    media_type: str = ""
    sha256: str = ""
    remark: str = ""
    signer: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Happened:
    """A stage that stands. `point` only as far as it may be shown."""

    id: UUID
    stage: str
    recorded_at: datetime
    point: tuple[float, float] | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Visit:
    """A stop: as planned, and what happened there, oldest first."""

    id: UUID
    external_id: str | None
    purpose: str
    place: Place | None = None
    window: tuple[datetime | None, datetime | None] = (None, None)
    planned_arrival_at: datetime | None = None
    planned_departure_at: datetime | None = None
    reference: str = ""
    contact_name: str = ""
    contact_phone: str = ""
    remark: str = ""
    result: str = ""
    result_reason: str = ""
    goods: tuple[Goods, ...] = ()
    happened: tuple[Happened, ...] = ()
    papers: tuple[Paper, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class TripFacts:
    """`drivers` and `vehicle` are (id, number) and (id, plate), as far as they may be shown."""

    id: UUID
    external_id: str | None
    reference: str
    status: str
    created_at: datetime
    updated_at: datetime
    carrier: tuple[UUID, str]
    drivers: tuple[tuple[UUID, str | None], ...] = ()
    vehicle: tuple[UUID, str] | None = None
    ecmr_number: str = ""
    planned: tuple[datetime | None, datetime | None] = (None, None)
    visits: tuple[Visit, ...] = ()
    # Stages that belong to no stop: breaks, and movements between two.
    under_way: tuple[Happened, ...] = ()
