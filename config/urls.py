"""URL prefixes: /accounts/ to sign in, /api/v1/ for machines, the rest are pages.

Each app's urls.py says what is its own, as `api_urlpatterns` and `page_urlpatterns`.
"""

from importlib import import_module
from importlib.util import find_spec

from allauth.account.urls import urlpatterns as of_allauth
from allauth.mfa.base.urls import urlpatterns as of_second_factor
from allauth.mfa.recovery_codes.urls import urlpatterns as of_recovery_codes
from allauth.mfa.totp.urls import urlpatterns as of_totp
from django.urls import URLPattern, URLResolver, include, path
from django.views.decorators.cache import never_cache
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
        "mfa_index",
        "mfa_authenticate",
        "mfa_reauthenticate",
        "mfa_activate_totp",
        "mfa_deactivate_totp",
        "mfa_view_recovery_codes",
        "mfa_generate_recovery_codes",
    }
)
BELOW = {
    "accounts/": of_allauth,
    "accounts/2fa/": of_second_factor,
    "accounts/2fa/totp/": of_totp,
    "accounts/2fa/recovery-codes/": of_recovery_codes,
}
APPS = ("accounts", "missions", "tracking", "privacy")


def kept(pages: list[URLPattern]) -> list[URLPattern]:
    """Those we want; none is stored by a browser: they show codes and secrets."""
    return [
        URLPattern(page.pattern, never_cache(page.callback), page.default_args, page.name)
        for page in pages
        if page.name in SIGNING_IN
    ]


of_apps = [import_module(f"{app}.urls") for app in APPS if find_spec(f"{app}.urls")]

urlpatterns: list[URLPattern | URLResolver] = [
    *(path(prefix, include(kept(pages))) for prefix, pages in BELOW.items()),
    path("api/v1/schema", SpectacularAPIView.as_view(), name="schema"),
    *(path("api/v1/", include(urls.api_urlpatterns)) for urls in of_apps),
    *(path("", include(urls.page_urlpatterns)) for urls in of_apps),
]
handler404 = "config.errors.not_found"
handler500 = "config.errors.server_error"
