"""No secret and no whereabouts in a log line."""

import logging
import sys

import pytest

from config.redaction import RedactingFormatter, redacted

FILE_LINK = "WyJ0aHVtYm5haWwiLCI3Yzllc:Qx3vQ8-hT2yLrWq0nB5sX_cJ7uE9aGmPd1iOf4RtYw"
TOKEN = "mpd_" + "Zk3vQ8-hT2yLrWq0nB5sXcJ7uE9aGmPd1iOf4RtYwVA"


@pytest.mark.parametrize(
    ("line", "secret"),
    [
        ("GET /api/v1/drivers?q=Ada+Peeters 500", "Ada"),
        (f"GET /ingest/osmand/{TOKEN} 400", TOKEN),
        (f"GET /ingest/osmand/{TOKEN[:20]} 400", TOKEN[:20]),
        (f"POST /ingest/ulogger/{TOKEN}/client/index.php 401", TOKEN),
        (f"POST /ingest/phonetrack/logPost/{TOKEN}/Ada's phone HTTP/1.1", TOKEN),
        (f"POST /ingest/phonetrack/logPost/{TOKEN}/Adas phone HTTP/1.1", "Adas phone"),
        (f"POST /ingest/gpslogger/{TOKEN}?lat=50.85&lon=4.35 500", "lat=50.85"),
        (f"Cookie: ulogger={TOKEN}", TOKEN),
        (f"Authorization: {TOKEN[:16]}", TOKEN[:16]),
        (f"Authorization: Bearer {TOKEN}", TOKEN),
        ("GET /files/WyJwaG90byJd:kR3x-short_1 500", "WyJwaG90byJd:kR3x-short_1"),
        (f"GET /files/{FILE_LINK} 410", FILE_LINK),
        (f"GET /files/{FILE_LINK} 410", FILE_LINK.split(":")[1]),
        (f"GET /s/mps_{TOKEN[4:]} 200", TOKEN[4:]),
        (f"GET /s/mps_{TOKEN[4:12]} 404", TOKEN[4:12]),
        (f"GET https://milepost.example/s/{TOKEN[4:]}/photo/7c9e 302", TOKEN[4:]),
        (f"a link mps_{TOKEN[4:14]} was made", TOKEN[4:14]),
        ("GET /verify/7K3M-9QWX-0ABC-DEFG 500", "9QWX"),
        ("GET /accounts/password/reset/key/3-dil06l-adf6bd/ 500", "dil06l"),
        ("Authorization: Basic dHJ1Y2s6c2VjcmV0", "dHJ1Y2s6c2VjcmV0"),
        ('{"token": "short-one"}', "short-one"),
        ("password=hunter22 for somebody", "hunter22"),
        (f"unknown {TOKEN}", TOKEN),
        ("no partition for 50.8503396 4.3517103", "50.8503396"),
        ("at lon=-4.35171", "4.35171"),
        ("duplicate key\nDETAIL:  Key (name)=(Ada Peeters) already exists.", "Ada Peeters"),
    ],
)
def test_it_is_not_in_the_line(line: str, secret: str) -> None:
    assert secret in line
    assert secret not in redacted(line)


def test_what_helps_to_find_a_fault_stays() -> None:
    line = "500 /api/v1/missions/7c9e6679-7425-40de-944b-e07fc1f90ae7 in 0.31 s, PostgreSQL 18.4"
    assert redacted(line) == line


def test_a_traceback_is_covered_too() -> None:
    formatter = RedactingFormatter("{message}", style="{")
    try:
        raise ValueError(f"cannot read {TOKEN}")  # noqa: TRY301 - a traceback is wanted
    except ValueError:
        record = logging.getLogger("test").makeRecord(
            "test", logging.ERROR, "file.py", 1, "failed for %s", (TOKEN,), None
        )
        record.exc_info = sys.exc_info()
    text = formatter.format(record)
    assert "ValueError" in text
    assert TOKEN not in text
