"""Django's settings for the console's process: those of the server, and what only pages need.

`TIDINGS_CONSOLE`: where browsers reach it; `tidings-server console serve` sets it.
"""

from pathlib import Path

from server.accounts import console_address
from server.settings import *  # noqa: F403
from server.settings import CACHES as _caches_of_the_server
from server.settings import CONSOLE
from server.settings import LOGGING as _of_the_server

ADDRESS = CONSOLE or console_address.DEFAULT
IS_SECURE = ADDRESS.startswith("https://")
ALLOWED_HOSTS = [console_address.host_of(ADDRESS)]

ROOT_URLCONF = "server.console.urls"
MIDDLEWARE = [
    "server.console.middleware.security.SecurityMiddleware",
    "django.contrib.sessions.middleware.SessionMiddleware",
    "django.middleware.csrf.CsrfViewMiddleware",
    "django.contrib.auth.middleware.AuthenticationMiddleware",
    "server.console.middleware.language.LanguageMiddleware",
    "server.console.middleware.time_zone.TimeZoneMiddleware",
    "allauth.account.middleware.AccountMiddleware",
    "server.console.middleware.sessions.SessionEndMiddleware",
    "server.console.middleware.errors.ErrorMiddleware",
]
TEMPLATES = [
    {
        "BACKEND": "django.template.backends.django.DjangoTemplates",
        "DIRS": [str(Path(__file__).parent / "templates")],
        "OPTIONS": {
            "context_processors": [
                "django.template.context_processors.request",
                "server.console.navigation.frame",
            ],
            "builtins": [
                "django.templatetags.i18n",
                "server.console.templatetags.console",
            ],
        },
    }
]

PREFIX = "__Host-" if IS_SECURE else ""
SESSION_ENGINE = "server.accounts.sessions"
SESSION_COOKIE_NAME = f"{PREFIX}tidings-session"
SESSION_COOKIE_AGE = 12 * 3600
SESSION_COOKIE_SECURE = CSRF_COOKIE_SECURE = IS_SECURE
SESSION_COOKIE_HTTPONLY = CSRF_COOKIE_HTTPONLY = True
SESSION_COOKIE_SAMESITE = CSRF_COOKIE_SAMESITE = "Strict"
SESSION_EXPIRE_AT_BROWSER_CLOSE = True
CSRF_COOKIE_NAME = f"{PREFIX}tidings-csrf"
CSRF_COOKIE_AGE = None
CSRF_FAILURE_VIEW = "server.console.pages.errors.csrf_failure"
DATA_UPLOAD_MAX_MEMORY_SIZE = 256 * 1024
# Files come whole, and are never written to a folder for files of all programs.
FILE_UPLOAD_HANDLERS = ["django.core.files.uploadhandler.MemoryFileUploadHandler"]
FILE_UPLOAD_MAX_MEMORY_SIZE = 40 * 1024 * 1024

_SILENT = {"django.security": {"level": "CRITICAL"}, "fido2": {"level": "ERROR"}}
# As in the API's log, what visitors send is their affair: other host names, forms of other sites; and which passkey it was.
LOGGING = {**_of_the_server, "loggers": _of_the_server["loggers"] | _SILENT}

LOGIN_URL = "account_login"
LOGIN_REDIRECT_URL = "today"
PASSWORD_HASHERS = [
    "django.contrib.auth.hashers.ScryptPasswordHasher",
    "django.contrib.auth.hashers.PBKDF2PasswordHasher",
]
AUTHENTICATION_BACKENDS = ["server.console.sign_in.AccountBackend"]
AUTH_PASSWORD_VALIDATORS = [
    {"NAME": "django.contrib.auth.password_validation.UserAttributeSimilarityValidator"},
    {
        "NAME": "django.contrib.auth.password_validation.MinimumLengthValidator",
        "OPTIONS": {"min_length": 12},
    },
    {"NAME": "django.contrib.auth.password_validation.CommonPasswordValidator"},
]

# allauth: sign-in by address and password, then a code. Everything else of it answers 404, see `urls`.
ACCOUNT_ADAPTER = "server.console.sign_in.AccountAdapter"
ACCOUNT_LOGIN_METHODS = {"email"}
ACCOUNT_SIGNUP_FIELDS = ["email*", "password1*"]
ACCOUNT_USER_MODEL_USERNAME_FIELD = None
ACCOUNT_EMAIL_VERIFICATION = "none"  # the link by which the person came in was it
ACCOUNT_EMAIL_NOTIFICATIONS = False
ACCOUNT_SESSION_REMEMBER = False
ACCOUNT_LOGOUT_ON_GET = False
ACCOUNT_LOGOUT_REDIRECT_URL = "account_login"
ACCOUNT_RATE_LIMITS = {"login": "30/m/ip", "login_failed": "10/m/ip,5/5m/key", "reauthenticate": "10/m/user"}
ACCOUNT_REAUTHENTICATION_TIMEOUT = 300
ACCOUNT_REAUTHENTICATION_METHODS = {"mfa"}
ALLAUTH_TRUSTED_PROXY_COUNT = 1 if IS_SECURE else 0
MFA_ADAPTER = "server.console.sign_in.SecondFactorAdapter"
MFA_SUPPORTED_TYPES = ["totp", "webauthn", "recovery_codes"]
MFA_PASSKEY_LOGIN_ENABLED = True
MFA_WEBAUTHN_USER_VERIFICATION = "required"  # so that a passkey alone is two factors
MFA_FORMS = {
    "add_webauthn": "server.console.passkey_forms.AddForm",
    "authenticate_webauthn": "server.console.passkey_forms.SecondStepForm",
    "login_webauthn": "server.console.passkey_forms.SignInForm",
    "reauthenticate_webauthn": "server.console.passkey_forms.ConfirmForm",
}
MFA_RATE_LIMITS = {"webauthn_login": "30/m/ip"}
MFA_ALLOW_UNVERIFIED_EMAIL = True
MFA_RECOVERY_CODES_SHOW_ONCE = True
MFA_TOTP_TOLERANCE = 1
MFA_TOTP_ISSUER = "Tidings"
CACHES = {
    **_caches_of_the_server,
    "default": {"BACKEND": "server.accounts.attempts.AttemptCache"},
    "addresses": {
        "BACKEND": "django.core.cache.backends.locmem.LocMemCache",
        "LOCATION": "addresses",
        "OPTIONS": {"MAX_ENTRIES": 10_000},  # about 5 MB
    },
}
