"""The console's static files, under names that hold their digest: a browser keeps them for good."""

import hashlib
import re
from collections.abc import Mapping
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING

from whitenoise import WhiteNoise

if TYPE_CHECKING:
    from _typeshed.wsgi import WSGIApplication

FOLDER = Path(__file__).parent / "static"
HASHED = re.compile(r"/static/.+\.[0-9a-f]{16}\.\w+")


@cache
def addresses() -> Mapping[str, str]:
    """Where a browser finds each file, by its name: `/static/console.0123456789abcdef.css`."""
    found = {}
    for path in FOLDER.iterdir():
        digest = hashlib.sha256(path.read_bytes()).hexdigest()[:16]
        found[path.name] = f"/static/{path.stem}.{digest}{path.suffix}"
    return found


def in_front_of(application: "WSGIApplication") -> "WSGIApplication":
    """The application with its static files, which cost it nothing."""
    files = WhiteNoise(
        application,
        allow_all_origins=False,
        immutable_file_test=lambda _path, url: HASHED.fullmatch(url) is not None,
    )
    for name, address in addresses().items():
        files.add_file_to_dictionary(address, str(FOLDER / name))
    wrapped: WSGIApplication = files
    return wrapped
