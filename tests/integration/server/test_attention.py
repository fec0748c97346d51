"""What campaigns cost people's attention in a week is told, as planned, and kept to as the company wants it."""

import json
import re
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from django.core.cache import cache, caches
from django.db import connection
from django.test import Client, override_settings
from django.test.utils import CaptureQueriesContext

from server.access.roles import Role
from server.accounts.models import Account
from server.attention.planned import Spread, planned, read_ahead
from server.audit.models import Entry
from server.campaigns.models import Campaign
from server.console import reading_ahead
from server.core import clock
from server.core.errors import Refused
from server.directory.models import Company, Group
from server.drafts.fields import new_fields
from server.drafts.models import Draft
from server.drafts.writing import Change, begin, change
from server.publishing.recall import recall
from tests.support.server import bulk_data
from tests.support.server.campaign_server import ServerHome
from tests.support.server.console import account_of, client_of, console_settings
from tests.support.server.drafting import PAINTER
from tests.support.server.run_command import run_command

MONDAY = datetime(2026, 11, 30, 9, tzinfo=UTC)
WEEK = timedelta(days=7)
FILE = """\
id = "c-{name}"
sender = "Internal news"
urgency = "{urgency}"
starts = {starts}
default_language = "en"
audience = {{ groups = ["{group}"] }}
variants = {{ en = {{ title = "The studio opens" }} }}
"""


@pytest.fixture
def console(northwind: ServerHome) -> Iterator[ServerHome]:
    """Twenty people in Lyon, of whom six are also in Paris, and three in a group of their own. It is Sunday."""
    with (
        console_settings(),
        override_settings(RENDER_COMMAND=PAINTER),
        clock.using(lambda: MONDAY - timedelta(days=1)),
    ):
        caches["previews"].clear()
        lyon = bulk_data.add_people(20, "Lyon")
        paris = Group.objects.create(company=bulk_data.company(), name="Paris")
        paris.people.add(*lyon[:6])
        bulk_data.add_people(3, "Board")
        yield northwind
        Company.objects.update(popups_per_week=3, over_budget="note")
        cache.clear()
        Draft.objects.all().delete()
        Account.objects.all().delete()


@pytest.fixture
def ada(console: ServerHome) -> Account:
    return account_of("ada@northwind.example", Role.ADMINISTRATOR)


def text_of(browser: Client, where: str) -> str:
    return " ".join(re.sub(r"</?time[^>]*>", "", browser.get(where).content.decode()).split())


def a_draft(account: Account, group: str, starts: datetime = MONDAY) -> Draft:
    draft = begin(account, "en")
    fields = new_fields("en") | {"sender": "News", "starts": f"{starts:%Y-%m-%dT%H:%M:%SZ}"}
    fields["variants"]["en"]["title"] = "The studio opens"
    groups = [Group.objects.get(name=group)]
    return change(draft, account, draft.revision, Change(fields, "", groups=groups))


def a_file(folder: Path, group: str, name: str = "news", urgency: str = "normal") -> Path:
    file = folder / f"{name}.toml"
    file.write_text(FILE.format(name=name, group=group, urgency=urgency, starts="2026-11-30T09:00:00Z"))
    return file


def published_three_times() -> None:
    bulk_data.publish("c-all", starts=MONDAY)
    bulk_data.publish("c-lyon", starts=MONDAY + timedelta(days=6), groups=["Lyon"])
    bulk_data.publish("c-both", starts=MONDAY, groups=["Lyon", "Paris"], people=[_person(0), _person(20)])


def _person(number: int):  # type: ignore[no-untyped-def]
    return bulk_data.company().people.get(email=f"p{number}@northwind.example")


@pytest.mark.both_databases
def test_a_week_counts_each_person_once_for_each_campaign_that_comes_by_itself(console: ServerHome) -> None:
    published_three_times()
    for name, urgency, starts in (("c-silent", "silent", MONDAY), ("c-next", "normal", MONDAY + WEEK)):
        bulk_data.publish(name, starts=starts, groups=["Lyon"])
        Campaign.objects.filter(campaign_id=name).update(urgency=urgency)
    bulk_data.publish("c-back", starts=MONDAY, groups=["Paris"])
    recall(bulk_data.company(), "c-back", "test")
    lyon, paris, board = (Group.objects.get(name=name).pk for name in ("Lyon", "Paris", "Board"))
    this, following = planned(bulk_data.company(), [MONDAY.date(), (MONDAY + WEEK).date()])
    assert dict(this.of_everybody().counts) == {3: 20, 1: 3}, "who is named is not counted"
    assert (this.of_group(lyon).busiest, this.of_group(lyon).median) == (3, 3)
    assert (this.of_group(paris).busiest, this.of_group(paris).median) == (3, None), "a half is under five"
    assert this.of_group(board).busiest is None, "no figure is about three people"
    assert (following.of_group(lyon).busiest, following.of_group(board).busiest) == (1, None)
    Group.objects.get(pk=paris).people.remove(_person(0))
    bulk_data.company().feeds_changed()
    (after,) = planned(bulk_data.company(), [MONDAY.date()])
    assert after.of_group(paris).people == 5, "who left is noticed"


def test_people_are_counted_before_a_publication_and_not_while_others_wait(console: ServerHome) -> None:
    company = bulk_data.company()
    company.feeds_changed()
    read_ahead(bulk_data.company())
    company.feeds_changed()
    with CaptureQueriesContext(connection) as made:
        planned(bulk_data.company(), [MONDAY.date()])
    counting = '"directory_person_groups"."group_id"'
    assert not [query for query in made.captured_queries if counting in query["sql"]]
    bulk_data.add_people(1, "Lyon")
    company.feeds_changed()
    with CaptureQueriesContext(connection) as made:
        planned(bulk_data.company(), [MONDAY.date()])
    assert [query for query in made.captured_queries if counting in query["sql"]]


def test_no_more_is_read_ahead_than_stays_in_memory(console: ServerHome) -> None:
    others = Company.objects.bulk_create(Company(pk=f"zz-{number}", name="Z") for number in range(20))
    try:
        reading_ahead.read_ahead().join()
        with CaptureQueriesContext(connection) as made:
            planned(bulk_data.company(), [MONDAY.date()])
    finally:
        Company.objects.filter(pk__in=[other.pk for other in others]).delete()
    assert made.captured_queries
    assert not [
        query for query in made.captured_queries if '"directory_person_groups"."group_id"' in query["sql"]
    ]


def test_a_publication_has_its_own_week_counted_again_and_no_other(console: ServerHome) -> None:
    published_three_times()
    mondays = [MONDAY.date(), (MONDAY + WEEK).date()]
    this, following = planned(bulk_data.company(), mondays)
    bulk_data.publish("c-next", starts=MONDAY + WEEK, excluded=["Paris"])
    bulk_data.company().feeds_changed()
    assert planned(bulk_data.company(), mondays[:1]) == [this]
    again, changed = planned(bulk_data.company(), mondays)
    assert again is this
    assert changed is not following
    assert dict(changed.of_everybody().counts) == {0: 6, 1: 17}
    recall(bulk_data.company(), "c-next", "test")
    assert dict(planned(bulk_data.company(), mondays)[1].of_everybody().counts) == {0: 23}


def test_what_starts_in_the_past_costs_the_week_in_which_it_comes(ada: Account, tmp_path: Path) -> None:
    run_command("company", "budget", "1", "--over", "refuse")
    with clock.using(lambda: MONDAY + timedelta(hours=1)):
        bulk_data.publish("c-lyon", starts=MONDAY, groups=["Lyon"])
        file = a_file(tmp_path, "Lyon")
        for started in ("2026-11-22", "2026-11-15"):
            file.write_text(file.read_text().replace("2026-11-30T", f"{started}T"))
            with pytest.raises(Refused, match="beyond the attention budget"):
                run_command("campaign", "publish", file)
        bulk_data.publish("c-late", starts=MONDAY - 2 * WEEK, lasts=3 * WEEK, groups=["Lyon"])
        (this,) = planned(bulk_data.company(), [MONDAY.date()])
        assert this.of_group(Group.objects.get(name="Lyon").pk).busiest == 2


def test_no_figure_tells_what_a_named_person_gets(ada: Account, tmp_path: Path) -> None:
    """Four of five are lifted by name; the fifth is in the Board, which gets more."""
    member = Group.objects.get(name="Board").people.all()[0]
    for number in range(3):
        bulk_data.publish(f"c-board-{number}", starts=MONDAY, groups=["Board"])
        bulk_data.publish(f"c-four-{number}", starts=MONDAY, people=[_person(one) for one in range(4)])
    file = a_file(tmp_path, "Lyon")
    text = file.read_text()
    run_command("company", "budget", "1", "--over", "refuse")
    for fifth in (member.email, "p9@northwind.example"):
        named = ", ".join(f'"{one}"' for one in [*(f"p{one}@northwind.example" for one in range(4)), fifth])
        file.write_text(text.replace('groups = ["Lyon"]', f"people = [{named}]"))
        assert run_command("campaign", "publish", "--dry-run", file) == 0
        draft = begin(ada, "en")
        fields = new_fields("en") | {"sender": "News", "starts": f"{MONDAY:%Y-%m-%dT%H:%M:%SZ}"}
        fields["variants"]["en"]["title"] = "The studio opens"
        people = [*(_person(one) for one in range(4)), bulk_data.company().people.get(email=fifth)]
        change(draft, ada, draft.revision, Change(fields, "", people=people))
        assert "no figure: too few people" in text_of(client_of(ada), f"/drafts/{draft.draft_id}/check")


def test_no_figure_tells_who_is_in_a_group_that_is_small_or_not_seen(ada: Account) -> None:
    """Four of the five of a team are lifted above the fifth, who is in a hidden group, or is not."""
    company = bulk_data.company()
    team, four, plan, board = (
        Group.objects.get_or_create(company=company, name=name)[0]
        for name in ("Team", "Team without its head", "Plan", "Board")
    )
    team.people.add(*map(_person, range(5)))
    four.people.add(*map(_person, range(4)))
    plan.people.add(*map(_person, range(8, 14)))
    bulk_data.publish("c-all", starts=MONDAY)
    for number in range(3):
        bulk_data.publish(f"c-plan-{number}", starts=MONDAY, groups=["Plan"])
        bulk_data.publish(f"c-board-{number}", starts=MONDAY, groups=["Board"])
        bulk_data.publish(f"c-four-{number}", starts=MONDAY, groups=["Team without its head"])
    lea = account_of("lea@northwind.example", Role.COMMUNICATOR)
    lea.is_bound = True
    lea.save()
    lea.bound_groups.add(team, four)
    draft = a_draft(lea, "Team")
    for account, hidden in ((lea, plan), (ada, board)):
        for is_in in (False, True):
            (hidden.people.add if is_in else hidden.people.remove)(_person(4))
            bulk_data.company().feeds_changed()
            browser = client_of(account)
            for where, figure in (
                (f"/drafts/{draft.draft_id}/check", "2 pop-ups of 3"),
                ("/calendar?week=2026-12-02", "1 pop-up of 3"),
            ):
                assert re.search(rf"Team <b[^>]*>{figure}", text_of(browser, where)), (where, is_in)


def test_many_by_name_are_held_to_the_figure_of_everybody(ada: Account, tmp_path: Path) -> None:
    bulk_data.add_people(40, "Nice")
    bulk_data.publish("c-all", starts=MONDAY)
    run_command("company", "budget", "1", "--over", "refuse")
    named = ", ".join(f'"{one.email}"' for one in bulk_data.company().people.all()[:51])
    file = a_file(tmp_path, "Lyon")
    file.write_text(file.read_text().replace('groups = ["Lyon"]', f"people = [{named}]"))
    with pytest.raises(Refused, match="beyond the attention budget"):
        run_command("campaign", "publish", file)


@pytest.mark.both_databases
def test_the_busiest_tenth_is_never_about_fewer_than_five(console: ServerHome) -> None:
    assert Spread(20, {9: 4, 1: 16}, 5).busiest == 1
    assert Spread(20, {9: 5, 1: 15}, 5).busiest == 9
    assert Spread(200, {9: 19, 1: 181}, 5).busiest == 1


def test_the_check_tells_what_it_costs_and_when_there_is_room(ada: Account) -> None:
    published_three_times()
    bulk_data.publish("c-next", starts=MONDAY + WEEK, groups=["Lyon"])
    browser, draft = client_of(ada), a_draft(ada, "Lyon")
    page = text_of(browser, f"/drafts/{draft.draft_id}/check")
    assert 'Lyon <b class="pill warn">4 pop-ups of 3</b>' in page
    assert "the busiest tenth of Lyon would get 4 pop-ups with this one" in page
    assert "First day with room: Mon 7 Dec" in page
    assert "Publish to 20 people" in page, "it is a note"
    assert "no figure: too few people" in text_of(browser, f"/drafts/{a_draft(ada, 'Board').draft_id}/check")
    sent = dict(re.findall(r'name="(seal|people)" value="([^"]*)"', page))
    answer = browser.post(f"/drafts/{draft.draft_id}/publish", sent)
    assert answer.status_code == 302
    detail = json.loads(Entry.objects.filter(action="publish").order_by("-number")[0].detail)
    assert (detail["popups"], detail["budget"]) == (4, 3)


def test_beyond_it_the_company_may_want_a_second_person_or_none_at_all(
    ada: Account, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(Refused, match="Nobody could approve"):
        run_command("company", "budget", "--over", "second-person")
    account_of("noor@northwind.example", Role.APPROVER)
    run_command("company", "budget", "--over", "second-person")
    published_three_times()
    draft = a_draft(ada, "Lyon")
    where = f"/drafts/{draft.draft_id}/check"
    assert "beyond the attention budget, so somebody else has to approve it" in text_of(client_of(ada), where)
    run_command("campaign", "publish", "--dry-run", a_file(tmp_path, "Lyon"))
    run_command("campaign", "publish", a_file(tmp_path, "Lyon"))
    told = capsys.readouterr()
    assert "would wait for a second person" in told.out
    assert "It waits for a second person" in told.out
    assert "4 pop-ups" in told.err
    run_command("company", "budget", "--over", "refuse")
    page = text_of(client_of(ada), where)
    assert "publishes nothing beyond the attention budget" in page
    assert "Submit for" not in page
    with pytest.raises(Refused, match="beyond the attention budget"):
        run_command("campaign", "publish", a_file(tmp_path, "Lyon"), "--without-second-person", "Now")
    assert Campaign.objects.count() == 3
    run_command("campaign", "publish", a_file(tmp_path, "Board"))
    run_command("campaign", "publish", a_file(tmp_path, "Lyon", "fire", "emergency"), "--reason", "A fire")
    assert "would get 4 pop-ups" in capsys.readouterr().err, "an emergency is never held up, and is told"


def test_the_budget_is_set_by_an_administrator_and_on_record(ada: Account) -> None:
    browser = client_of(ada)
    assert browser.post("/calendar/budget", {"popups": "0", "over": "note"}).status_code == 422
    assert browser.post("/calendar/budget", {"popups": "5", "over": "refuse"}).status_code == 302
    assert 'value="5"' in text_of(browser, "/calendar/budget")
    entry = Entry.objects.filter(action="set-budget").order_by("-number")[0]
    assert entry.actor == ada.actor
    assert json.loads(entry.detail) == {
        "popups": 5,
        "over": "refuse",
        "popups_before": 3,
        "over_before": "note",
    }
    lea = account_of("lea@northwind.example", Role.COMMUNICATOR)
    assert client_of(lea).post("/calendar/budget", {"popups": "9", "over": "note"}).status_code == 403


def test_the_calendar_shows_a_week_its_campaigns_and_its_budget(ada: Account) -> None:
    Company.objects.update(popups_per_week=2)
    published_three_times()
    bulk_data.publish("c-next", starts=MONDAY + WEEK, groups=["Board"])
    browser = client_of(ada)
    page = text_of(browser, "/calendar?week=2026-12-02")
    assert "Mon 30 Nov to Sun 6 Dec" in page
    assert [name in page for name in ("c-all", "c-lyon", "c-both", "c-next")] == [True, True, True, False]
    assert 'Lyon <b class="pill warn">3 pop-ups of 2</b>' in page
    assert "<li>Board" not in page
    board = Group.objects.get(name="Board").pk
    page = text_of(browser, f"/calendar?week=2026-12-02&group={board}")
    assert [name in page for name in ("c-all", "c-lyon", "c-both")] == [True, False, False]
    assert "c-next" in text_of(browser, f"/calendar?week=2026-12-07&group={board}")
    assert "Week of" in text_of(browser, "/calendar?week=9999-99-99&group=x&page=y")
    assert 'hx-get="/calendar/attention"' in text_of(browser, "/")
    today = text_of(browser, "/calendar/attention")
    assert 'Lyon <b class="pill warn">3 pop-ups of 2</b>' in today
    for where in ("/", "/calendar/attention", "/calendar?week=2026-12-02"):
        bulk_data.company().feeds_changed()
        with CaptureQueriesContext(connection) as queries:
            assert browser.get(where).status_code == 200
        assert len(queries) <= 12, (
            where,
            [re.sub(r"SELECT .*? FROM", "SELECT FROM", query["sql"])[:110] for query in queries],
        )
