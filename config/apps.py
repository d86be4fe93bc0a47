"""Makes `config` an application, for its checks, and loads Celery so that tasks have a broker."""

from django.apps import AppConfig

from config import celery, checks  # noqa: F401 - loading them is the purpose


class MilepostConfig(AppConfig):
    name = "config"
    verbose_name = "How the parts become one running system"
