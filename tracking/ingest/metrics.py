"""What a monitor sees of ingest: counted once a group, so that a fix costs nothing."""

from collections.abc import Sequence

from prometheus_client import Counter, Histogram

from tracking.ingest.outcomes import WORDS, Recorded

FIXES = Counter("milepost_fixes", "Fixes by what became of them, after COMMIT", ["outcome"])
GROUP_SECONDS = Histogram(
    "milepost_group_seconds",
    "From the start of a group's transaction to its COMMIT",
    buckets=(0.002, 0.005, 0.01, 0.02, 0.05, 0.1, 0.25, 0.5, 1, 5),
)
TURNED_AWAY = Counter(
    "milepost_requests_turned_away", "Requests answered 503, by reason", ["reason"]
)


def count_group(outcomes: Sequence[Recorded]) -> None:
    """Count the fixes of a group that has been committed."""
    letters = "".join([outcome.letters for outcome in outcomes])
    for letter, outcome in WORDS.items():
        fixes = letters.count(letter)
        if fixes:
            FIXES.labels(outcome).inc(fixes)
