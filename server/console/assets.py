"""The console's static files, under names that hold their digest: a browser keeps them for good."""

import hashlib
import importlib.util
import re
from collections.abc import Mapping
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING

from whitenoise import WhiteNoise

if TYPE_CHECKING:
    from _typeshed.wsgi import WSGIApplication

FOLDER = Path(__file__).parent / "static"
PACKAGED = {
    "htmx.js": ("django_htmx", "static/django_htmx/htmx-2.min.js"),
    "webauthn-json.js": ("allauth", "mfa/static/mfa/js/webauthn-json.js"),
    "webauthn.js": ("allauth", "mfa/static/mfa/js/webauthn.js"),
}
"""Files of installed packages, by the name that pages use."""
HASHED = re.compile(r"/static/.+\.[0-9a-f]{16}\.\w+")


@cache
def addresses() -> Mapping[str, str]:
    """Where a browser finds each file, by its name: `/static/console.0123456789abcdef.css`."""
    found = {}
    for name, path in _files().items():
        digest = hashlib.sha256(path.read_bytes()).hexdigest()[:16]
        stem, _dot, suffix = name.rpartition(".")
        found[name] = f"/static/{stem}.{digest}.{suffix}"
    return found


def _files() -> dict[str, Path]:
    packaged = {
        name: Path(str(spec.origin)).parent / path
        for name, (package, path) in PACKAGED.items()
        if (spec := importlib.util.find_spec(package))
    }
    return {path.name: path for path in FOLDER.iterdir()} | packaged


def in_front_of(application: "WSGIApplication") -> "WSGIApplication":
    """The application with its static files, which cost it nothing."""
    files = WhiteNoise(
        application,
        allow_all_origins=False,
        immutable_file_test=lambda _path, url: HASHED.fullmatch(url) is not None,
    )
    places = _files()
    for name, address in addresses().items():
        files.add_file_to_dictionary(address, str(places[name]))
    wrapped: WSGIApplication = files
    return wrapped
