"""URL prefixes: /accounts/ to sign in, /api/v1/ for machines, the rest are pages.

Each app's urls.py says what is its own, as `api_urlpatterns` and `page_urlpatterns`.
"""

from importlib import import_module
from importlib.util import find_spec

from allauth.account.urls import urlpatterns as of_allauth
from django.urls import URLPattern, URLResolver, include, path
from drf_spectacular.views import SpectacularAPIView

# Of what allauth brings, this alone. Above all not its page for e-mail addresses: nobody
# verifies those here, so a user could take a colleague's, or one not theirs, to sign in.
SIGNING_IN = frozenset(
    {
        "account_login",
        "account_logout",
        "account_inactive",
        "account_signup",  # says that nobody signs up
        "account_reauthenticate",
        "account_change_password",
        "account_set_password",  # where a change goes when there is none yet
        "account_reset_password",
        "account_reset_password_done",
        "account_reset_password_from_key",
        "account_reset_password_from_key_done",
    }
)
APPS = ("accounts", "missions", "tracking", "privacy")

of_apps = [import_module(f"{app}.urls") for app in APPS if find_spec(f"{app}.urls")]

urlpatterns: list[URLPattern | URLResolver] = [
    path("accounts/", include([page for page in of_allauth if page.name in SIGNING_IN])),
    path("api/v1/schema", SpectacularAPIView.as_view(), name="schema"),
    *(path("api/v1/", include(urls.api_urlpatterns)) for urls in of_apps),
    *(path("", include(urls.page_urlpatterns)) for urls in of_apps),
]
handler404 = "config.errors.not_found"
handler500 = "config.errors.server_error"
