"""How the parts become one running system.

Owns the settings, the URL prefixes, the ASGI application that hands `/ingest/` to the
lean application and everything else to Django, the Celery application and its schedule,
and the embedded PostgreSQL and Redis of a machine that has none.

May import every app; no app imports it (they read `django.conf.settings`).
Start reading in settings.py, then asgi.py.
"""
