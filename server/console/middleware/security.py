"""Headers of every answer, and which requests of other sites are refused.

Sources: CSP 3, Fetch Metadata, the OWASP secure headers project.
"""

from collections.abc import Callable, Mapping

from django.core.exceptions import PermissionDenied
from django.http import HttpRequest
from django.http.response import HttpResponseBase
from django.utils.translation import gettext as _

HEADERS = {
    "Content-Security-Policy": (
        "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' blob:; media-src 'self' blob:;"
        " font-src 'self'; connect-src 'self'; form-action 'self'; base-uri 'none'; frame-ancestors 'none';"
        " object-src 'none'"
    ),
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Referrer-Policy": "same-origin",
    "Permissions-Policy": (
        "accelerometer=(), autoplay=(), camera=(), display-capture=(), encrypted-media=(), fullscreen=(), geolocation=(),"
        " gyroscope=(), magnetometer=(), microphone=(), midi=(), payment=(), picture-in-picture=(),"
        " publickey-credentials-get=(self), screen-wake-lock=(), usb=(), xr-spatial-tracking=()"
    ),
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
    "Cache-Control": "no-store",
}
STRICT_TRANSPORT = "max-age=31536000"
DOORS = ("/", "/sign-in", "/welcome/")
"""What a link on another site, as in a mail on the web, may open: the start and where it leads without a session."""

GetResponse = Callable[[HttpRequest], HttpResponseBase]


def headers(is_secure: bool) -> Mapping[str, str]:
    """Those of every answer, by their name; over TLS one more."""
    return HEADERS | ({"Strict-Transport-Security": STRICT_TRANSPORT} if is_secure else {})


class SecurityMiddleware:
    """The first of all, so that errors have the headers, too."""

    def __init__(self, get_response: GetResponse) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponseBase:
        response = self.get_response(request)
        for name, value in headers(request.is_secure()).items():
            response.headers[name] = value
        return response

    def process_view(self, request: HttpRequest, *_words: object) -> None:
        """Refuse another host's name, and requests that another site makes. Raises `PermissionDenied`."""
        request.get_host()  # raises DisallowedHost
        if request.headers.get("Sec-Fetch-Site", "none") in ("none", "same-origin"):
            return
        if not (_is_navigation(request) and _is_door(request.path)):
            raise PermissionDenied(
                _("Another website asked for this. Open the console's start page, and go on from there.")
            )


def _is_navigation(request: HttpRequest) -> bool:
    return (
        request.method == "GET"
        and request.headers.get("Sec-Fetch-Mode") == "navigate"
        and request.headers.get("Sec-Fetch-Dest") == "document"
    )


def _is_door(path: str) -> bool:
    return any(path == door or (door.endswith("e/") and path.startswith(door)) for door in DOORS)
