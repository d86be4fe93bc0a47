"""Say 503, and when to come back, while the database is away."""

from django.db import InterfaceError, OperationalError
from django.http import HttpRequest, HttpResponse

from accounts.problems import problem_response
from config.answering_exceptions import AnsweringExceptions
from config.errors import API

RETRY_AFTER_S = 5


class DatabaseAwayMiddleware(AnsweringExceptions):
    """Turns a lost or refused connection, in any page or endpoint, into a 503."""

    def process_exception(self, request: HttpRequest, exception: Exception) -> HttpResponse | None:
        if not isinstance(exception, OperationalError | InterfaceError):
            return None
        headers = {"Retry-After": str(RETRY_AFTER_S)}
        text = f"Milepost cannot reach its database. Try again in {RETRY_AFTER_S} seconds."
        if request.path.startswith(API):
            return problem_response(request, 503, "database_away", text, headers=headers)
        return HttpResponse(
            f"{text}\n", status=503, headers=headers, content_type="text/plain; charset=utf-8"
        )
