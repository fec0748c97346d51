"""P4: no administrator can list individual choices.

Two servers differ only in who agreed, who refused and who took it back; as many did in both. Whatever any role asks of any
endpoint, and whatever any command says, must be the same on both.
"""

import random
import sys
from functools import partial
from itertools import pairwise
from pathlib import Path
from types import ModuleType

import pytest

from server.__main__ import COMMANDS
from server.signals.models import Consent
from tests.support.proofs import Proof
from tests.support.server import bulk_data, company_life
from tests.support.server.campaign_server import ServerHome
from tests.support.server.two_worlds import PEOPLE, TARGET, Choices, World, crawl, masked, output
from tests.support.server.wire import an_hour_ago

NOT_RUN = {"serve": "it is the server that answers the endpoints; its log is compared, too"}

ASKED = (
    ("people", "import", "{folder}/people.csv", "--dry-run"),
    ("people", "list"),
    ("people", "list", "--json"),
    ("people", "show", TARGET, "--json"),
    ("groups", "list"),
    ("campaign", "list", "--json"),
    ("report",),
    ("report", "c-video"),
    ("report", "c-video", "--json"),
    ("report", "c-video", "--csv"),
    ("report", "c-video", "--by", "group"),
    ("report", "c-video", "--by", "day"),
    ("report", "c-video", "--named"),
    ("report", "c-video", "--acknowledgements"),
    ("report", "c-safety", "--acknowledgements", "--json"),
    ("device", "list"),
    ("device", "list", TARGET, "--json"),
    ("corrections", "list", "--json"),
    ("audit", "show"),
    ("audit", "verify"),
    ("audit", "export"),
    ("audit", "acts"),
    ("token", "list"),
    ("console", "accounts"),
    ("console", "access"),
    ("console", "remove", "dpo@northwind.example"),
    ("company", "list"),
    ("company", "show"),
    ("record",),
    ("record", "--csv"),
    ("ledger", "verify"),
    ("housekeeping", "--dry-run"),
    ("housekeeping",),
    ("check",),
    ("init", "{folder}/company.toml"),
    ("invite", TARGET),
    ("device", "revoke", TARGET),
    ("campaign", "recall", "c-video"),
    ("purge", "--yes", TARGET),
    ("mail", "send"),
    ("keys", "show"),
    ("keys", "replace", "--yes"),
)
COUNTING = (
    ("company", "list"),
    ("company", "show"),
    ("company", "show", "--json"),
    ("ledger", "verify"),
    ("check",),
)
LEAK = "leak"


@pytest.fixture
def leaking_command(monkeypatch: pytest.MonkeyPatch) -> None:
    """A command that tells whether the target shares, so that it is known that the comparison would find one."""
    module = ModuleType(f"server.commands.{LEAK}")
    module.add_arguments = lambda _parser: None  # type: ignore[attr-defined]
    module.run = lambda _options: print(Consent.objects.filter(person__email=TARGET).exists())  # type: ignore[attr-defined]
    monkeypatch.setitem(sys.modules, module.__name__, module)


def _pair(number: int) -> tuple[Choices, Choices]:
    """Five or ten people share, so that their blocks of five are equal, and one of them takes it back.

    The target shares in the first only. Else the two are alike, or differ in everybody.
    """
    chance = random.Random(number)
    count = chance.choice([5, 10])
    others = chance.sample(range(1, PEOPLE), count)
    instead = others if number % 2 == 0 else chance.sample(range(1, PEOPLE), count)
    with_target = [0, *others[1:]]
    return (
        Choices(frozenset(with_target), frozenset(with_target[-1:])),
        Choices(frozenset(instead), frozenset(instead[-1:])),
    )


def test_every_command_is_asked() -> None:
    assert {words[0] for words in ASKED} | NOT_RUN.keys() == set(COMMANDS)


@pytest.mark.usefixtures("leaking_command")
@pytest.mark.proves("P4")
def test_all_that_can_be_asked_is_answered_alike_whoever_shares(tmp_path: Path, proof: Proof) -> None:
    trials, telling, asked = proof.trials(full=10, few=1), set[str](), 0
    for number in range(trials):
        first, second = (
            crawl(tmp_path / f"{number}-{name}", partial(World.live, choices=choices), ((LEAK,), *ASKED))
            for name, choices in zip("ab", _pair(number), strict=True)
        )
        assert first.keys() == second.keys()
        different = {question for question in first if first[question] != second[question]}
        leak = next(question for question in first if question.endswith(f" {LEAK}"))
        assert leak in different, "the comparison finds a command that tells"
        telling |= different - {leak}
        asked += len(first) - 1
    proof.found("answers that tell who shares", len(telling), asked)
    assert not telling


@pytest.mark.proves("P4")
def test_no_command_counts_what_people_chose(tmp_path: Path, proof: Proof) -> None:
    """Looked at before and after, a number of consents tells what one person answered."""
    home = ServerHome(tmp_path / "server")
    home.init()
    with home.opened():
        person = bulk_data.add_people(1)[0]
        campaign = bulk_data.publish("c-video", starts=an_hour_ago())
        seen = [_told()]
        receipt = company_life.give(person)
        seen.append(_told())
        assert company_life.act(person, campaign, receipt) == "stored"
        seen.append(_told())
        company_life.withdraw(person, receipt)
        seen.append(_told())
    telling = sum(before != after for before, after in pairwise(seen))
    proof.found("answers that changed with somebody's choice", telling, len(seen) - 1)
    assert not telling


def _told() -> list[str]:
    return [masked(output(*words)) for words in COUNTING]
