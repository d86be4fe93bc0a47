"""Every setting the process reads, in one file.

Values come from the environment (django-environ). Without any, the embedded PostgreSQL and
Redis of `make run` are used and a secret key is made under var/, so that every management
command reaches the running system as it is.
"""

import contextlib
import os
import secrets
from pathlib import Path
from typing import Any

import environ
from csp.constants import NONE, SELF

from config.embedded import DATABASE, POSTGRES_USER, EmbeddedRedis, socket_directory

BASE_DIR = Path(__file__).resolve().parent.parent
env = environ.Env()


def secret_key(path: Path) -> str:
    """Read the key, or make it: whole or not at all, since several processes start at once."""
    if not path.exists():
        path.parent.mkdir(parents=True, exist_ok=True)
        fresh = path.with_name(f"secret_key.{os.getpid()}")
        fresh.touch(mode=0o600)
        fresh.write_text(secrets.token_urlsafe(64))
        with contextlib.suppress(FileExistsError):  # another process was first: its key holds
            path.hardlink_to(fresh)
        fresh.unlink()
    return path.read_text()


# --- Where it runs ---------------------------------------------------------------------------

VAR_DIR = Path(env.str("VAR_DIR", default=str(BASE_DIR / "var")))  # data, logs, files, secret key
HOST = env.str("HOST", default="127.0.0.1")
PORT = env.int("PORT", default=8000)
WEB_WORKERS = env.int("WEB_WORKERS", default=2)
TASK_WORKERS = env.int("TASK_WORKERS", default=2)
DEMO = env.bool("DEMO", default=True)
METRICS_TOKEN = env.str("METRICS_TOKEN", default="")
REQUIRE_HTTPS = env.bool("REQUIRE_HTTPS", default=False)
SECRET_KEY = env.str("SECRET_KEY", default="") or secret_key(VAR_DIR / "secret_key")
SEALING_KEY = env.str("SEALING_KEY", default="")  # seals webhooks' secrets; else SECRET_KEY does
# Webhooks to this machine, over http too: for trying them out. `check --deploy` refuses it.
OUTBOUND_ALLOW_LOOPBACK = env.bool("OUTBOUND_ALLOW_LOOPBACK", default=False)
# Which of geopy's geocoders is asked where a typed address is; empty: nobody. What is typed
# then goes to its server: GEOCODER_URL, else the public one here.
GEOCODER_URLS = {
    "nominatim": "https://nominatim.openstreetmap.org",
    "photon": "https://photon.komoot.io",
}
GEOCODER = env.str("GEOCODER", default="").lower()
GEOCODER_URL = env.str("GEOCODER_URL", default="") or GEOCODER_URLS.get(GEOCODER, "")
DEBUG = False
ALLOWED_HOSTS = env.list("ALLOWED_HOSTS", default=["127.0.0.1", "localhost", "[::1]", HOST])
CSRF_TRUSTED_ORIGINS = env.list("CSRF_TRUSTED_ORIGINS", default=[])

# --- Database and Redis ----------------------------------------------------------------------

EMBEDDED_POSTGRES = "DATABASE_URL" not in env
EMBEDDED_REDIS = "REDIS_URL" not in env
PGVERSION = env.int("PGVERSION", default=18)  # of the embedded one: 18 or 16
DATABASES: dict[str, dict[str, Any]] = {
    "default": {
        "ENGINE": "django.db.backends.postgresql",
        "NAME": DATABASE,
        "USER": POSTGRES_USER,
        "HOST": str(socket_directory(VAR_DIR)),
    }
    if EMBEDDED_POSTGRES
    else env.db("DATABASE_URL")
}
DATABASES["default"].setdefault("OPTIONS", {}).setdefault("connect_timeout", 3)
# Under ASGI each request has a thread of its own: a pool bounds what they open together.
# Only the web process sets this; commands and workers open one connection.
if DATABASE_POOL_SIZE := env.int("DATABASE_POOL_SIZE", default=0):
    DATABASES["default"]["CONN_HEALTH_CHECKS"] = True
    DATABASES["default"]["OPTIONS"]["pool"] = {
        "min_size": 0,
        "max_size": DATABASE_POOL_SIZE,
        "timeout": 3,  # s until a request without a connection is answered 503
        "reconnect_timeout": 1,  # s; short, so that the first request after an outage gets one
    }
DEFAULT_AUTO_FIELD = "django.db.models.AutoField"
REDIS_URL = env.str("REDIS_URL", default=f"unix://{EmbeddedRedis(var=VAR_DIR).socket}")

# --- Rules of the product --------------------------------------------------------------------

MAX_FIX_AGE_DAYS = env.int("MAX_FIX_AGE_DAYS", default=59)
LONGEST_FIX_AGE_DAYS = 59  # two months less the erasure's own time; above it: replay mode
REPLAY_MODE = MAX_FIX_AGE_DAYS > LONGEST_FIX_AGE_DAYS

# --- Applications ----------------------------------------------------------------------------

INSTALLED_APPS = [
    # Ours first: a template of the same name wins over a library's.
    "accounts",
    "missions",
    "tracking",
    "privacy",
    "config",
    "allauth",
    "allauth.account",
    "allauth.mfa",
    "django.contrib.auth",
    "django.contrib.contenttypes",
    "django.contrib.postgres",
    "django.contrib.sessions",
    "django.contrib.messages",
    "django.contrib.staticfiles",
    "django_htmx",
    "drf_spectacular",
    "rest_framework",
]
# Each of these can run asynchronously: one that cannot would put every request in a thread.
MIDDLEWARE = [
    "django.middleware.security.SecurityMiddleware",
    "config.static_files.static_files_middleware",
    "django.contrib.sessions.middleware.SessionMiddleware",
    "django.middleware.locale.LocaleMiddleware",
    "django.middleware.common.CommonMiddleware",
    "django.middleware.csrf.CsrfViewMiddleware",
    "django.contrib.auth.middleware.AuthenticationMiddleware",
    "allauth.account.middleware.AccountMiddleware",
    "django.contrib.messages.middleware.MessageMiddleware",
    "django.middleware.clickjacking.XFrameOptionsMiddleware",
    "csp.middleware.CSPMiddleware",
    "django_htmx.middleware.HtmxMiddleware",
    "config.second_factor.SecondFactorMiddleware",
    "config.outage.DatabaseAwayMiddleware",
]
ROOT_URLCONF = "config.urls"
ASGI_APPLICATION = "config.asgi.application"
TEMPLATES = [
    {
        "BACKEND": "django.template.backends.django.DjangoTemplates",
        "APP_DIRS": True,
        "OPTIONS": {
            "context_processors": [
                "django.template.context_processors.request",
                "django.contrib.auth.context_processors.auth",
                "django.contrib.messages.context_processors.messages",
            ],
        },
    },
]

# --- People who sign in ----------------------------------------------------------------------

AUTH_USER_MODEL = "accounts.User"
AUTHENTICATION_BACKENDS = ["allauth.account.auth_backends.AuthenticationBackend"]
AUTH_PASSWORD_VALIDATORS = [
    {
        "NAME": "django.contrib.auth.password_validation.MinimumLengthValidator",
        "OPTIONS": {"min_length": 10},
    },
    {"NAME": "django.contrib.auth.password_validation.CommonPasswordValidator"},
]
LOGIN_URL = "account_login"
LOGIN_REDIRECT_URL = "/"
ACCOUNT_ADAPTER = "config.sign_in.ClosedAccountAdapter"
ACCOUNT_LOGIN_METHODS = {"email"}
ACCOUNT_SIGNUP_FIELDS = ["email*", "password1*"]
ACCOUNT_USER_MODEL_USERNAME_FIELD = None
ACCOUNT_EMAIL_VERIFICATION = "none"  # a manager or a command makes each user
ACCOUNT_LOGOUT_ON_PASSWORD_CHANGE = True
ACCOUNT_REAUTHENTICATION_REQUIRED = True
ACCOUNT_REAUTHENTICATION_TIMEOUT = 600  # s; approve, erase, download and release ask again
# A second factor: an authenticator app, and recovery codes for when the phone is lost.
MFA_ADAPTER = "config.sign_in.SecondFactorAdapter"
MFA_FORMS = {
    "activate_totp": "config.sign_in_forms.ActivateOnceForm",
    "authenticate": "config.sign_in_forms.AuthenticateOnceForm",
    "reauthenticate": "config.sign_in_forms.ReauthenticateOnceForm",
}
MFA_SUPPORTED_TYPES = ["totp", "recovery_codes"]
MFA_TOTP_TOLERANCE = 1  # step of 30 s, either way: a phone's clock is not ours
MFA_RECOVERY_CODES_SHOW_ONCE = True
MFA_ALLOW_UNVERIFIED_EMAIL = True  # nobody verifies addresses here, see above
SESSION_COOKIE_AGE = 12 * 3600  # s; a working day
SESSION_COOKIE_HTTPONLY = True
CSRF_COOKIE_HTTPONLY = True
# In memory, so a bound on tries counts per process: signing in must not need Redis.
CACHES = {"default": {"BACKEND": "django.core.cache.backends.locmem.LocMemCache"}}

# --- API -------------------------------------------------------------------------------------

REST_FRAMEWORK = {
    "DEFAULT_AUTHENTICATION_CLASSES": [
        "accounts.authentication.ApiKeyAuthentication",
        "accounts.authentication.DeviceTokenAuthentication",
        "accounts.authentication.UserSessionAuthentication",
    ],
    # A view that names no role is open to nobody.
    "DEFAULT_PERMISSION_CLASSES": ["accounts.permissions.AllowsNobody"],
    "EXCEPTION_HANDLER": "accounts.problems.problem_exception_handler",
    "DEFAULT_PARSER_CLASSES": ["accounts.parsers.SturdyJSONParser"],
    "DEFAULT_RENDERER_CLASSES": ["rest_framework.renderers.JSONRenderer"],
    # What OPTIONS would tell is in the schema; the default wants one serializer per view.
    "DEFAULT_METADATA_CLASS": None,
    "DEFAULT_SCHEMA_CLASS": "drf_spectacular.openapi.AutoSchema",
    "TEST_REQUEST_DEFAULT_FORMAT": "json",
    "URL_FORMAT_OVERRIDE": None,
}
SPECTACULAR_SETTINGS = {
    "TITLE": "Milepost",
    "DESCRIPTION": "Fixes in, histories out: per driver, per truck and per mission.",
    "VERSION": "1",
    "OAS_VERSION": "3.1.1",
    "SCHEMA_PATH_PREFIX": "/api/v1",
    "COMPONENT_SPLIT_REQUEST": True,
    "SERVE_INCLUDE_SCHEMA": False,
    "POSTPROCESSING_HOOKS": [
        "drf_spectacular.hooks.postprocess_schema_enums",
        "accounts.openapi.add_problems",
        "tracking.openapi.add_ingest",
    ],
    "ENUM_NAME_OVERRIDES": {
        "MarkSourceEnum": "accounts.models.MarkSource",
        "AssignmentSourceEnum": "accounts.models.AssignmentSource",
        "SiteKindEnum": "missions.models.SiteKind",
        "AttachmentKindEnum": "missions.models.AttachmentKind",
        "PositionSourceEnum": "missions.models.PositionSource",
        "StopResultEnum": "missions.models.StopResult",
        "ChangeTypeEnum": "missions.models.ChangeType",
        "ExceptionReasonEnum": "missions.stages.EXCEPTION_REASONS",
        "LanguageEnum": "accounts.serializers.LANGUAGES",
        "ResultByDriverEnum": "missions.stages.SAID_BY_DRIVERS",
    },
}

# --- Background work -------------------------------------------------------------------------

CELERY_BROKER_URL = (
    REDIS_URL.replace("unix://", "redis+socket://", 1)
    if REDIS_URL.startswith("unix://")
    else REDIS_URL
)
CELERY_TASK_IGNORE_RESULT = True  # the row is the queue and the result
CELERY_TASK_PUBLISH_RETRY = False  # a message may be lost: the sweep finds the row
CELERY_BROKER_CONNECTION_RETRY_ON_STARTUP = True
CELERY_BROKER_CONNECTION_MAX_RETRIES = None
CELERY_BROKER_TRANSPORT_OPTIONS = {
    "socket_connect_timeout": 1,
    # Whoever sends a message is a request that somebody waits for: one more try, at once.
    # By default it would wait 6 s for a queue that is away. Workers connect by rules above.
    "max_retries": 1,
    "interval_start": 0,
    "interval_step": 0,
}
CELERY_TASK_DEFAULT_QUEUE = "default"
CELERY_WORKER_CANCEL_LONG_RUNNING_TASKS_ON_CONNECTION_LOSS = True  # no task here acks late
CELERY_WORKER_PREFETCH_MULTIPLIER = 1
CELERY_WORKER_HIJACK_ROOT_LOGGER = False  # LOGGING below redacts; Celery's own would not
CELERY_WORKER_ENABLE_REMOTE_CONTROL = False
CELERY_TIMEZONE = "UTC"

# --- Languages, time, files ------------------------------------------------------------------

LANGUAGE_CODE = "en"
LANGUAGES = [("en", "English"), ("nl", "Nederlands"), ("fr", "Français")]
LOCALE_PATHS = [BASE_DIR / "locale"]
USE_I18N = True
USE_TZ = True
TIME_ZONE = "UTC"
# The form of a mission with as many stops as there may be has some seven thousand.
DATA_UPLOAD_MAX_NUMBER_FIELDS = 10_000
# Where the public finds this installation, for example https://milepost.example: printed on
# proofs of delivery. Without it they carry their code alone.
PUBLIC_URL = env.str("PUBLIC_URL", default="").rstrip("/")
FONTS_DIR = BASE_DIR / "node_modules/dejavu-fonts-ttf/ttf"
STATIC_URL = "/static/"
STATIC_ROOT = VAR_DIR / "static"
STATICFILES_DIRS = [
    (name, folder)
    for name, folder in (
        ("leaflet", BASE_DIR / "node_modules/leaflet/dist"),
        ("htmx", BASE_DIR / "node_modules/htmx.org/dist"),
        ("protomaps", BASE_DIR / "node_modules/protomaps-leaflet/dist"),
    )
    if folder.is_dir()
]
WHITENOISE_ALLOW_ALL_ORIGINS = False
# The operator's own map (`manage.py basemap --pmtiles FILE`); without it, the built-in one.
BASEMAP_PMTILES = Path(env.str("BASEMAP_PMTILES", default=str(VAR_DIR / "basemap" / "map.pmtiles")))
# An outside server of map pictures, https://…/{z}/{x}/{y}.png: it learns from every request
# where a dispatcher looks, and so where drivers are. Off, and `check --deploy` warns of it.
BASEMAP_TILES_URL = env.str("BASEMAP_TILES_URL", default="")
BASEMAP_TILES_ATTRIBUTION = env.str("BASEMAP_TILES_ATTRIBUTION", default="")
BASEMAP_TILES_HOST = "/".join(BASEMAP_TILES_URL.split("/", 3)[:3])
# Photos, signatures, proofs and exports: private, served by signed links only.
MEDIA_ROOT = VAR_DIR / "media"
FILE_UPLOAD_PERMISSIONS = 0o600
FILE_UPLOAD_DIRECTORY_PERMISSIONS = 0o700
S3_BUCKET = env.str("S3_BUCKET", default="")  # any S3-compatible store, instead of MEDIA_ROOT
STORAGES: dict[str, dict[str, Any]] = {
    "default": {
        "BACKEND": "config.s3_storage.PrivateS3Storage",
        "OPTIONS": {
            "bucket_name": S3_BUCKET,
            "endpoint_url": env.str("S3_ENDPOINT_URL", default="") or None,
            "region_name": env.str("S3_REGION", default="us-east-1"),
            "access_key": env.str("S3_ACCESS_KEY_ID", default="") or None,
            "secret_key": env.str("S3_SECRET_ACCESS_KEY", default="") or None,
        },
    }
    if S3_BUCKET
    else {"BACKEND": "django.core.files.storage.FileSystemStorage"},
    "staticfiles": {"BACKEND": "whitenoise.storage.CompressedManifestStaticFilesStorage"},
}
EMAIL_BACKEND = "django.core.mail.backends.filebased.EmailBackend"
EMAIL_FILE_PATH = VAR_DIR / "mail"
DEFAULT_FROM_EMAIL = env.str("DEFAULT_FROM_EMAIL", default="milepost@localhost")

# --- What a browser is told ------------------------------------------------------------------

CONTENT_SECURITY_POLICY = {
    "DIRECTIVES": {
        "default-src": [SELF],
        # Leaflet's empty tile; another host only where the operator named one.
        "img-src": [SELF, "data:", *([BASEMAP_TILES_HOST] if BASEMAP_TILES_URL else [])],
        "object-src": [NONE],
        "base-uri": [NONE],
        "form-action": [SELF],
        "frame-ancestors": [NONE],
    },
}
X_FRAME_OPTIONS = "DENY"
SECURE_REFERRER_POLICY = "same-origin"
SESSION_COOKIE_SECURE = REQUIRE_HTTPS
CSRF_COOKIE_SECURE = REQUIRE_HTTPS
SECURE_SSL_REDIRECT = REQUIRE_HTTPS
if REQUIRE_HTTPS:
    # The proxy that ends TLS must set this header itself, and drop what a client sent.
    SECURE_PROXY_SSL_HEADER = ("HTTP_X_FORWARDED_PROTO", "https")
    SECURE_HSTS_SECONDS = 365 * 24 * 3600
    SECURE_HSTS_INCLUDE_SUBDOMAINS = True
    SECURE_HSTS_PRELOAD = True

# --- Logs: no query, token, place or name ----------------------------------------------------

LOGGING = {
    "version": 1,
    "disable_existing_loggers": False,
    "formatters": {
        "redacted": {
            "()": "config.redaction.RedactingFormatter",
            "format": "{asctime} {levelname} {name}: {message}",
            "style": "{",
        },
    },
    "handlers": {"stderr": {"class": "logging.StreamHandler", "formatter": "redacted"}},
    "root": {"handlers": ["stderr"], "level": env.str("LOG_LEVEL", default="WARNING")},
    "loggers": {
        # Django gives its own logger handlers that know nothing of the formatter above.
        "django": {"handlers": [], "level": "WARNING", "propagate": True},
        "django.server": {"handlers": [], "level": "WARNING", "propagate": True},
        # One line for each page that is not there is what scanners write, not what we read.
        "django.request": {"level": "ERROR"},
        "_granian": {"level": "WARNING", "propagate": True},
        "granian.access": {"level": "CRITICAL", "propagate": False},
    },
}
