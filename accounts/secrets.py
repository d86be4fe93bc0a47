"""Secrets that are shown once and stored as a hash: tokens of phones, keys of systems. (pure)

A secret carries 256 random bits, so its plain SHA-256 is as good as a slow hash and cheap
enough for every request of every phone.
"""

import secrets
from hashlib import sha256
from typing import Final

DEVICE_PREFIX: Final = "mpd_"
API_KEY_PREFIX: Final = "mpk_"
# How much of a key a list shows, so that a person can tell two keys apart.
SHOWN_CHARACTERS: Final = 12


def new_secret(prefix: str) -> str:
    """The prefix and 43 url-safe characters."""
    return prefix + secrets.token_urlsafe(32)


def secret_hash(secret: str) -> bytes:
    """SHA-256 of the whole secret, prefix included: what the database holds."""
    return sha256(secret.encode()).digest()
