"""Every setting of the portal; each value comes from the environment.

A secret may also be given as NAME_FILE, the path of a file that contains it. The README
explains the variables.
"""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from botocore.config import Config
from csp.constants import NONE, SELF

from imageeditor import accounts, addresses, environment
from imageeditor.environment import env, parsed, texts
from imageeditor.mail import mail_settings
from imageeditor.secrets import secret_from_file

BASE_DIR = Path(__file__).resolve().parent.parent

# --- The installation ---------------------------------------------------------------

DEBUG = env.bool("DEBUG", default=False)
DATA_DIR = Path(env.str("DATA_DIR", default=str(BASE_DIR / "data"))).resolve()
SECRET_KEY = env.str("SECRET_KEY", default="") or secret_from_file(DATA_DIR / "secret_key")
SITE_NAME = env.str("SITE_NAME", default="Atelier")
SIGNUP = "".join(parsed("SIGNUP", [env.str("SIGNUP", default="invite").strip()], accounts.signup)) or "invite"
SIGNUP_DOMAINS = parsed("SIGNUP_DOMAINS", texts("SIGNUP_DOMAINS"), accounts.domain)
if SIGNUP == "domains" and not SIGNUP_DOMAINS:
    environment.INVALID_SETTINGS.append("SIGNUP_DOMAINS: name the domains whose addresses may sign up.")
# Whoever can use the admin needs a second factor.
STAFF_SECOND_FACTOR = env.bool("STAFF_SECOND_FACTOR", default=False)
WORKSPACE_CREATION = env.str("WORKSPACE_CREATION", default="everyone").strip()
# What a credit costs, for pages and reports; nothing is paid here.
CREDIT_PRICE = environment.price("CREDIT_PRICE")
CURRENCY = env.str("CURRENCY", default="USD").strip()[:10]
INVALID_SETTINGS = environment.INVALID_SETTINGS
_LOCAL = ["localhost", "127.0.0.1", "[::1]"]
# Scheme, host and port, without a slash at the end.
_public = env.str("BASE_URL", default="").strip()
BASE_URL: str = "".join(parsed("BASE_URL", [_public] if _public else [], addresses.base_url))
_host = urlsplit(BASE_URL).netloc.removesuffix(f":{urlsplit(BASE_URL).port}")
_listening = parsed("HOST", texts("HOST"), addresses.host)
ALLOWED_HOSTS = parsed("ALLOWED_HOSTS", texts("ALLOWED_HOSTS"), addresses.allowed_host)
if not texts("ALLOWED_HOSTS"):
    ALLOWED_HOSTS = [*_LOCAL, *_listening]
if _host:
    ALLOWED_HOSTS.append(_host)
CSRF_FAILURE_VIEW = "editor.web.views.errors.csrf_failure"
CSRF_TRUSTED_ORIGINS = [BASE_URL] if BASE_URL else []
HTTPS = BASE_URL.startswith("https://")

# The first one encrypts stored secrets, the others still decrypt what they encrypted.
ENCRYPTION_KEYS = texts("ENCRYPTION_KEYS") or [secret_from_file(DATA_DIR / "encryption_key")]

# --- Application ---------------------------------------------------------------------

ROOT_URLCONF = "imageeditor.urls"
ASGI_APPLICATION = "imageeditor.asgi.application"
AUTH_USER_MODEL = "editor.User"
DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"
USE_TZ = True
TIME_ZONE = "UTC"
LANGUAGE_CODE = "en"

INSTALLED_APPS = [
    "django.contrib.admin",
    "django.contrib.auth",
    "django.contrib.contenttypes",
    "django.contrib.messages",
    "django.contrib.postgres",
    "django.contrib.sessions",
    "django.contrib.staticfiles",
    "django_htmx",
    "channels",
    "csp",
    "allauth",
    "allauth.account",
    "allauth.mfa",
    "allauth.socialaccount",
    "allauth.socialaccount.providers.openid_connect",
    "allauth.usersessions",
    "procrastinate.contrib.django",
    "editor",
]

MIDDLEWARE = [
    "editor.web.middleware.ReleasedConnectionMiddleware",
    "django.middleware.security.SecurityMiddleware",
    "csp.middleware.CSPMiddleware",
    "imageeditor.static.StaticFilesMiddleware",
    "editor.web.middleware.CompressedPagesMiddleware",
    "editor.web.middleware.PrivateAnswersMiddleware",
    "editor.web.middleware.HealthMiddleware",
    "editor.web.middleware.ClientAddressMiddleware",
    "django.contrib.sessions.middleware.SessionMiddleware",
    "django.middleware.common.CommonMiddleware",
    "django.middleware.csrf.CsrfViewMiddleware",
    "django.contrib.auth.middleware.AuthenticationMiddleware",
    "django.contrib.messages.middleware.MessageMiddleware",
    "django.middleware.clickjacking.XFrameOptionsMiddleware",
    "allauth.account.middleware.AccountMiddleware",
    "editor.web.middleware.SessionActivityMiddleware",
    "django_htmx.middleware.HtmxMiddleware",
    "editor.web.middleware.TimeZoneMiddleware",
    "editor.web.middleware.EditorErrorMiddleware",
]

TEMPLATES = [
    {
        "BACKEND": "django.template.backends.django.DjangoTemplates",
        "DIRS": [BASE_DIR / "templates"],
        "APP_DIRS": True,
        "OPTIONS": {
            "context_processors": [
                "django.template.context_processors.request",
                "django.contrib.auth.context_processors.auth",
                "django.contrib.messages.context_processors.messages",
                "editor.web.context_processors.shell",
            ],
        },
    },
]

# --- Database, queue, cache, live updates --------------------------------------------

DATABASES: dict[str, dict[str, Any]]
if env.str("DATABASE_URL", default=""):
    DATABASES = {"default": env.db("DATABASE_URL")}
else:
    DATABASES = {"default": {"ENGINE": "imageeditor.postgres.backend", "NAME": "portal"}}
# A connection is taken from the pool for each request or step of a job and returned at once.
DATABASES["default"]["CONN_MAX_AGE"] = 0
# A restarted server leaves dead connections in the pool: check each before use.
DATABASES["default"]["CONN_HEALTH_CHECKS"] = True
DATABASES["default"].setdefault("OPTIONS", {})["pool"] = {"min_size": 1, "max_size": 20, "timeout": 15}

PROCRASTINATE_IMPORT_PATHS = ["editor.worker.tasks"]

REDIS_URL = env.str("REDIS_URL", default="")
CHANNEL_LAYERS: dict[str, dict[str, Any]]
CACHES: dict[str, dict[str, Any]]
if REDIS_URL:
    CHANNEL_LAYERS = {"default": {"BACKEND": "editor.redis.layer.SharedLayer", "CONFIG": {"url": REDIS_URL}}}
    CACHES = {"default": {"BACKEND": "editor.redis.cache.FallbackCache", "LOCATION": REDIS_URL}}
else:
    CHANNEL_LAYERS = {
        "default": {"BACKEND": "channels.layers.InMemoryChannelLayer", "CONFIG": {"capacity": 1000}}
    }
    CACHES = {
        "default": {
            "BACKEND": "django.core.cache.backends.locmem.LocMemCache",
            # It holds counts of failed attempts: with few entries, strangers could evict them.
            "OPTIONS": {"MAX_ENTRIES": 100_000},
        }
    }

# --- Files ---------------------------------------------------------------------------

STATIC_URL = "/static/"
STATIC_ROOT = Path(env.str("STATIC_ROOT", default=str(BASE_DIR / "staticfiles")))
STATICFILES_DIRS = [BASE_DIR / "static"]
STORAGE_BUCKET = env.str("STORAGE_BUCKET", default="")
STORAGES: dict[str, dict[str, Any]] = {
    "staticfiles": {"BACKEND": "whitenoise.storage.CompressedManifestStaticFilesStorage"},
}
if STORAGE_BUCKET:
    STORAGES["default"] = {
        "BACKEND": "storages.backends.s3.S3Storage",
        "OPTIONS": {
            "bucket_name": STORAGE_BUCKET,
            "endpoint_url": env.str("STORAGE_ENDPOINT_URL", default="") or None,
            "access_key": env.str("STORAGE_ACCESS_KEY", default="") or None,
            "secret_key": env.str("STORAGE_SECRET_KEY", default="") or None,
            "file_overwrite": False,
            "querystring_auth": True,
            "client_config": Config(
                # For presigned PUT URLs; boto would still default to version 2.
                signature_version="s3v4",
                # Without limits, a bucket that does not respond blocks a thread for minutes.
                connect_timeout=env.float("STORAGE_CONNECT_TIMEOUT", default=5),
                read_timeout=env.float("STORAGE_READ_TIMEOUT", default=20),
                retries={"mode": "standard", "total_max_attempts": env.int("STORAGE_ATTEMPTS", default=3)},
            ),
        },
    }
else:
    STORAGES["default"] = {
        "BACKEND": "django.core.files.storage.FileSystemStorage",
        "OPTIONS": {
            "location": str(DATA_DIR / "media"),
            "file_permissions_mode": 0o600,
            "directory_permissions_mode": 0o700,
        },
    }

# Free disk space that uploads and new edits leave to the database and to running edits.
STORAGE_RESERVE = environment.size("STORAGE_RESERVE")
# Uploads are checked in editor/media; these only limit what Django reads.
DATA_UPLOAD_MAX_MEMORY_SIZE = 2 * 1024 * 1024
FILE_UPLOAD_MAX_MEMORY_SIZE = 1024 * 1024  # of each body; the rest goes to a temporary file

# A call of an API that waits for its image gets the job, or an error, after so many seconds at most.
HOLD_SECONDS = environment.seconds("HOLD_SECONDS", default=300, most=300)

# How long entries of the audit log are kept.
AUDIT_DAYS = environment.days("AUDIT_DAYS", default=400, most=36_500)

# --- Providers -----------------------------------------------------------------------

# The portal's own accounts, and the base URL of each provider ("": its public one).
PROVIDERS: dict[str, dict[str, str]] = {
    provider: {
        "base_url": environment.provider_origin(env.str(f"{provider.upper()}_BASE_URL", default="")),
        "key": env.str(f"{provider.upper()}_API_KEY", default="").strip(),
        "secret": "",
    }
    for provider in ("bfl", "wiro", "openai", "google", "fal", "kie")
}
PROVIDERS["wiro"]["secret"] = env.str("WIRO_API_SECRET", default="").strip()
# Hosts and networks (CIDR) for which http, private addresses and ports other than 443 are allowed.
OUTBOUND_ALLOW = texts("OUTBOUND_ALLOW")

# --- People --------------------------------------------------------------------------

# Email addresses are unique regardless of case, by a constraint that this check does not recognize.
SILENCED_SYSTEM_CHECKS = ["auth.W004"]
AUTHENTICATION_BACKENDS = ["allauth.account.auth_backends.AuthenticationBackend"]
AUTH_PASSWORD_VALIDATORS = [
    {"NAME": "django.contrib.auth.password_validation.UserAttributeSimilarityValidator"},
    {"NAME": "django.contrib.auth.password_validation.MinimumLengthValidator", "OPTIONS": {"min_length": 10}},
    {"NAME": "django.contrib.auth.password_validation.CommonPasswordValidator"},
]
ACCOUNT_ADAPTER = "editor.web.account.AccountAdapter"
ACCOUNT_LOGIN_METHODS = {"email"}
ACCOUNT_SIGNUP_FIELDS = ["email*", "password1*"]
ACCOUNT_USER_MODEL_USERNAME_FIELD = None
ACCOUNT_EMAIL_VERIFICATION = "none"
ACCOUNT_SESSION_REMEMBER = True
# Password attempts have limits of their own: see editor/web/sign_in_limits.py.
ACCOUNT_RATE_LIMITS = {
    "login": None,
    "login_failed": None,
    "signup": "30/h/ip",
    "invitation": "30/m/ip,10/m/key",
    "signup_mail": "20/m/ip,5/15m/key",
    "reset_password": "20/m/ip,5/15m/key",
    "identity_provider": "60/m/ip",  # each is a request to the provider, which may be slow
    "reauthenticate": "10/5m/user,30/h/user",  # whoever has a stolen session guesses here
    "change_password": "5/m/user,30/h/user",
}
ACCOUNT_FORMS = {
    "reset_password": "editor.web.forms.account.ResetPasswordForm",
    "signup": "editor.web.forms.account.SignUpForm",
}
ACCOUNT_REAUTHENTICATION_REQUIRED = True  # before a change of what one signs in with
MFA_ADAPTER = "editor.web.second_factor.SecondFactorAdapter"
MFA_SUPPORTED_TYPES = ["totp", "webauthn", "recovery_codes"]
MFA_PASSKEY_LOGIN_ENABLED = True
# Also as a second factor: a challenge made for that would otherwise sign in alone, without PIN or finger.
MFA_WEBAUTHN_USER_VERIFICATION = "required"
_forms = "editor.web.forms.second_factor"
MFA_FORMS = {
    "authenticate": f"{_forms}.CodeForm",
    "authenticate_webauthn": f"{_forms}.PasskeyForm",
    "add_webauthn": f"{_forms}.AddPasskeyForm",
    "login_webauthn": f"{_forms}.SignInForm",
    "reauthenticate_webauthn": f"{_forms}.PasskeyAgainForm",
}
SOCIALACCOUNT_ADAPTER = "editor.web.oidc.ProviderAdapter"
# Only addresses that both sides have verified are linked: see editor/web/oidc.py.
SOCIALACCOUNT_EMAIL_AUTHENTICATION = True
SOCIALACCOUNT_EMAIL_AUTHENTICATION_AUTO_CONNECT = True
SOCIALACCOUNT_EMAIL_VERIFICATION = "none"
SOCIALACCOUNT_REQUESTS_TIMEOUT = 10  # seconds
# The people's identity providers, by id; not those that make images.
OIDC_PROVIDERS = accounts.oidc_providers()
SOCIALACCOUNT_PROVIDERS = {
    "openid_connect": {
        "OAUTH_PKCE_ENABLED": True,
        "APPS": [provider.app for provider in OIDC_PROVIDERS.values()],
    }
}
# It needs no rows besides the account's own.
ACCOUNT_PASSWORD_RESET_TOKEN_GENERATOR = "django.contrib.auth.tokens.PasswordResetTokenGenerator"  # noqa: S105
ACCOUNT_LOGOUT_ON_GET = False
LOGIN_URL = "account_login"
LOGIN_REDIRECT_URL = "home"
ACCOUNT_LOGOUT_REDIRECT_URL = "account_login"
SESSION_COOKIE_SECURE = HTTPS
CSRF_COOKIE_SECURE = HTTPS
SESSION_COOKIE_SAMESITE = "Lax"
SECURE_REFERRER_POLICY = "same-origin"
SECURE_CROSS_ORIGIN_OPENER_POLICY = "same-origin"
X_FRAME_OPTIONS = "DENY"
if HTTPS:
    SECURE_PROXY_SSL_HEADER = ("HTTP_X_FORWARDED_PROTO", "https")
    SECURE_HSTS_SECONDS = 31_536_000

_email_url = env.str("EMAIL_URL", default="").strip()
vars().update(*parsed("EMAIL_URL", [_email_url or "consolemail://"], mail_settings))
SENDS_MAIL = bool(_email_url)  # else mail is printed to the log
# Whoever was given the link of somebody else's invitation could leave a passkey in the account, which
# outlives a password reset. Without a mail server nobody could confirm an address.
MFA_ALLOW_UNVERIFIED_EMAIL = not SENDS_MAIL
EMAIL_TIMEOUT = 30  # seconds
DEFAULT_FROM_EMAIL = env.str(
    "DEFAULT_FROM_EMAIL", default=f"{SITE_NAME} <portal@{addresses.mail_domain(_host or 'localhost')}>"
)

# --- What a page may load: nothing from elsewhere, nothing inline ----------------------

CONTENT_SECURITY_POLICY = {
    "DIRECTIVES": {
        "default-src": [NONE],
        "script-src": [SELF],
        "style-src": [SELF],
        "img-src": [SELF, "blob:"],
        "font-src": [SELF],
        "connect-src": [SELF],
        "manifest-src": [SELF],
        "form-action": [SELF],
        "base-uri": [NONE],
        "frame-ancestors": [NONE],
        "object-src": [NONE],
    },
}

# --- Logs ----------------------------------------------------------------------------

LOGGING = {
    "version": 1,
    "disable_existing_loggers": False,
    "formatters": {"text": {"format": "{asctime} {levelname} {name}: {message}", "style": "{"}},
    "filters": {"no_traces": {"()": "imageeditor.logs.NoTraces"}},
    "handlers": {
        "stderr": {"class": "logging.StreamHandler", "formatter": "text", "filters": ["no_traces"]},
    },
    "root": {"handlers": ["stderr"], "level": os.environ.get("LOG_LEVEL", "INFO")},
    "loggers": {
        "procrastinate": {"level": "WARNING"},
        "django.server": {"level": "WARNING"},
        "httpx": {"level": "WARNING"},
        "mcp": {"level": "WARNING"},
        # It warns about each malformed form, which is the sender's problem.
        "python_multipart": {"level": "ERROR"},
    },
}
