"""What the OpenAPI document says of tracking, ingest and files included."""

from typing import Any

import pytest
from drf_spectacular.generators import SchemaGenerator
from jsonschema import Draft202012Validator  # type: ignore[import-untyped]

from tests.cast import ClientFor, Phone, put_fixes
from tests.tracking.reading import at, drive, opened, press
from tracking.ingest.sent import SentFix
from tracking.openapi import PATH, SENT_FIX

pytestmark = pytest.mark.django_db


@pytest.fixture(scope="module")
def schema() -> dict[str, Any]:
    found: dict[str, Any] = SchemaGenerator().get_schema(request=None, public=True)  # type: ignore[no-untyped-call]
    return found


def shape_of(schema: dict[str, Any], path: str, media_type: str) -> dict[str, Any]:
    """What a 200 of a path holds, with the components that it names."""
    content = schema["paths"][path]["get"]["responses"]["200"]["content"]
    return {**content[media_type]["schema"], "components": schema["components"]}


def test_ingest_is_in_it(schema: dict[str, Any]) -> None:
    operation = schema["paths"][PATH]["post"]
    assert {"200", "400", "401", "403", "410", "413", "415", "503"} <= set(operation["responses"])
    assert operation["security"] == [{"deviceToken": []}]
    assert set(schema["components"]["schemas"]) >= {"SentFix", "FixOutcome", "RecordedFixes"}
    assert "deviceToken" in schema["components"]["securitySchemes"]


def test_a_fix_is_described_with_the_fields_that_are_read() -> None:
    described = set(SENT_FIX["properties"])
    assert {"recorded_at", "latitude", "kind"} <= described
    assert described == set(SentFix.__struct_fields__)


def test_every_operation_has_an_id_of_its_own(schema: dict[str, Any]) -> None:
    ids = [
        operation["operationId"]
        for operations in schema["paths"].values()
        for operation in operations.values()
        if "operationId" in operation
    ]
    assert len(ids) == len(set(ids))
    assert "driver_fixes" in ids
    assert "mission_fixes_gpx" in ids


@pytest.mark.parametrize(
    ("ending", "media_type"),
    [("geojson", "application/geo+json"), ("gpx", "application/gpx+xml"), ("csv", "text/csv")],
)
@pytest.mark.parametrize("subject", ["driver", "truck", "mission"])
def test_files_have_their_media_type(
    schema: dict[str, Any], subject: str, ending: str, media_type: str
) -> None:
    path = f"/api/v1/{subject}s/{{{subject}_id}}/fixes.{ending}"
    answer = schema["paths"][path]["get"]["responses"]["200"]
    assert list(answer["content"]) == [media_type]


@pytest.mark.parametrize("what", ["fixes", "timeline"])
def test_what_is_answered_is_what_is_described(
    client_for: ClientFor, ada_phone: Phone, schema: dict[str, Any], what: str
) -> None:
    mission = opened(ada_phone.driver, 0)
    put_fixes(ada_phone, [*drive(0, 5), *drive(20, 25), *drive(60, 61)], mission=mission)
    press(ada_phone, at(5), "arrival", mission=mission)
    press(ada_phone, at(70), "break_started", None)
    query = {"from": at(-60).isoformat(), "date": "2026-11-24"}
    url = f"/api/v1/drivers/{ada_phone.driver.uuid}/{what}"
    body = client_for("dispatcher").get(url, query).json()
    assert len(body["results" if what == "fixes" else "entries"]) > 4
    shape = shape_of(schema, f"/api/v1/drivers/{{driver_id}}/{what}", "application/json")
    assert [error.message for error in Draft202012Validator(shape).iter_errors(body)] == []
