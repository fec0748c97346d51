"""Campaigns close in time, what is kept no longer goes, and one job that fails stops no other."""

import os
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from uuid import UUID, uuid4

import pytest

from server.campaigns.models import Campaign
from server.core import clock
from server.core.data_map import Retention
from server.devices.auth import Caller
from server.devices.enrolment import invite
from server.devices.models import Device, Invitation
from server.directory.models import Company
from server.erasure_ledger import ledger
from server.feedback.consents import Decision, decide
from server.feedback.recording import Event, record
from server.media import files
from server.reports.figures import report
from server.reports.models import Block
from server.retention import daily
from server.retention.campaign_closing import CLOSES_AFTER, LONGEST_OPEN, close
from server.retention.housekeeping import JOBS, housekeeping
from server.signals.models import CampaignKey, Signal
from tests.support.server import bulk_data
from tests.support.server.campaign_server import ServerHome
from tests.support.server.run_command import run_command
from tests.support.waiting import until

pytestmark = pytest.mark.both_databases

STARTS = datetime(2026, 9, 1, 9, tzinfo=UTC)
ENDS = STARTS + timedelta(days=7)


@pytest.fixture
def campaign(northwind: ServerHome) -> Iterator[Campaign]:
    """One that 12 people share, and have seen."""
    campaign = bulk_data.publish("c-news", starts=STARTS)
    with clock.using(lambda: STARTS + timedelta(days=1)):
        for person in bulk_data.add_people(12):
            assert _see(person.pk) == "stored"
    yield campaign
    ledger.path().unlink()
    ledger.LedgerState.objects.all().delete()


def _see(person: UUID) -> str:
    caller = Caller(0, person, "northwind", "", "", 0, 60)
    receipt = uuid4()
    decide(caller, Decision(receipt, "seen", "given", 3, clock.now(), "en", "0.1.0"))
    (result,) = record(caller, [Event("seen", uuid4(), "c-news", STARTS.date(), receipt)])
    return result.status


def test_closing_leaves_counts_only(campaign: Campaign) -> None:
    with clock.using(lambda: ENDS + CLOSES_AFTER):
        before = report(campaign)
        assert close(campaign)
        assert not close(campaign)
    campaign = Campaign.objects.get()
    assert campaign.closed_at == ENDS + CLOSES_AFTER
    assert (report(campaign).figures, report(campaign).closed) == (before.figures, True)
    assert before.figures[0].people
    for model in (Signal, CampaignKey, Block):
        assert not model._default_manager.exists()
    assert list(ledger.read())[-1][1] == ledger.Fact("campaign-closed", "northwind", campaign="c-news")


def test_what_comes_after_the_closing_is_refused_and_leaves_nothing(campaign: Campaign) -> None:
    close(campaign)
    assert _see(bulk_data.company().people.all()[0].pk) == "refused"
    assert not Signal.objects.exists()


def test_campaigns_close_within_thirty_days_of_their_end(campaign: Campaign) -> None:
    with clock.using(lambda: ENDS + CLOSES_AFTER - timedelta(seconds=1)):
        assert _counts(dry_run=False)["close-campaigns"] == 0
    with clock.using(lambda: ENDS + CLOSES_AFTER):
        assert _counts(dry_run=True)["close-campaigns"] == 1
        assert Signal.objects.exists()
        assert _counts(dry_run=False)["close-campaigns"] == 1
    assert not Signal.objects.exists()
    assert timedelta(days=1) + CLOSES_AFTER <= LONGEST_OPEN


def test_used_invitations_and_revoked_computers_go(northwind: ServerHome) -> None:
    used, fresh, expired = bulk_data.add_people(3)
    for person in (used, fresh, expired):
        invite(person, timedelta(days=1))
    Invitation.objects.filter(person=used).update(used_at=clock.now() - timedelta(minutes=11))
    Invitation.objects.filter(person=expired).update(expires_at=clock.now())
    bulk_data.add_computers([used, fresh])
    Device.objects.filter(person=used).update(revoked_at=clock.now())
    counts = _counts(dry_run=False)
    assert (counts["delete-invitations"], counts["delete-revoked-computers"]) == (2, 1)
    assert [row.person for row in (*Invitation.objects.all(), *Device.objects.all())] == [fresh, fresh]


def test_files_that_no_campaign_names_go_after_a_day(northwind: ServerHome) -> None:
    named = bulk_data.add_media(b"named", "image/png")
    folder = files.path_of("northwind", "0" * 64).parent
    folder.mkdir(parents=True, exist_ok=True)
    old, young = folder / ("0" * 64), folder / ("0" * 63 + "1")
    for orphan in (old, young):
        orphan.write_bytes(b"orphan")
    two_days_ago = clock.now().timestamp() - 2 * 24 * 3600
    for path in (old, files.path_of("northwind", named.sha256)):
        os.utime(path, (two_days_ago, two_days_ago))
    assert _counts(dry_run=False)["delete-orphan-media"] >= 1
    assert (old.exists(), young.exists()) == (False, True)
    assert files.path_of("northwind", named.sha256).exists()
    young.unlink()


def test_documents_that_would_expire_are_signed_afresh(northwind: ServerHome) -> None:
    soon = clock.now() + timedelta(days=50)
    Company.objects.update(document_expires=soon)
    assert _counts(dry_run=True)["renew-documents"] == 1
    assert _counts(dry_run=False)["renew-documents"] == 1
    assert bulk_data.company().document_expires != soon


@pytest.mark.expected_logs("close-campaigns failed")
def test_a_job_that_fails_is_told_and_stops_no_other(
    campaign: Campaign, capsys: pytest.CaptureFixture[str]
) -> None:
    close(campaign)  # the ledger has a line now, and is then made unusable
    bulk_data.publish("c-other", starts=STARTS)
    Invitation.objects.all().delete()
    invite(bulk_data.company().people.all()[0], timedelta(0))
    whole = ledger.path().read_bytes()
    ledger.path().write_bytes(b"{}\n")
    assert run_command("housekeeping") == 1
    ledger.path().write_bytes(whole)
    printed = capsys.readouterr()
    assert "delete-invitations\t1\n" in printed.out
    assert "close-campaigns failed: The erasure ledger is damaged." in printed.err


def test_each_retention_that_ends_by_itself_has_its_job() -> None:
    assert {job.retention for job in JOBS} - {None} == {
        Retention.CAMPAIGN,
        Retention.INVITATION,
        Retention.ENROLMENT,
        Retention.SESSION,
        Retention.ATTEMPT,
        Retention.DRAFT,
        Retention.TRIAL,
        Retention.MAIL,
    }


def test_a_server_keeps_house_by_itself(campaign: Campaign, northwind: ServerHome) -> None:
    with pytest.MonkeyPatch.context() as patched:
        for name, value in northwind.variables().items():
            patched.setenv(name, value)
        with daily.housekeeping(first_after_s=0.0):
            until(lambda: not Signal.objects.exists(), "the campaign to close")


def _counts(*, dry_run: bool) -> dict[str, int]:
    outcomes = housekeeping(dry_run=dry_run)
    assert [outcome for outcome in outcomes if outcome.fault] == []
    return {outcome.job: outcome.count for outcome in outcomes}
