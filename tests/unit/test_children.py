"""What a child process wrote is its own, also where an earlier one wrote into the same file."""

import sys
from pathlib import Path

from tests.support.children import Child
from tests.support.server.campaign_server import READY, _ready_url
from tests.support.waiting import PATIENCE_S, until


def _serving_at(log: Path, url: str) -> Child:
    return Child([sys.executable, "-c", f"print('Serving at {url}')"], log)


def test_a_server_that_is_started_again_is_not_taken_for_the_one_before(tmp_path: Path) -> None:
    log = tmp_path / "server.log"
    for url in ("http://127.0.0.1:1", "http://127.0.0.1:2"):
        with _serving_at(log, url) as child:
            child.wait(PATIENCE_S)
            assert READY.findall(child.output()) == [url]
    assert len(READY.findall(log.read_text())) == 2


def test_the_address_is_that_of_this_start(tmp_path: Path) -> None:
    log = tmp_path / "server.log"
    log.write_text("Serving at http://127.0.0.1:1\n")
    program = "import time; print('Serving at http://127.0.0.1:2', flush=True); time.sleep(600)"
    with Child([sys.executable, "-c", program], log) as child:
        assert until(lambda: _ready_url(child), "it to say where it serves") == "http://127.0.0.1:2"
