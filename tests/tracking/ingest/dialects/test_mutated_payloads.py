"""Mutated requests: no dialect raises, hangs or loses one without a word.

300 for each dialect here; `MUTATED_PAYLOADS=10000 pytest <this file>` is the full run.
"""

import json
import os
import time
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.tracking.ingest.dialects.reads import DIALECTS
from tests.tracking.ingest.dialects.whole_requests import WHOLE_REQUESTS
from tracking.ingest.foreign import Dialect, ForeignRequest
from tracking.ingest.judge import accepted_span, judged
from tracking.ingest.sent import EPOCH, Refusal, SentFix

EXAMPLES = int(os.environ.get("MUTATED_PAYLOADS", "300"))
MAX_S = 0.5  # a request of at most a few kB, on a machine that does other things too

ODD_TEXTS = (
    "", "-1", "0", "NaN", "inf", "-inf", "1e400", "1e-400", "51,5", "٣", "0x10", "null", "true",
    "\0", "\ud800", "9" * 5000, "1970-01-01T00:00:00Z", "9999-12-31T23:59:59.999999Z", "{}", "[",
    "%00", "%", "&", "=", ";", "mpd_" + "x" * 43, "--", "\r\n\r\n",
)  # fmt: skip
odd_values = st.one_of(
    st.sampled_from(ODD_TEXTS),
    st.none(),
    st.booleans(),
    st.integers(),
    st.floats(),
    st.text(max_size=20),
    st.recursive(st.none(), lambda inner: st.lists(inner, max_size=2), max_leaves=4),
)


@st.composite
def mutated_bytes(draw: st.DrawFn, raw: bytes) -> bytes:
    """Bytes cut, doubled, replaced and moved at a few places."""
    for _ in range(draw(st.integers(1, 4))):
        begin = draw(st.integers(0, len(raw)))
        end = draw(st.integers(begin, min(len(raw), begin + 40)))
        odd = draw(
            st.one_of(
                st.binary(max_size=8),
                st.sampled_from(ODD_TEXTS).map(lambda t: t.encode("utf-8", "surrogatepass")),
            )
        )
        raw = raw[:begin] + odd + raw[draw(st.sampled_from((begin, end))) :]
    return raw


@st.composite
def mutated_values(draw: st.DrawFn, value: Any) -> Any:
    """A JSON value with one of its parts replaced, dropped or doubled."""
    if isinstance(value, dict) and value and draw(st.integers(0, 4)):
        key = draw(st.sampled_from(sorted(value)))
        if draw(st.booleans()):
            return {k: v for k, v in value.items() if k != key}
        return value | {key: draw(mutated_values(value[key]))}
    if isinstance(value, list) and value and draw(st.integers(0, 4)):
        at = draw(st.integers(0, len(value) - 1))
        return [*value[:at], draw(mutated_values(value[at])), *value[at:]]
    return draw(odd_values)


@st.composite
def requests(draw: st.DrawFn, name: str) -> ForeignRequest:
    whole = draw(st.sampled_from(WHOLE_REQUESTS[name]))
    query, body = whole.query, whole.body
    if body[:1] in (b"{", b"[") and draw(st.booleans()):
        body = json.dumps(draw(mutated_values(json.loads(body)))).encode()
    else:
        query = draw(mutated_bytes(query)) if query else query
        body = draw(mutated_bytes(body)) if body else body
    return ForeignRequest(
        method=draw(st.sampled_from(sorted(DIALECTS[name].METHODS))),
        rest=whole.rest,
        query=query,
        content_type=draw(st.sampled_from((whole.content_type, "", "application/json", "text/x"))),
        body=body,
        open_sealed=draw(st.sampled_from((None, lambda data: None, lambda data: data.encode()))),
        is_basic_unencoded=draw(st.booleans()),
    )


def hold(dialect: Dialect, request: ForeignRequest) -> None:
    began = time.monotonic()
    readings = dialect.read(request)
    answer = dialect.success(request)
    assert time.monotonic() - began < MAX_S
    assert answer.status == 200
    span = accepted_span(EPOCH, 59)
    for reading in readings.readings:
        if isinstance(reading.fix, SentFix):
            assert isinstance(reading.fix.latitude, float | int)
            judged(reading.fix, span)
        else:
            assert isinstance(reading.fix, Refusal)
            assert reading.fix.reason
    for value in (readings.health.battery,):
        assert value is None or value >= 0


@pytest.mark.parametrize("name", sorted(DIALECTS))
def test_nothing_that_a_client_sends_breaks_its_dialect(name: str) -> None:
    @settings(
        max_examples=EXAMPLES,
        deadline=None,
        database=None,
        suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large],
    )
    @given(requests(name))
    def run(request: ForeignRequest) -> None:
        hold(DIALECTS[name], request)

    run()


@pytest.mark.parametrize("name", sorted(DIALECTS))
def test_it_reads_the_whole_requests_that_are_mutated(name: str) -> None:
    # Else the mutations would start from what is refused anyhow.
    for request in WHOLE_REQUESTS[name]:
        fixes = [reading.fix for reading in DIALECTS[name].read(request).readings]
        assert fixes
        assert all(isinstance(fix, SentFix) for fix in fixes)
