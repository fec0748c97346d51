"""P17: a company's data stays in its region."""

import os
import socket
from pathlib import Path

import pytest
import requests

from server.devices.models import Device, Invitation
from server.devices.tokens import new_code
from server.directory.models import Person
from tests.support.one_route import OneRoute, one_route
from tests.support.proofs import Proof
from tests.support.server import bulk_data, django_ready  # noqa: F401
from tests.support.server.campaign_server import COMPANY, ServerHome
from tests.support.server.wire import an_hour_ago, event, give, send
from tests.support.waiting import until

AMERICAN = COMPANY.replace('region = "eu"', 'region = "us"')
needs_root = pytest.mark.skipif(not hasattr(os, "geteuid") or os.geteuid() != 0, reason="needs ip netns")


@pytest.fixture
def home(tmp_path: Path) -> ServerHome:
    """A European server with people and a campaign."""
    made = ServerHome(tmp_path / "server")
    made.init()
    with made.opened():
        bulk_data.add_people(6)
        bulk_data.publish("c-one", starts=an_hour_ago())
    return made


@pytest.mark.proves("P17")
@needs_root
def test_no_packet_of_a_day_at_work_leaves_for_elsewhere(home: ServerHome, proof: Proof) -> None:
    rounds = proof.trials(full=50, few=2)

    def a_day() -> None:
        with home.opened(), home.running() as server:
            for number in range(rounds):
                computer = bulk_data.connect(server, f"p{number % 6}@northwind.example")
                assert computer.get("/feed").status_code == 200
                receipt = give(computer, "seen")
                assert send(computer, event("seen", "c-one", receipt)) in (["stored"], ["duplicate"])
                assert computer.get("/me").status_code == 200
                assert computer.delete("/device").status_code == 204
            home.succeed("report", "c-one")
            home.succeed("company", "export", home.folder.parent / "out.zip")

    with one_route() as network:
        network.run(a_day)
        strays = network.strays()
        _would_be_noticed(network, strays)
    proof.found("packets that left for anywhere but the company's server", strays, rounds)
    assert strays == 0


def _would_be_noticed(network: OneRoute, before: int) -> None:
    """A packet to elsewhere is counted."""

    def stray() -> None:
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as out:
            out.sendto(b"x", ("198.51.100.7", 443))

    network.run(stray)
    until(lambda: network.strays() > before, "the stray packet to be counted")


@pytest.mark.proves("P17")
def test_nothing_is_stored_of_who_comes_to_the_wrong_region(home: ServerHome, proof: Proof) -> None:
    tries = proof.trials(full=1000, few=20)
    with home.opened(), home.running() as server:
        before = (Device.objects.count(), Invitation.objects.count(), Person.objects.count())
        for _ in range(tries):
            body = {"code": new_code("us"), "agent_version": "0.1.0", "platform": "linux"}
            answer = requests.post(f"{server.url}/api/v1/enrolments", json=body, timeout=30)
            assert (answer.status_code, answer.json()["type"]) == (421, "tidings:wrong-region")
        after = (Device.objects.count(), Invitation.objects.count(), Person.objects.count())
    file = home.folder.parent / "american.toml"
    file.write_text(AMERICAN, encoding="utf-8")
    done = home.command("init", file)
    assert done.returncode == 1
    assert "This server is in the European Union" in done.stderr
    stored = sum(after) - sum(before)
    proof.found("rows stored of enrolments that came to a server of another region", stored, tries)
    assert stored == 0
