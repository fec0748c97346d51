"""A server with two companies, one of which something happens to."""

from __future__ import annotations

from dataclasses import dataclass

from tests.support.server.campaign_server import ServerHome

SOUTHWIND = """
[company]
id = "southwind"
name = "Southwind"
legal_name = "Southwind SAS"
dpo_name = "Inès Martin"
dpo_email = "dpo@southwind.example"
region = "eu"
server_url = "http://127.0.0.1:1"
"""


@dataclass
class Two:
    """A server with two companies, and a computer's token of each."""

    home: ServerHome
    north: str
    south: str

    def names(self) -> str:
        """What `check` says, which must find a fault."""
        checked = self.home.command("check")
        assert checked.returncode == 1, checked.stdout
        return "\n".join(line for line in checked.stdout.splitlines() if line.startswith("✗"))


def two_companies(home: ServerHome) -> Two:
    """Make Northwind and Southwind in an empty folder, with a person and a computer each."""
    home.init()
    (home.folder / "southwind.toml").write_text(SOUTHWIND)
    home.succeed("init", home.folder / "southwind.toml")
    with home.opened():
        return Two(home, _token_in("northwind"), _token_in("southwind"))


def _token_in(company: str) -> str:
    from server.devices.models import Device
    from server.devices.tokens import new_token, token_hash
    from server.directory.models import Person

    person = Person.objects.create(company_id=company, email=f"a@{company}.example", first_name="A")
    token = new_token()
    Device.objects.create(
        person=person, platform="linux", agent_version="0.1.0", token_hash=token_hash(token)
    )
    return token
