"""Makes Django ready when it is imported, so that tests can import the server's modules at their top.

No database is opened: `ServerHome.opened()` does that for the length of a block.
"""

import os
import tempfile
from pathlib import Path

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "server.settings")
os.environ.setdefault("TIDINGS_SERVER_DATA", str(Path(tempfile.gettempdir()) / "tidings-no-such-folder"))

import django
from django.conf import settings

settings.SECRET_KEY = "for tests only"
django.setup()
