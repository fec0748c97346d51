"""The sample company of `resources/sample` on a real server: its people, its media, its campaigns."""

import hashlib
import os
import shutil
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from tests.support.agent.processes import ROOT
from tests.support.ports import free_port
from tests.support.server.campaign_server import RunningServer, ServerHome

SAMPLE = ROOT / "resources" / "sample"
MEDIA = ROOT / "build" / "sample-media"
SHORTEST_POLL_S = 10


def sample_media() -> Path:
    """The folder with the sample video and pictures; drawn once for each state of the program that draws them."""
    digest = hashlib.sha256()
    for source in sorted([*SAMPLE.glob("*.py"), *SAMPLE.glob("captions/*")]):
        digest.update(source.read_bytes())
    folder = MEDIA / digest.hexdigest()[:12]
    if not folder.exists():
        unfinished = folder.with_suffix(f".{os.getpid()}")
        command = [sys.executable, "-m", "resources.sample.make_media", str(unfinished)]
        subprocess.run(command, cwd=ROOT, check=True, capture_output=True)
        try:
            unfinished.rename(folder)
        except OSError:  # another process was faster
            shutil.rmtree(unfinished)
    return folder


class SampleCompany:
    """Northwind on a server of its own.

    Args:
        folder: for the server's data and log.
        port: of the loopback address; agents keep it over restarts of the server.
        database_url: PostgreSQL, else SQLite.
    """

    def __init__(self, folder: Path, port: int, database_url: str | None = None) -> None:
        self.home = ServerHome(folder, database_url)
        self.port = port
        self.url = f"http://127.0.0.1:{port}"

    def make(self) -> None:
        """Makes the company, with agents that ask as often as they may, and brings in its people."""
        own = f'poll_interval_s = {SHORTEST_POLL_S}\nserver_url = "{self.url}"'
        company = (SAMPLE / "company.toml").read_text().replace("[company]", f"[company]\n{own}", 1)
        self.home.init(company)
        self.home.succeed("people", "import", SAMPLE / "people.csv")

    def wants_two_people(self) -> None:
        """From five people on, somebody else approves what one writes. Two accounts have to be there."""
        file = self.home.folder / "company.toml"
        file.write_text(file.read_text().replace("[company]", "[company]\nsecond_person_from = 5", 1))
        self.home.succeed("init", file)

    def sends_mail(self) -> Path:
        """From its next start on: into files of the folder that is answered. The console gets an address for the links."""
        folder = self.home.folder.with_name("mails")
        self.home.environment |= {
            "TIDINGS_MAIL": folder.absolute().as_uri(),
            "TIDINGS_MAIL_FROM": "tidings@northwind.example",
            "TIDINGS_CONSOLE": f"http://127.0.0.1:{free_port()}",
        }
        return folder

    @contextmanager
    def serving(self) -> Iterator[RunningServer]:
        """Answers agents."""
        with self.home.running("--port", str(self.port), "--requests-per-minute", "0") as server:
            yield server

    def publish(self, name: str) -> str:
        """Publishes a sample campaign and gives its id."""
        return self.publish_all(name)[0]

    def publish_all(self, *names: str) -> list[str]:
        """Publishes sample campaigns, all or none, and gives their ids."""
        files = [SAMPLE / "campaigns" / f"{name}.toml" for name in names]
        printed = self.home.succeed("campaign", "publish", *files, "--media", sample_media())
        return [line.split()[0] for line in printed.splitlines()]

    def stored(self) -> list[dict[str, Any]]:
        """Every signal in the server's database, oldest first."""
        with self.home.opened():
            from server.signals.models import Signal

            fields = ("event_id", "campaign_id", "signal", "date", "link_id", "value")
            rows = Signal.objects.order_by("pk").values(*fields, "campaign__campaign_id")
            return [dict(row) | {"campaign_id": row["campaign__campaign_id"]} for row in rows]

    def forget_signals(self) -> None:
        """Nobody has told anything yet."""
        with self.home.opened():
            from server.signals.models import Signal

            Signal.objects.all().delete()

    def acknowledgements(self) -> list[dict[str, str]]:
        """Every confirmation in the server's database, oldest first."""
        with self.home.opened():
            from server.acknowledgements.models import Acknowledgement

            rows = Acknowledgement.objects.order_by("pk").values_list("event_id", "campaign__campaign_id")
            return [{"event_id": str(event_id), "campaign_id": campaign} for event_id, campaign in rows]

    def consents(self) -> list[dict[str, Any]]:
        """Every consent and withdrawal in the server's database, oldest first."""
        with self.home.opened():
            from server.signals.models import Consent

            rows = Consent.objects.order_by("pk").values("receipt_id", "signal", "status")
            return [dict(row) for row in rows]
