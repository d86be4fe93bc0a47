"""Secrets sealed at rest."""

import pytest
from pytest_django import Settings

from accounts.sealing import SealBroken, seal, unseal


def test_what_was_sealed_opens_and_shows_nothing() -> None:
    sealed = seal("whsec_secret-ü")
    assert unseal(sealed) == "whsec_secret-ü"
    assert b"whsec" not in sealed


def test_the_same_text_is_never_sealed_alike() -> None:
    assert seal("text") != seal("text")


def test_what_was_altered_does_not_open() -> None:
    sealed = bytearray(seal("text"))
    sealed[-1] ^= 1
    for broken in (bytes(sealed), b"", b"short"):
        with pytest.raises(SealBroken):
            unseal(broken)


def test_another_key_does_not_open_it(settings: Settings) -> None:
    sealed = seal("text")
    settings.SECRET_KEY = "another"
    with pytest.raises(SealBroken):
        unseal(sealed)


def test_a_key_that_was_replaced_still_opens_what_it_sealed(settings: Settings) -> None:
    sealed = seal("text")
    settings.SECRET_KEY_FALLBACKS = [settings.SECRET_KEY]
    settings.SECRET_KEY = "another"
    assert unseal(sealed) == "text"


def test_a_key_for_sealing_alone_takes_over(settings: Settings) -> None:
    before = seal("before")
    settings.SEALING_KEY = "for sealing"
    after = seal("after")
    assert (unseal(before), unseal(after)) == ("before", "after")
    settings.SEALING_KEY = ""
    with pytest.raises(SealBroken):
        unseal(after)
