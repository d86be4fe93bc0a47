"""URL prefixes: /accounts/ to sign in, /api/v1/ for machines, the rest are pages.

Each app's urls.py says what is its own, as `api_urlpatterns` and `page_urlpatterns`.
"""

from importlib import import_module
from importlib.util import find_spec

from django.urls import URLPattern, URLResolver, include, path
from drf_spectacular.views import SpectacularAPIView

APPS = ("accounts", "missions", "tracking", "privacy")

of_apps = [import_module(f"{app}.urls") for app in APPS if find_spec(f"{app}.urls")]

urlpatterns: list[URLPattern | URLResolver] = [
    path("accounts/", include("allauth.account.urls")),
    path("api/v1/schema", SpectacularAPIView.as_view(), name="schema"),
    *(path("api/v1/", include(urls.api_urlpatterns)) for urls in of_apps),
    *(path("", include(urls.page_urlpatterns)) for urls in of_apps),
]
handler404 = "config.errors.not_found"
handler500 = "config.errors.server_error"
