"""Mail says that something waits, and no more; it is sent once, by a process of its own, from an outbox that survives."""

import json
import re
import socket
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from email.message import EmailMessage
from pathlib import Path

import pytest
from django.core.cache import cache
from django.test import override_settings

from server.access.roles import Role
from server.accounts.invitations import link_of
from server.accounts.models import Account, SignInLink
from server.audit.models import Entry
from server.core import clock
from server.core.errors import EnvironmentFault, Refused
from server.devices.enrolment import enrol
from server.devices.models import Invitation
from server.directory.models import Company
from server.drafts.approval import approve, give_back, submit
from server.drafts.fields import new_fields
from server.drafts.models import Draft
from server.drafts.publication import seal_of
from server.drafts.writing import Change, begin, change
from server.erasure.erasure import erase
from server.erasure.requests import ask
from server.health.alerts import tell_administrators
from server.health.findings import findings
from server.mail import outbox
from server.mail.inviting import invite_by_mail
from server.mail.models import ConsoleMail, InvitationMail
from server.mail.outbox import LONGEST
from server.mail.sending import MOST_AN_HOUR, Sent, send_due
from server.mail.transport import backend
from tests.support.agent.certificates import Authority
from tests.support.ports import free_port
from tests.support.server import bulk_data
from tests.support.server.campaign_server import ServerHome
from tests.support.server.commands import tidings_server
from tests.support.server.console import account_of, client_of, code, console_settings, link_in, secret_of
from tests.support.server.mail_sink import PASSWORD, USER, Sink, mail_sink
from tests.support.waiting import until

CONSOLE = "https://console.example"
SENDER = "no-reply@mail.example"
NOT_NOW = pytest.mark.expected_logs("Mail cannot be sent now", "refused for good")
HEADERS = {
    "Content-Type",
    "MIME-Version",
    "Content-Transfer-Encoding",
    "Subject",
    "From",
    "To",
    "Date",
    "Message-ID",
    "Auto-Submitted",
    "X-Auto-Response-Suppress",
}


class Time:
    """A clock that a test moves."""

    def __init__(self) -> None:
        self.now = datetime.now(UTC)

    def pass_by(self, **time: float) -> None:
        """Let time go by."""
        self.now += timedelta(**time)


@pytest.fixture
def time() -> Iterator[Time]:
    moved = Time()
    with clock.using(lambda: moved.now):
        yield moved


@pytest.fixture
def sink() -> Iterator[Sink]:
    with mail_sink(free_port()) as running:
        yield running


@contextmanager
def mailing(url: str, **settings: object) -> Iterator[None]:
    with override_settings(MAIL=url, MAIL_FROM=SENDER, **settings):
        yield


@pytest.fixture
def company(northwind: ServerHome, time: Time, sink: Sink) -> Iterator[Company]:
    """Northwind, whose campaigns need a second person, with mail to the sink."""
    with console_settings(), mailing(f"smtp-unencrypted://127.0.0.1:{sink.port}", CONSOLE=CONSOLE):
        bulk_data.add_people(2)
        Company.objects.update(second_person_from=1)
        yield bulk_data.company()
        Company.objects.update(second_person_from=None)
        cache.clear()
        Draft.objects.all().delete()
        Account.objects.all().delete()
        outbox.flag().unlink(missing_ok=True)
        outbox.later().unlink(missing_ok=True)


def draft_of(account: Account) -> Draft:
    fields = new_fields("en") | {"sender": "Internal news"}
    fields["variants"]["en"]["title"] = "A takeover"
    draft = begin(account, "en")
    return change(draft, account, draft.revision, Change(fields, "", everyone=True))


def fresh(draft: Draft) -> Draft:
    return Draft.objects.get(pk=draft.pk)


def text_of(mail: EmailMessage) -> str:
    return str(mail.get_content()).replace("\r\n", "\n")


def given_in(mail: EmailMessage, company: Company) -> str:
    """The code in an invitation."""
    lines = text_of(mail).splitlines()
    return lines[lines.index(company.server_url) + 1]


def sent() -> Sent:
    return send_due(CONSOLE)


def told_of_mail() -> str:
    (found,) = [one for one in findings() if one.name == "Mail"]
    assert found.state == "warning"
    return found.message


def test_who_has_to_act_is_sent_a_link_and_no_word_about_what(
    company: Company, sink: Sink, time: Time
) -> None:
    lea = account_of("lea@northwind.example", Role.COMMUNICATOR)
    noor = account_of("noor@northwind.example", Role.APPROVER)
    away = account_of("away@northwind.example", Role.APPROVER)
    assert "wanted" in client_of(away).get("/account").content.decode()
    client_of(away).post("/account/mail", {})
    draft = draft_of(lea)
    path = f"drafts/{draft.draft_id}/check"
    submit(draft, lea, seal_of(draft))
    assert outbox.is_flag_due()
    assert sent() == Sent(sent=1)
    (mail,) = sink.taken
    assert sink.recipients == [noor.email]
    assert set(mail.keys()) == HEADERS
    assert mail["Auto-Submitted"] == "auto-generated"
    assert re.fullmatch(r"<[0-9a-f]{32}@mail\.example>", mail["Message-ID"])
    assert sink.greetings == ["mail.example"]
    whole = mail.as_string() + text_of(mail)
    assert f"{CONSOLE}/{path}\n" in text_of(mail)
    assert "Something waits for you" in whole
    assert "Quelque chose vous attend" in whole
    assert not [word for word in ("takeover", "Northwind", "lea@", socket.gethostname()) if word in whole]
    assert client_of(noor).get(f"/{path}").status_code == 200
    # The author is told that it came back, and that it is published, in a language they chose.
    Account.objects.filter(pk=lea.pk).update(language="fr")
    give_back(draft, noor, seal_of(fresh(draft)), "Say more about a secret")
    assert sent() == Sent(sent=1)
    assert "Something" not in text_of(sink.taken[1])
    submit(fresh(draft), lea, seal_of(fresh(draft)))
    approve(fresh(draft), noor, seal_of(fresh(draft)), 99)
    # Whom it waits for no more is not told.
    assert sent() == Sent(sent=1)
    assert sink.recipients[1:] == [lea.email] * 2
    assert f"{CONSOLE}/campaigns\n" in text_of(sink.taken[2])
    assert sent() == Sent()
    assert not outbox.flag().exists()
    assert not outbox.later().exists()


@pytest.mark.both_databases
def test_everybody_is_invited_by_mail_with_codes_that_are_nowhere_before(
    company: Company, sink: Sink, time: Time
) -> None:
    ada = account_of("ada@northwind.example", Role.ADMINISTRATOR)
    browser = client_of(ada)
    browser.post("/account/confirm", {"code": code(secret_of(ada))})
    words = {"days": "7", "go": "mail"}
    assert "2 invitations are being sent" in browser.post("/people/invitations/new", words).content.decode()
    assert browser.post("/people/invitations/new", words).status_code == 409
    assert not Invitation.objects.exists()
    assert Entry.objects.order_by("-number")[0].detail == '{"by":"mail","days":7,"people":2}'
    assert sent() == Sent(sent=2)
    assert sorted(sink.recipients) == ["p0@northwind.example", "p1@northwind.example"]
    time.pass_by(hours=2)
    assert invite_by_mail(company, 7, "test") == 2
    assert sent() == Sent(sent=2)
    assert Invitation.objects.count() == 2, "the code of the last mail works, and no other"
    for mail, address in zip(sink.taken[2:], sink.recipients[2:], strict=True):
        assert enrol(given_in(mail, company), "linux", "1.0").person.email == address
    # They are connected: a third mail would be of no use.
    with pytest.raises(Refused, match="Nobody to invite"):
        invite_by_mail(company, 7, "test")


def test_an_account_is_let_in_by_a_link_of_a_mail(company: Company, sink: Sink) -> None:
    words = ("console", "invite", "noor@northwind.example", "--role", "approver", "--mail")
    done = tidings_server(*words, "--company", "northwind")
    assert (done.returncode, done.stdout) == (0, "It is being sent by e-mail.\n")
    assert sent() == Sent(sent=1)
    link = link_in(text_of(sink.taken[0]))
    found = link_of(link.rpartition("/")[2])
    assert found
    assert found.account.email == "noor@northwind.example"
    with override_settings(MAIL=""):
        done = tidings_server(
            "console", "reset", "noor@northwind.example", "--mail", "--company", "northwind"
        )
    assert done.returncode == 1
    assert "sends no mail" in done.stderr


@pytest.mark.both_databases
@NOT_NOW
def test_what_is_not_taken_is_tried_again_within_limits(company: Company, sink: Sink, time: Time) -> None:
    accounts = [account_of(f"{name}@northwind.example", Role.DPO) for name in ("now", "never", "later")]
    sink.answers = {"never@northwind.example": "550 no such user", "later@northwind.example": "451 not now"}
    outbox.notify(accounts, "erasures")
    invite_by_mail(company, 7, "test")
    sink.answers["p0@northwind.example"] = "550 no such user"
    assert sent() == Sent(sent=2, failed=2, waiting=1)
    assert sent().sent == 0
    assert Invitation.objects.get().person.email == "p1@northwind.example"
    before = given_in(sink.taken[-1], company)
    assert outbox.undelivered(company) == ["p0@northwind.example"]
    assert not outbox.is_flag_due()
    assert "2 mails of the last week" in told_of_mail()
    with override_settings(CONSOLE=""):
        assert "http://127.0.0.1:8410, which is of this machine alone" in told_of_mail()
    del sink.answers["later@northwind.example"]
    time.pass_by(minutes=1)
    assert outbox.is_flag_due()
    assert sent() == Sent(sent=1)
    sink.after_data = "451 try again"
    outbox.notify(accounts[:1], "today")
    for _four_hours in range(14):
        last = sent()
        time.pass_by(hours=4)
    assert last == Sent()
    assert ConsoleMail.objects.get(path="today").failure == ConsoleMail.Failure.TOO_OLD
    assert ConsoleMail.objects.get(path="today").tries > LONGEST / timedelta(hours=4)
    assert invite_by_mail(company, 7, "test") == 2
    assert sent().sent == 0
    assert enrol(before, "linux", "1.0"), "a code of an earlier mail works until the next mail is on its way"
    time.pass_by(days=7)
    assert outbox.delete_old(dry_run=False) == 6
    assert not ConsoleMail.objects.exists()
    assert not InvitationMail.objects.exists()


@NOT_NOW
def test_a_mail_server_that_is_away_is_asked_less_and_less_and_costs_nobody_a_code(
    company: Company, sink: Sink, time: Time
) -> None:
    invite_by_mail(company, 7, "test")
    with mailing(f"smtp-unencrypted://127.0.0.1:{free_port()}"):
        for minutes in (1, 2, 4, 8, 16, 32, 60, 60):
            assert sent() == Sent(waiting=2)
            time.pass_by(minutes=minutes, seconds=-1)
            assert not outbox.is_flag_due()
            time.pass_by(seconds=1)
            assert outbox.is_flag_due()
    assert not Invitation.objects.exists()
    assert sent() == Sent(sent=2)


def test_what_is_queued_in_the_moment_in_which_the_next_look_is_put_down_is_due(
    company: Company, time: Time
) -> None:
    class Late(datetime):
        """Somebody queues something while it is written down."""

        def timestamp(self) -> float:
            outbox.set_flag()
            return super().timestamp()

    for settle in (
        lambda: outbox.settle_flag(Late(2100, 1, 1, tzinfo=UTC)),
        lambda: queued_while(lambda: outbox.put_off(is_first=True)),
    ):
        outbox.take_flag()
        assert not outbox.is_flag_due()
        settle()
        assert outbox.is_flag_due()


def queued_while(work: Callable[[], None]) -> None:
    """Do it; something is queued when it asks for the time."""
    moment = clock.now()

    def now() -> datetime:
        with clock.using(lambda: moment):
            outbox.set_flag()
        return moment

    with clock.using(now):
        work()


@NOT_NOW
def test_what_waited_for_too_long_is_never_sent_and_a_link_that_was_refused_ends(
    company: Company, sink: Sink, time: Time
) -> None:
    account = account_of("noor@northwind.example", Role.APPROVER)
    Account.objects.filter(pk=account.pk).update(password="!")
    sink.answers = {account.email: "550 no such user"}
    outbox.notify([account], "", ConsoleMail.Kind.SIGN_IN)
    assert sent() == Sent(failed=1)
    assert not SignInLink.objects.exists()
    outbox.notify([account], "drafts")
    invite_by_mail(company, 7, "test")
    with mailing(f"smtp-unencrypted://127.0.0.1:{free_port()}"):
        assert sent() == Sent(waiting=3)
    with override_settings(MAIL=""):
        time.pass_by(days=2, minutes=1)
        assert outbox.delete_old(dry_run=False) == 0
        assert len(outbox.undelivered(company)) == 2
        time.pass_by(days=6)
        assert outbox.delete_old(dry_run=False) == 4
    outbox.notify([account], "drafts")
    time.pass_by(days=2, minutes=1)
    assert sent() == Sent(failed=1)
    assert not sink.taken


@pytest.mark.both_databases
def test_one_account_is_sent_few_mails_and_the_rest_later(company: Company, sink: Sink, time: Time) -> None:
    noor = account_of("noor@northwind.example", Role.APPROVER)
    for number in range(MOST_AN_HOUR + 3):
        outbox.notify([noor], f"page/{number}")
        outbox.notify([noor], f"page/{number}")
    assert sent() == Sent(sent=MOST_AN_HOUR, waiting=3)
    time.pass_by(minutes=59)
    assert sent().sent == 0
    time.pass_by(minutes=1)
    assert sent() == Sent(sent=3)
    tell_administrators(["a job"])
    assert not sent().sent  # no administrator among them
    ada = account_of("ada@northwind.example", Role.ADMINISTRATOR)
    ines = account_of("ines@northwind.example", Role.DPO)
    for _day in range(2):
        tell_administrators(["a job"])
    ask(ada, list(company.people.values_list("pk", flat=True)))
    assert sent() == Sent(sent=2)
    assert set(sink.recipients[-2:]) == {ada.email, ines.email}


def test_drafts_to_approve_become_one_mail_and_hold_up_nothing_else(
    company: Company, sink: Sink, time: Time
) -> None:
    lea = account_of("lea@northwind.example", Role.COMMUNICATOR)
    account_of("ada@northwind.example", Role.ADMINISTRATOR)
    for number in range(MOST_AN_HOUR + 2):
        draft = draft_of(lea)
        submit(draft, lea, seal_of(draft))
        assert sent().sent == (number < MOST_AN_HOUR)
    ask(account_of("ines@northwind.example", Role.DPO), [company.people.all()[0].pk])
    assert sent() == Sent(sent=1, waiting=2)
    assert "/erasures/" in text_of(sink.taken[-1])
    assert tell_administrators(["a job"]) == 1
    assert sent() == Sent(sent=1, waiting=2)
    time.pass_by(hours=1)
    sink.answers["ada@northwind.example"] = "451 not now"
    assert sent().sent == 0
    assert ConsoleMail.objects.filter(outbox.waiting()).exclude(path="").count() == 2, "nothing was taken"
    del sink.answers["ada@northwind.example"]
    time.pass_by(minutes=5)
    assert sent() == Sent(sent=1), "both drafts in one"
    assert f"{CONSOLE}/\n" in text_of(sink.taken[-1])


def test_a_draft_that_is_deleted_or_changed_while_it_waits_is_taken_back(
    company: Company, sink: Sink
) -> None:
    lea = account_of("lea@northwind.example", Role.COMMUNICATOR)
    eve = account_of("eve@northwind.example", Role.COMMUNICATOR)
    account_of("noor@northwind.example", Role.APPROVER)
    deleted, changed = draft_of(lea), draft_of(lea)
    for draft in (deleted, changed):
        submit(draft, lea, seal_of(draft))
    client_of(eve).post(f"/drafts/{deleted.draft_id}/delete", {"revision": fresh(deleted).revision})
    change(changed, eve, fresh(changed).revision, Change(changed.fields, "", everyone=False))
    entries = Entry.objects.order_by("-number")[:2]
    assert {entry.action for entry in entries} == {"take-back-campaign"}
    assert {json.loads(entry.detail)["draft"] for entry in entries} == {deleted.draft_id, changed.draft_id}
    assert sent() == Sent()


@NOT_NOW
@pytest.mark.parametrize(
    "wrong", ["no STARTTLS", "a stranger's certificate", "silence", "nobody", "password"]
)
def test_mail_waits_where_the_server_is_not_the_right_one(
    company: Company, sink: Sink, time: Time, tmp_path: Path, wrong: str
) -> None:
    """Nothing is said in the clear, nothing hangs, and nothing is lost."""
    outbox.notify([account_of("noor@northwind.example", Role.APPROVER)], "drafts")
    own, stranger = Authority(tmp_path, "own"), Authority(tmp_path, "stranger")
    file = tmp_path / "password"
    file.write_text("another\n" if wrong == "password" else f"{PASSWORD}\n")
    safe = {"MAIL_AUTHORITIES": str(own.certificate), "MAIL_PASSWORD_FILE": str(file), "MAIL_TIMEOUT_S": 0.3}
    issuer = stranger if wrong == "a stranger's certificate" else own
    with (
        socket.create_server(("127.0.0.1", 0)) as silent,
        mail_sink(free_port(), issuer.issue()) as secured,
    ):
        ports = {"no STARTTLS": sink.port, "silence": silent.getsockname()[1], "nobody": free_port()}
        port = ports.get(wrong, secured.port)
        with mailing(f"smtp://{USER}@127.0.0.1:{port}", **safe):
            assert sent() == Sent(waiting=1)
        assert secured.logins == ([(USER, "another")] if wrong == "password" else [])
        assert not sink.taken + secured.taken
    file.write_text(f"{PASSWORD}\n")
    with mail_sink(free_port(), own.issue()) as secured:
        time.pass_by(minutes=1)
        with mailing(f"smtp://{USER}@127.0.0.1:{secured.port}", **safe | {"MAIL_TIMEOUT_S": 15}):
            assert sent() == Sent(sent=1)
        assert secured.logins == [(USER, PASSWORD)]


@NOT_NOW
def test_no_address_adds_a_header_or_a_recipient(company: Company, sink: Sink, time: Time) -> None:
    bulk_data.add_people(2)
    people = list(company.people.all())
    bad = (
        "a@b.example\r\nBcc: c@d.example",
        "a@b.example, c@d.example",
        "=?utf-8?q?ceo?=@northwind.example",
        "=?a?q?=0AX=3A1?=@northwind.example",
    )
    for person, person.email in zip(people, bad, strict=True):
        person.save()
    invite_by_mail(company, 7, "test")
    assert sent().sent == 0
    assert not Invitation.objects.exists()
    assert not sink.recipients
    assert len(outbox.undelivered(company)) == 4
    outbox.delete_old(dry_run=False)
    assert erase(company, [person.pk for person in people])["mail.InvitationMail"] == 4


@NOT_NOW
def test_what_is_done_in_one_company_is_still_told_in_another(company: Company, sink: Sink) -> None:
    elsewhere = Company.objects.create(id="elsewhere", name="E", legal_name="E", region="eu")
    here = account_of("ada@northwind.example", Role.ADMINISTRATOR)
    there = account_of("zoe@elsewhere.example", Role.ADMINISTRATOR, company=elsewhere.pk)
    outbox.notify([here, there], "notice/proposal")
    outbox.forget(company, "notice/proposal")
    assert sent().sent == 1
    assert list(sink.recipients) == [there.email]
    elsewhere.delete()


@pytest.mark.parametrize(
    "settings",
    [
        {"MAIL": "smtp-unencrypted://mail.example"},
        {"MAIL": "smtps://user:password@mail.example"},
        {"MAIL": "smtps://mail example"},
        {"MAIL": "smtps://mail.example:x"},
        {"MAIL": "mail.example"},
        {"MAIL": "file://folder"},
        {"MAIL_FROM": "Tidings <a@b.example>"},
        {"MAIL_FROM": "a@b.example\nBcc: c@d.example"},
        {"MAIL_AUTHORITIES": "/nowhere"},
        {"MAIL_PASSWORD_FILE": "/nowhere"},
        {"MAIL_PASSWORD": "pässword"},
    ],
)
def test_settings_that_cannot_be_used_are_refused_by_name(settings: dict[str, str]) -> None:
    whole = {"MAIL": "smtps://user@mail.example", "MAIL_FROM": SENDER} | settings
    (name,) = settings
    with override_settings(**whole), pytest.raises(EnvironmentFault, match=f"TIDINGS_{name}"):
        backend().open()


def test_the_server_sends_by_itself_what_was_left_over(tmp_path: Path) -> None:
    folder = tmp_path / "mails"
    home = ServerHome(tmp_path / "server")
    home.init()
    home.environment |= {
        "TIDINGS_MAIL": folder.as_uri(),
        "TIDINGS_MAIL_FROM": SENDER,
        "TIDINGS_CONSOLE": CONSOLE,
    }
    with home.opened(), console_settings(), mailing(folder.as_uri()):
        outbox.notify([account_of("noor@northwind.example", Role.APPROVER)], "drafts")
        outbox.flag().unlink()
        with home.running():
            until(lambda: ConsoleMail.objects.exclude(sent_at=None).exists(), "the mail to be sent")
    (mail,) = folder.iterdir()
    assert f"{CONSOLE}/drafts" in mail.read_text()
    assert mail.stat().st_mode & 0o077 == 0
