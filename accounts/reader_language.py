"""The language that a user has chosen for the pages, against what the browser asks for.

Django's LocaleMiddleware takes the language of this cookie before that of the browser, so
the choice costs no query: it is set when the user signs in and when the choice is saved.
"""

from typing import Final

from django.conf import settings
from django.http import HttpResponse

YEAR_S: Final = 365 * 24 * 3600


def keep_language(response: HttpResponse, language: str) -> None:
    """From the next page on this language; that of the browser when it is empty."""
    if not language:
        response.delete_cookie(settings.LANGUAGE_COOKIE_NAME)
        return
    response.set_cookie(
        settings.LANGUAGE_COOKIE_NAME,
        language,
        max_age=YEAR_S,
        secure=settings.SESSION_COOKIE_SECURE,
        httponly=True,
        samesite="Lax",
    )
