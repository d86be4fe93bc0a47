"""Send a user whose employer wants a second factor to where one is set up, from every page."""

from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.urls import reverse

from accounts.problems import problem_response
from accounts.refusals import TwoFactorRequired
from config.answering_exceptions import AnsweringExceptions
from config.errors import API


class SecondFactorMiddleware(AnsweringExceptions):
    """Turns the refusal of `actor_of` into a way to the page that ends it.

    The endpoints answer it themselves, as any other problem.
    """

    def process_exception(self, request: HttpRequest, exception: Exception) -> HttpResponse | None:
        if not isinstance(exception, TwoFactorRequired):
            return None
        if request.path.startswith(API):
            return problem_response(request, exception.status, exception.code, exception.detail)
        url = reverse("mfa_activate_totp") + "?wanted=1"  # the page then says why
        if "HX-Request" in request.headers:
            # A fragment: the page around it has to go there, not the fragment alone.
            return HttpResponse(status=204, headers={"HX-Redirect": url})
        response = HttpResponseRedirect(url)
        response["Cache-Control"] = "no-store, private"
        return response
