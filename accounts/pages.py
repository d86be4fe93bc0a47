"""What a person reads when something is not there, not theirs, or went wrong.

Below /api/ and /ingest/ the same is said to a machine, as a problem document.
"""

from typing import Final

from django.http import HttpRequest, HttpResponse
from django.views import defaults

from accounts import problems

MACHINES: Final = ("/api/", "/ingest/")


def not_found(request: HttpRequest, exception: Exception) -> HttpResponse:
    """Django's handler404."""
    if request.path_info.startswith(MACHINES):
        return problems.not_found(request, exception)
    return defaults.page_not_found(request, exception)


def server_error(request: HttpRequest) -> HttpResponse:
    """Django's handler500. Its page asks nothing of the database, which may be what failed."""
    if request.path_info.startswith(MACHINES):
        return problems.server_error(request)
    return defaults.server_error(request)
