"""After a theft of keys: the company replaces them, and each computer meets the new ones with a new invitation."""

from __future__ import annotations

from pathlib import Path

import pytest

from agent.domain import errors
from agent.domain.model import ConnectionState
from agent.runtime import Runtime
from agent.system.dirs import Folders
from tests.support.agent.parts import MemoryKeychain, OwnProcessVerifier
from tests.support.server import bulk_data
from tests.support.server.campaign_server import ServerHome
from tests.support.server.wire import an_hour_ago, verified

EMAIL = "p0@northwind.example"


def test_stolen_keys_are_replaced_and_a_new_code_brings_the_new_ones(tmp_path: Path) -> None:
    home = ServerHome(tmp_path / "server")
    home.init()
    with home.opened():
        bulk_data.add_people(1)
        bulk_data.publish("c-one", starts=an_hour_ago())
    keychain = MemoryKeychain()
    runtime = Runtime.open(Folders.under(tmp_path / "agent"), secrets=keychain, verifier=OwnProcessVerifier())
    try:
        with home.running() as server:
            runtime.enrol(server.url, home.invite(EMAIL))
            runtime.sync_once()
            (stolen,) = runtime.campaign_keys()
            refused = home.command("keys", "replace")
            assert (refused.returncode, stolen in home.succeed("keys", "show")) == (1, True)
            said = home.succeed("keys", "replace", "--yes")
            assert "1 computer was disconnected" in said
            assert stolen not in said
            with pytest.raises(errors.TokenRefused):
                runtime.sync_once()
            runtime.enrol(server.url, home.invite(EMAIL))
            runtime.sync_once()
            assert runtime.status().connection is ConnectionState.CONNECTED
            (present,) = runtime.campaign_keys()
            assert present in said
            assert [item.campaign.campaign_id for item in runtime.inbox()] == ["c-one"]
        with home.opened():
            from server.audit.models import Entry
            from server.campaigns.models import Campaign
            from server.signing.signers import public_keys

            verified(Campaign.objects.get().document, public_keys("northwind"), "campaign")
            assert Entry.objects.filter(action="keys-replaced").count() == 1
        files = sorted(path.name for path in (home.folder / "keys" / "northwind").iterdir())
        assert [name.endswith(".replaced") for name in files].count(True) == 2
    finally:
        runtime.stop()
