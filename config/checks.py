"""Mistakes in the settings that `manage.py check --deploy` refuses."""

from collections.abc import Sequence

from django.apps import AppConfig
from django.conf import settings
from django.core.checks import CheckMessage, Error, Warning, register

from config.listening import LOOPBACK


@register(deploy=True)
def no_replay_mode(app_configs: Sequence[AppConfig] | None, **kwargs: object) -> list[CheckMessage]:
    if not settings.REPLAY_MODE:
        return []
    return [
        Error(
            f"MAX_FIX_AGE_DAYS is {settings.MAX_FIX_AGE_DAYS}: replay mode, in which route"
            " periods are not kept.",
            hint=f"Unset it, or set at most {settings.LONGEST_FIX_AGE_DAYS}.",
            id="milepost.E001",
        )
    ]


@register(deploy=True)
def metrics_are_closed(
    app_configs: Sequence[AppConfig] | None, **kwargs: object
) -> list[CheckMessage]:
    if settings.HOST in LOOPBACK or settings.METRICS_TOKEN:
        return []
    return [
        Error(
            f"HOST is {settings.HOST} and METRICS_TOKEN is not set: anybody could read /metrics.",
            hint="Set METRICS_TOKEN.",
            id="milepost.E002",
        )
    ]


@register(deploy=True)
def no_way_out_to_this_machine(
    app_configs: Sequence[AppConfig] | None, **kwargs: object
) -> list[CheckMessage]:
    if not settings.OUTBOUND_ALLOW_LOOPBACK:
        return []
    return [
        Error(
            "OUTBOUND_ALLOW_LOOPBACK is set: whoever manages webhooks could reach what listens"
            " on this machine only.",
            hint="Unset it.",
            id="milepost.E003",
        )
    ]


@register(deploy=True)
def no_outside_map(app_configs: Sequence[AppConfig] | None, **kwargs: object) -> list[CheckMessage]:
    if not settings.BASEMAP_TILES_URL:
        return []
    return [
        Warning(
            f"BASEMAP_TILES_URL is set: {settings.BASEMAP_TILES_HOST} learns from each map which"
            " area somebody looks at, and with it where your drivers are.",
            hint="Install a file of your own instead: manage.py basemap --pmtiles FILE.",
            id="milepost.W001",
        )
    ]


@register()
def a_known_geocoder(
    app_configs: Sequence[AppConfig] | None, **kwargs: object
) -> list[CheckMessage]:
    if not settings.GEOCODER or settings.GEOCODER in settings.GEOCODER_URLS:
        return []
    return [
        Error(
            f"GEOCODER is {settings.GEOCODER!r}, which is none of"
            f" {', '.join(settings.GEOCODER_URLS)}.",
            hint="Correct it, or unset it to ask nobody.",
            id="milepost.E004",
        )
    ]
