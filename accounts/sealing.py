"""Secrets that we must be able to read again, sealed at rest.

A dump of the database alone opens none of them: the key comes from the environment
(SEALING_KEY, else SECRET_KEY). What was sealed before SEALING_KEY was set, or with one of
SECRET_KEY_FALLBACKS, still opens.
"""

import hashlib
from collections.abc import Iterator
from typing import Final

from django.conf import settings
from nacl.exceptions import CryptoError
from nacl.secret import SecretBox

# Keeps this key apart from everything else that is derived from SECRET_KEY.
PURPOSE: Final = b"milepost sealing"


class SealBroken(Exception):
    """No key of ours opens this: it was altered, or sealed with a key that is gone."""


def seal(text: str) -> bytes:
    """The text, encrypted and authenticated (XSalsa20 and Poly1305), with a nonce of its own."""
    return bytes(SecretBox(next(_keys())).encrypt(text.encode()))


def unseal(sealed: bytes) -> str:
    """What `seal` was given. SealBroken when no key opens it."""
    for key in _keys():
        try:
            return SecretBox(key).decrypt(bytes(sealed)).decode()
        except CryptoError:
            continue
    raise SealBroken("no key opens this")


def _keys() -> Iterator[bytes]:
    """The key to seal with, then those that may still open."""
    for word in (settings.SEALING_KEY, settings.SECRET_KEY, *settings.SECRET_KEY_FALLBACKS):
        if word:
            yield hashlib.blake2b(
                word.encode(), digest_size=SecretBox.KEY_SIZE, person=PURPOSE
            ).digest()
