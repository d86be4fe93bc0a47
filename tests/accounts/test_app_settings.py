"""What the app is told and what ingest does are the same."""

from django.urls import reverse

from accounts.app_settings import INGEST_URL, MAX_BATCH
from accounts.duty_marks import DutyMarkKind
from accounts.stages import Stage
from tracking import openapi
from tracking.ingest.dialects import native
from tracking.ingest.sent import KIND_BY_LABEL


def test_the_app_may_send_as_many_fixes_as_ingest_takes() -> None:
    assert MAX_BATCH == native.MAX_FIXES == 1000


def test_the_app_is_sent_to_where_ingest_listens() -> None:
    assert INGEST_URL == openapi.PATH


def test_every_stage_and_duty_mark_is_a_kind_of_fix() -> None:
    for kind in (*Stage, *DutyMarkKind):
        assert KIND_BY_LABEL[kind.label] == kind.value


def test_pairing_is_where_the_contract_says() -> None:
    assert reverse("api-pairing") == "/api/v1/pairing"
