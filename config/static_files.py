"""WhiteNoise for an asynchronous server.

Its own middleware is synchronous: one such layer would put every request, and every streamed
history, through a thread.
"""

from collections.abc import Callable
from typing import Any

from asgiref.sync import iscoroutinefunction
from django.http import HttpRequest, HttpResponse
from django.http.response import HttpResponseBase
from django.utils.decorators import sync_and_async_middleware
from whitenoise.middleware import WhiteNoiseMiddleware

from accounts.file_answers import as_response


@sync_and_async_middleware
def static_files_middleware(get_response: Callable[[HttpRequest], Any]) -> Callable[..., Any]:
    """Answer for a static file, else go on. The files are few and small: each is read whole."""
    files = WhiteNoiseMiddleware(get_response)

    def static_response(request: HttpRequest) -> HttpResponse | None:
        static_file = files.files.get(request.path_info)
        if static_file is None:
            return None
        return as_response(static_file.get_response(request.method, request.META))

    if iscoroutinefunction(get_response):

        async def asynchronous(request: HttpRequest) -> HttpResponseBase:
            return static_response(request) or await get_response(request)

        return asynchronous

    def synchronous(request: HttpRequest) -> HttpResponseBase:
        return static_response(request) or get_response(request)

    return synchronous
