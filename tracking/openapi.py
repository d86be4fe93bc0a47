"""What the OpenAPI document says of ingest, which is not Django's: the native way in.

Off-the-shelf phones speak their own formats and are not described here.
"""

from typing import Any, Final

from accounts.openapi import REFUSED
from missions.stages import EXCEPTION_REASONS, SAID_BY_DRIVERS
from tracking.ingest.sent import KIND_BY_LABEL
from tracking.ingest.stage_words import AT_EVENT, LAST_KNOWN, MAX_NOTE, MAX_TEXT, NONE

PATH: Final = "/ingest/v1/fixes"


def _optional(kind: str, description: str = "", **more: Any) -> dict[str, Any]:
    shape: dict[str, Any] = {"type": [kind, "null"], **more}
    return shape | ({"description": description} if description else {})


SENT_FIX: Final[dict[str, Any]] = {
    "type": "object",
    "description": "Unknown fields are ignored. Sent again, it is stored once.",
    "required": ["recorded_at"],
    "properties": {
        "id": _optional(
            "string",
            "The phone's own, kept with a stage: photos and signatures name it. Of a mark "
            "without a place of its own it is the key.",
            maxLength=MAX_TEXT,
        ),
        "recorded_at": {
            "type": "string",
            "format": "date-time",
            "description": "The phone's clock, with its zone.",
        },
        "latitude": _optional(
            "number", "Needed, except for stages and duty marks.", minimum=-90, maximum=90
        ),
        "longitude": _optional("number", minimum=-180, maximum=180),
        "accuracy_m": _optional("number", minimum=0),
        "speed_mps": _optional("number", minimum=0),
        "heading_deg": _optional("number", minimum=0, maximum=360),
        "altitude_m": _optional("number"),
        "odometer_m": _optional("integer", minimum=0),
        "battery": _optional("number", minimum=0, maximum=1),
        "is_mock": _optional("boolean"),
        "kind": {"type": "string", "enum": [*KIND_BY_LABEL], "default": "distance"},
        "mission": _optional(
            "string",
            "Its external_id, else its id. Every stage should name it: one that comes in before "
            "the departure that opens the mission finds no other way to it, nor to its stop.",
        ),
        "stop": _optional("string", "Its external_id, else its id. Known only with its mission."),
        "reason": {
            "enum": [*EXCEPTION_REASONS, None],
            "description": "Of an exception, and of a result other than succeeded.",
        },
        "result": {
            "enum": [*SAID_BY_DRIVERS, None],
            "description": "Of a stage with a stop: how the stop ended.",
        },
        "note": _optional(
            "string", "Of a stage: the driver's own words. Longer: left out.", maxLength=MAX_NOTE
        ),
        "position_source": {
            "enum": [AT_EVENT, LAST_KNOWN, NONE, None],
            "description": "Of a stage: measured for it (the default with a place), the latest "
            "place before it, which makes no fix, or none.",
        },
        "position_recorded_at": {
            "type": ["string", "null"],
            "format": "date-time",
            "description": "When a last known place was measured, not after recorded_at.",
        },
        "ends_mission": {"type": "boolean", "default": False},
    },
}
OUTCOME: Final[dict[str, Any]] = {
    "type": "object",
    "required": ["index", "status"],
    "properties": {
        "index": {"type": "integer", "description": "The place in the list that was sent."},
        "status": {
            "type": "string",
            "enum": ["stored", "duplicate", "thinned", "outside_window", "refused"],
        },
        "reason": {"type": "string", "description": "refused: a fixed code."},
        "detail": {"type": "string", "description": "refused: a sentence for a developer."},
        "warnings": {"type": "array", "items": {"type": "string"}},
    },
}
COUNTERS: Final = ("received", "stored", "duplicates", "thinned", "outside_window", "refused")
RECORDED: Final[dict[str, Any]] = {
    "type": "object",
    "description": "What is counted as stored is on disk. The counters sum to `received`.",
    "required": [*COUNTERS, "results"],
    "properties": {
        **{name: {"type": "integer"} for name in COUNTERS},
        "results": {"type": "array", "items": {"$ref": "#/components/schemas/FixOutcome"}},
    },
}
RETRY_AFTER: Final[dict[str, Any]] = {"Retry-After": {"schema": {"type": "integer"}}}
REFUSALS: Final = {
    "400": "Not this shape: no JSON, 0 or more than 1,000 fixes.",
    "401": "The token is unknown or revoked.",
    "403": "driver_frozen, policy_not_accepted or objection_pending.",
    "410": "erased: the app deletes what it holds.",
    "413": "More than 1 MB compressed or 8 MB plain.",
    "415": "Not application/json.",
    "503": "Busy, or the database is away: keep the fixes and send them again.",
}
OPERATION: Final[dict[str, Any]] = {
    "operationId": "ingest_fixes",
    "tags": ["ingest"],
    "summary": "Post 1 to 1,000 fixes of a phone.",
    "description": "Answered after the commit. Each fix is judged by itself: one that is refused "
    "does not harm its neighbours. `Content-Encoding: gzip` is accepted.",
    "security": [{"deviceToken": []}],
    "requestBody": {
        "required": True,
        "content": {
            "application/json": {
                "schema": {
                    "type": "object",
                    "required": ["fixes"],
                    "properties": {
                        "fixes": {
                            "type": "array",
                            "minItems": 1,
                            "maxItems": 1000,
                            "items": {"$ref": "#/components/schemas/SentFix"},
                        }
                    },
                }
            }
        },
    },
    "responses": {
        "200": {
            "description": "Each fix has its outcome.",
            "content": {
                "application/json": {"schema": {"$ref": "#/components/schemas/RecordedFixes"}}
            },
        },
        **{
            status: REFUSED
            | {"description": description}
            | ({"headers": RETRY_AFTER} if status == "503" else {})
            for status, description in REFUSALS.items()
        },
    },
}


def add_ingest(
    result: dict[str, Any], generator: Any, request: Any, public: bool
) -> dict[str, Any]:
    """A hook for drf-spectacular: the one operation that Django does not answer."""
    result["paths"][PATH] = {"post": OPERATION}
    schemas = result.setdefault("components", {}).setdefault("schemas", {})
    schemas |= {"SentFix": SENT_FIX, "FixOutcome": OUTCOME, "RecordedFixes": RECORDED}
    return result
