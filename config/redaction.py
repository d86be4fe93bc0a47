"""Keep secrets and whereabouts out of every log line, tracebacks included."""

import logging
import re

REDACTIONS: tuple[tuple[re.Pattern[str], str], ...] = (
    # A query string may hold a token, a position or a name.
    (re.compile(r"(/[^\s?\"']*)\?[^\s\"']+"), r"\1?…"),
    # Foreign clients carry their token, and a name that the user gave the phone, in the path.
    (
        re.compile(r"(/ingest/(?!v1/)[a-z_]+/)[^?\"'\r\n]*?(?=\s\d{3}\b|\sHTTP/|[?\"'\r\n]|$)"),
        r"\1…",
    ),
    # What begins like a token of a phone or a key of a system is one, whole or cut.
    (re.compile(r"\bmp[dks]_[\w-]+"), "…"),
    # A link to a private file is the proof that one may read it.
    (re.compile(r"(/files/)[^\s?\"'/]+"), r"\1…"),
    (re.compile(r"\bwhsec_[A-Za-z0-9+/=]+"), "…"),
    # A link that sets a phone up holds a code until it is spent.
    (re.compile(r"(/phones/link/[a-z0-9-]+/)[^\s?\"'/]+"), r"\1…"),
    # A link for a consignee opens a page about a stop to whoever has it.
    (re.compile(r"(/s/)[^\s?\"'/]+"), r"\1…"),
    # A link with which somebody chooses a password.
    (re.compile(r"(/password/reset/key/)[^\s?\"'/]+"), r"\1…"),
    # The code of a proof of delivery, as it stands in the address of the verification page.
    (re.compile(r"(/verify/)[^\s?\"'/]+"), r"\1…"),
    (re.compile(r"\b(Bearer|Basic)\s+[^\s\"',]+", re.IGNORECASE), r"\1 …"),
    (
        re.compile(
            r"\b(token|password|code|secret|key)(['\"]?\s*[=:]\s*)[^\s,;)}]+", re.IGNORECASE
        ),
        r"\1\2…",
    ),
    (re.compile(r"\b[A-Za-z0-9_-]{40,}\b"), "…"),
    # Degrees with four or more decimals: a place to within 11 m.
    (re.compile(r"-?\b\d{1,3}\.\d{4,}\b"), "…"),
    # What PostgreSQL adds to an error: the values of the row.
    (re.compile(r"^(DETAIL|CONTEXT):.*$", re.MULTILINE), r"\1: …"),
)


def redacted(text: str) -> str:
    for pattern, replacement in REDACTIONS:
        text = pattern.sub(replacement, text)
    return text


class RedactingFormatter(logging.Formatter):
    """Formats first, so that arguments and tracebacks are covered as well."""

    def format(self, record: logging.LogRecord) -> str:
        return redacted(super().format(record))
