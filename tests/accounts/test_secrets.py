"""Tokens and keys."""

from hashlib import sha256

from accounts.secrets import DEVICE_PREFIX, new_secret, secret_hash


def test_a_secret_is_its_prefix_and_43_characters() -> None:
    secret = new_secret(DEVICE_PREFIX)
    assert secret.startswith("mpd_")
    assert len(secret) == 4 + 43
    assert new_secret(DEVICE_PREFIX) != secret


def test_the_hash_is_of_the_whole_secret() -> None:
    assert secret_hash("mpd_abc") == sha256(b"mpd_abc").digest()
