"""WhiteNoise's answer for a file, as Django's."""

from django.http import HttpResponse
from whitenoise.responders import Response


def as_response(answer: Response) -> HttpResponse:
    """With its own headers alone; the file, or the range of it, is read whole and closed."""
    content = b""
    if answer.file:
        with answer.file:
            content = answer.file.read()
    response = HttpResponse(content, status=answer.status)
    del response["Content-Type"]
    for name, value in answer.headers:
        response[name] = value
    return response
