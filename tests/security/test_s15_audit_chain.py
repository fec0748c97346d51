"""S15: whoever may write the database, and nothing else, cannot change the audit log unnoticed, whatever happens later."""

import random
import subprocess
import sys
import uuid
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from django.db import connection

from server.audit import chain_heads, log
from server.audit.models import Chain, Entry
from server.audit.verifying import end_faults, verify
from tests.support.proofs import Proof
from tests.support.server import bulk_data
from tests.support.server.campaign_server import ServerHome
from tests.support.server.run_command import run_command

ENTRIES = 8
COLUMNS = [
    field.attname for field in Entry._meta.concrete_fields if field.attname not in {"id", "company_id"}
]
"""All but the number of the row, which says nothing, and the company: the database takes no other one for it."""

pytestmark = pytest.mark.proves("S15")


@pytest.fixture(scope="module", params=["sqlite", "postgresql"])
def home(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> ServerHome:
    url = None
    if request.param == "postgresql":
        url = request.getfixturevalue("postgres_cluster").new_database()
    made = ServerHome(tmp_path_factory.mktemp("server"), url)
    made.init()
    return made


@pytest.fixture
def northwind(home: ServerHome, caplog: pytest.LogCaptureFixture) -> Iterator[ServerHome]:
    with home.opened():
        yield home
    caplog.clear()


def _fill(chance: random.Random) -> None:
    """A log of its own for each try."""
    Entry.objects.all().delete()
    Chain.objects.all().delete()
    chain_heads.forget("northwind")
    for number in range(ENTRIES):
        subject = uuid.UUID(int=chance.getrandbits(128)) if chance.random() < 0.5 else None
        log.record("northwind", log.COMMAND_LINE, "publish", subject, {"campaign": f"c-{number}"})


def _is_shown() -> bool:
    """By each of the ways in which somebody is told."""
    return not verify(bulk_data.company()).sound and run_command("audit", "verify") == 1


def _edited(model: type[Chain] | type[Entry], column: str, before: object, chance: random.Random) -> object:
    """The value with one byte changed, added or removed."""
    text, is_number = str(before), column == "number"
    place = chance.randrange(len(text) + 1)
    letter = chance.choice("123456789" if is_number else "abcdef0123456789 Z")
    kinds = [
        text[:place] + letter + text[place:],
        text[:place] + text[place + 1 :],
        text[:place] + letter + text[place + 1 :],
    ]
    longest = model._meta.get_field(column).max_length or 100_000
    fitting = [one for one in kinds if one != text and len(one) <= longest and (one or not is_number)]
    changed = chance.choice(fitting) if fitting else f"{text[:-1]}~"
    return int(changed) if is_number else changed


def test_each_changed_byte_of_each_column_is_shown(northwind: ServerHome, proof: Proof) -> None:
    tries, missed, chance = proof.trials(full=1_000, few=40), [], random.Random(15)
    _fill(chance)
    assert verify(bulk_data.company()).sound
    for number in range(tries):
        column = COLUMNS[number % len(COLUMNS)]
        entry = chance.choice(list(Entry.objects.all()))
        before = getattr(entry, column)
        after = _edited(Entry, column, before, chance)
        if column == "number" and Entry.objects.filter(number=after).exists():
            after = int(f"{before}9")
        Entry.objects.filter(pk=entry.pk).update(**{column: after})
        if verify(bulk_data.company()).sound:
            missed.append((entry.number, column, before, after))
        Entry.objects.filter(pk=entry.pk).update(**{column: before})
    proof.found("changed bytes that were not shown", len(missed), tries)
    assert missed == []
    assert verify(bulk_data.company()).sound


def test_each_changed_byte_of_the_noted_end_is_shown_and_stays_so(
    northwind: ServerHome, proof: Proof
) -> None:
    tries, missed, chance = proof.trials(full=100, few=4), [], random.Random(16)
    for number in range(tries):
        _fill(chance)
        column = ("number", "digest")[number % 2]
        before = getattr(Chain.objects.get(), column)
        after = _edited(Chain, column, before, chance)
        Chain.objects.update(**{column: after})
        if after != before and not (_is_shown() and _goes_on(chance)):
            missed.append((column, before, after))
    proof.found("changed bytes of the noted end that were not shown", len(missed), tries)
    assert missed == []


def _goes_on(chance: random.Random) -> bool:
    """Whether the fault is shown after ordinary acts, too, none of which it stops."""
    for _number in range(chance.randint(1, 3)):
        log.record("northwind", log.COMMAND_LINE, "publish-emergency")
        if not _is_shown():
            return False
    return True


# --- Larger changes, with all digests made anew --------------------------------------------------------


def _write_anew(entries: list[Entry]) -> None:
    """What somebody does who knows how the digests are made, and has the database."""
    Entry.objects.all().delete()
    previous = ""
    for number, entry in enumerate(entries, start=1):
        entry.pk, entry.number, entry.previous = None, number, previous
        previous = entry.digest = log.digest(entry)
        entry.save(force_insert=True)
    Chain.objects.update(number=len(entries), digest=previous)


def _forged(entries: list[Entry]) -> Entry:
    last = entries[-1]
    return Entry(
        company_id="northwind", number=0, time=last.time, actor="token 1 (dpo)", action="recall", detail="{}"
    )


def _change(entries: list[Entry], chance: random.Random) -> list[Entry]:
    entry = chance.choice(entries)
    entry.actor += "1"
    return entries


def _remove(entries: list[Entry], chance: random.Random) -> list[Entry]:
    entries.remove(chance.choice(entries[:-1]))
    return entries


def _exchange(entries: list[Entry], chance: random.Random) -> list[Entry]:
    one, other = sorted(chance.sample(range(len(entries)), 2))
    entries[one], entries[other] = entries[other], entries[one]
    return entries


def _insert(entries: list[Entry], chance: random.Random) -> list[Entry]:
    entries.insert(chance.randrange(len(entries)), _forged(entries))
    return entries


def _append(entries: list[Entry], chance: random.Random) -> list[Entry]:
    return entries + [_forged(entries) for _number in range(chance.randint(1, 3))]


def _cut(entries: list[Entry], chance: random.Random) -> list[Entry]:
    return entries[: chance.randrange(1, len(entries))]


def _remove_all(_entries: list[Entry], _chance: random.Random) -> list[Entry]:
    return []


def _replace_the_tail(entries: list[Entry], chance: random.Random) -> list[Entry]:
    """As a database does that went on from a backup elsewhere."""
    kept = _cut(entries, chance)
    return kept + [_forged(entries) for _number in range(chance.randint(1, 12))]


def _explain_it(entries: list[Entry], chance: random.Random) -> list[Entry]:
    """Cut, with an entry behind that claims that a person explained it."""
    claim = _forged(entries)
    claim.action, claim.detail = (
        chance.choice([log.EXPLAIN, log.RESTORED]),
        '{"by":"me","faults":9,"reason":"x"}',
    )
    return [*_cut(entries, chance), claim]


CHANGES = [
    _change,
    _remove,
    _exchange,
    _insert,
    _append,
    _cut,
    _remove_all,
    _replace_the_tail,
    _explain_it,
]


def test_a_log_that_was_written_anew_is_shown_and_stays_so(northwind: ServerHome, proof: Proof) -> None:
    tries, missed, chance = proof.trials(full=40, few=1) * len(CHANGES), [], random.Random(17)
    for number in range(tries):
        change: Callable[[list[Entry], random.Random], list[Entry]] = CHANGES[number % len(CHANGES)]
        _fill(chance)
        _write_anew(change(list(Entry.objects.order_by("number")), chance))
        shown = _is_shown() and bool(end_faults(bulk_data.company()))
        if not (shown and _goes_on(chance)):
            missed.append(change.__name__)
    proof.found(
        "logs written anew, with all digests, that were not shown before and after acts", len(missed), tries
    )
    assert missed == []


def test_a_log_changed_again_and_again_keeps_every_end_that_was_remembered(northwind: ServerHome) -> None:
    chance, ends = random.Random(18), []
    _fill(chance)
    for change in CHANGES:
        kept = chain_heads.kept("northwind")
        assert kept is not None
        ends.append(kept.end)
        _write_anew(change(list(Entry.objects.order_by("number")), chance))
        log.record("northwind", log.COMMAND_LINE, "recall")
    kept = chain_heads.kept("northwind")
    assert kept is not None
    assert [one.remembered for one in kept.breaks] == ends


# --- No false alarm -------------------------------------------------------------------------------------


def test_a_process_that_is_killed_raises_no_alarm(northwind: ServerHome, proof: Proof) -> None:
    kills = proof.trials(full=200, few=10)
    _fill(random.Random(19))
    connection.close()
    words = [str(northwind.folder), northwind.database_url or "", str(kills), "20"]
    subprocess.run(
        [sys.executable, "-m", "tests.support.server.killed_appends", *words], check=True, timeout=1800
    )
    log.record("northwind", log.COMMAND_LINE, "recall")
    verdict, kept = verify(bulk_data.company()), chain_heads.kept("northwind")
    assert kept is not None
    alarms = len(kept.breaks) + len(verdict.faults)
    proof.found("false alarms after processes were killed while they wrote", alarms, kills)
    assert (alarms, verdict.faults) == (0, [])
    assert verdict.entries > ENTRIES


# --- Told ----------------------------------------------------------------------------------------------


def test_check_and_the_start_of_the_server_tell_a_broken_log_and_it_serves(
    home: ServerHome, caplog: pytest.LogCaptureFixture
) -> None:
    with home.opened():
        chance = random.Random(21)
        _fill(chance)
        _write_anew(_change(list(Entry.objects.order_by("number")), chance))
    with home.running() as server:
        told = server.process.output()
        assert "The audit log of northwind is NOT whole" in told
        assert "tidings-server audit explain" in told
    done = home.command("check")
    assert done.returncode == 1
    assert "The log was written anew" in done.stdout
    home.succeed("audit", "explain", "--by", "head of IT", "--reason", "the disk was exchanged")
    assert "the disk was exchanged" in home.succeed("audit", "verify")
    with home.opened():
        assert end_faults(bulk_data.company()) == []
    assert Path(home.folder / "audit" / "northwind.json").stat().st_mode & 0o777 == 0o600
