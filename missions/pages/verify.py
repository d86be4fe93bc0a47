"""A page for the public: was this proof of delivery issued, and is it still the last word?

It tells the date and the SHA-256 of the PDF and nothing else: not whose it is, nor of what.
"""

from typing import Final

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.views.decorators.csrf import csrf_exempt
from django.views.decorators.http import require_http_methods, require_safe

from accounts.refusals import TooManyTries
from accounts.tries import refuse_too_many
from missions.proofs import verified

MAX_TRIES: Final = 30  # an hour, of one address: enough for a desk with a pile of papers
TRIES: Final = "verifying"


# It reads and changes nothing, so nobody can be made to do anything; and it sets no cookie.
@csrf_exempt
@require_http_methods(["GET", "HEAD", "POST"])
def verify(request: HttpRequest) -> HttpResponse:
    """The form, and what it finds. By POST, so that a code typed in stands in no address."""
    code = request.POST.get("code", "").strip()
    return _answer(request, code) if code else _page(request, {})


@require_safe
def verify_code(request: HttpRequest, code: str) -> HttpResponse:
    """The same for a code in the address, as the QR code has it."""
    return _answer(request, code)


def _answer(request: HttpRequest, code: str) -> HttpResponse:
    try:
        refuse_too_many(TRIES, request.META.get("REMOTE_ADDR", ""), MAX_TRIES)
    except TooManyTries as refused:
        response = _page(request, {"is_too_often": True}, status=429)
        response["Retry-After"] = refused.headers["Retry-After"]
        return response
    return _page(request, {"is_asked": True, "found": verified(code)})


def _page(request: HttpRequest, context: dict[str, object], status: int = 200) -> HttpResponse:
    response = render(request, "missions/verify.html", context, status=status)
    response["Cache-Control"] = "no-store, private"
    response["Referrer-Policy"] = "no-referrer"
    response["X-Robots-Tag"] = "noindex, nofollow"
    return response
