"""URL prefixes: /accounts/ to sign in, /api/v1/ for machines, the rest are pages."""

import importlib
import importlib.util

from django.urls import URLPattern, URLResolver, include, path
from drf_spectacular.views import SpectacularAPIView

urlpatterns: list[URLPattern | URLResolver] = [
    path("accounts/", include("allauth.account.urls")),
    path("api/v1/schema", SpectacularAPIView.as_view(), name="schema"),
]
