"""Pages with a secret: kept nowhere, and named to nobody."""

from django.http import HttpResponse


def sealed_off(response: HttpResponse, *, has_form: bool = False) -> HttpResponse:
    """A page with a secret: in no cache, in no Referer, in no search engine.

    A page with a form names its origin, and no more: with `no-referrer` a browser sends
    `Origin: null`, and the form is refused as one of another site.
    """
    response["Cache-Control"] = "no-store, private"
    response["Referrer-Policy"] = "strict-origin" if has_form else "no-referrer"
    response["X-Robots-Tag"] = "noindex"
    return response
