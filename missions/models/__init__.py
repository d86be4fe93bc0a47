"""The rows of missions: planned, happened, proofs, feed, sharing.

Foreign keys between tenant tables are composite in the database (accounts/tenancy.py).
"""

from missions.models.feed import (
    Change,
    ChangeType,
    DeliveryState,
    WebhookAttempt,
    WebhookDelivery,
    WebhookEndpoint,
    WebhookSecret,
)
from missions.models.happened import PositionSource, SiteCheck, StageEvent
from missions.models.planned import (
    GoodsLine,
    Mission,
    MissionAssignment,
    MissionImport,
    MissionStatus,
    Site,
    SiteKind,
    Stop,
    StopPurpose,
    StopResult,
)
from missions.models.proofs import (
    Attachment,
    AttachmentKind,
    ProofOfDelivery,
    Signature,
    SignatureOutcome,
)
from missions.models.sharing import SavedFilter, ShareLink

__all__ = [
    "Attachment", "AttachmentKind", "Change", "ChangeType", "DeliveryState", "GoodsLine",
    "Mission", "MissionAssignment", "MissionImport", "MissionStatus", "PositionSource",
    "ProofOfDelivery", "SavedFilter", "ShareLink", "Signature", "SignatureOutcome", "Site",
    "SiteCheck", "SiteKind", "StageEvent", "Stop", "StopPurpose", "StopResult",
    "WebhookAttempt", "WebhookDelivery", "WebhookEndpoint", "WebhookSecret",
]  # fmt: skip
