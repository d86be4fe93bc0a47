"""Mutated requests of every client to the whole application, on the real database.

Whatever comes, a phone with a good token gets its client's success, writes only for its own
employer, and holds nobody up. A few for each dialect here; `MUTATED_REQUESTS=10000 pytest
<this file>` is the full run, which also holds memory flat.
"""

import gc
import os
import time
import tracemalloc
from collections.abc import Iterator
from contextlib import ExitStack

import pytest
from hypothesis import HealthCheck, given, settings

from accounts.models import Driver, TokenScope
from tests.cast import Phone, make_phone
from tests.tracking.ingest.asgi_phone import AsgiPhone
from tests.tracking.ingest.dialects.reads import DIALECTS
from tests.tracking.ingest.dialects.test_mutated_payloads import requests
from tests.tracking.ingest.foreign_clients import SUCCESS
from tracking.ingest.foreign import ForeignRequest
from tracking.models import Fix, QuarantinedFix

pytestmark = pytest.mark.django_db(transaction=True)
EXAMPLES = int(os.environ.get("MUTATED_REQUESTS", "40"))
MAX_S = 5.0
FLAT_BYTES = 2_000_000
SETTLED_AFTER = 500  # requests until what is made once has been made


@pytest.fixture
def request_end() -> Iterator[ExitStack]:
    with ExitStack() as stack:
        yield stack


def held_by_ingest() -> int:
    """Bytes held by what ingest and its driver made: the test's own grow with every example."""
    gc.collect()
    theirs = [tracemalloc.Filter(True, f"*/{part}/*") for part in ("tracking", "psycopg")]
    snapshot = tracemalloc.take_snapshot().filter_traces(theirs)
    return sum(found.size for found in snapshot.statistics("filename"))


@pytest.mark.parametrize("name", sorted(DIALECTS))
def test_whatever_comes_is_answered_and_stays_at_home(
    name: str,
    ingest: AsgiPhone,
    ada: Driver,
    cy_phone: Phone,
    request_end: ExitStack,
) -> None:
    phone = make_phone(ada, scope=TokenScope.INGEST)
    answered: list[int] = []
    held: list[int] = []
    if EXAMPLES > SETTLED_AFTER:
        tracemalloc.start()
        request_end.callback(tracemalloc.stop)

    @settings(
        max_examples=EXAMPLES,
        deadline=None,
        database=None,
        suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large],
    )
    @given(requests(name))
    def run(request: ForeignRequest) -> None:
        began = time.monotonic()
        answer = ingest.send(
            request.body,
            {"content-type": request.content_type, "content-length": str(len(request.body))},
            method=request.method,
            path=f"/ingest/{name}/{phone.token}",
            query=request.query,
        )
        assert time.monotonic() - began < MAX_S
        assert answer.status == 200
        assert request.method == "HEAD" or answer.body.startswith(SUCCESS[name][:-1])
        answered.append(answer.status)
        if len(answered) == SETTLED_AFTER:
            held.append(held_by_ingest())

    run()
    assert len(answered) >= EXAMPLES
    if held:
        assert held_by_ingest() - held[0] < FLAT_BYTES
    assert QuarantinedFix.objects.filter(device=phone.device).exists()
    assert not QuarantinedFix.objects.exclude(employer=ada.employer).exists()
    assert not Fix.objects.filter(employer_id=cy_phone.driver.employer_id).exists()
