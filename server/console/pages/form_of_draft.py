"""What the form of a draft sends, and the change that it means. Each value is kept as it was typed, right or wrong."""

import base64
import binascii
import copy
import re
import uuid
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime

from django.db.models import Q
from django.http import QueryDict
from django.utils.translation import gettext as _

from server.accounts.models import Account
from server.campaigns.manifest import MAX_LINKS, MAX_VARIANTS
from server.campaigns.manifest_tables import Mistake, suggestion
from server.campaigns.models import Campaign
from server.campaigns.scopes import Scope
from server.console.pages.media_of_draft import Chosen, line, media_in
from server.console.times import in_zone, local_moment
from server.core import time_zones
from server.core.clock import utc_text
from server.directory.addresses import canonical
from server.directory.models import Company, Group, Person
from server.drafts.fields import Fields, new_variant
from server.drafts.models import Draft
from server.drafts.writing import Change
from server.publishing.publish import LONGEST_REASON

LANGUAGE = re.compile("[A-Za-z]{2,3}(-[A-Za-z0-9]{2,8}){0,3}")
MOST_OF_LANGUAGE = 11
MOST_OF_BODIES, MOST_OF_LINE = 200_000, 2_000
"""Characters that a draft keeps, the first of all its languages together: more than can be published, so that somebody can
paste a text and shorten it."""
MOST_CHIPS = 200
"""More people have no control each: a form has 1,000 fields at most."""


@dataclass(frozen=True)
class Sent:
    """What came: the change, and what could not be taken, with the place in the form."""

    change: Change
    mistakes: list[Mistake]
    language: str
    """Which variant the form showed; a new one where the person asked for it."""


def read(
    draft: Draft, posted: QueryDict, account: Account, files: Mapping[str, Chosen] | None = None
) -> Sent:
    """The change that the form means. What it does not show stays as it is. `files`: those that came in it, of `account`.

    Nobody whom the account may not address comes into the audience. Who is in it already stays until somebody takes them out.

    A language that somebody else took away meanwhile comes again: what was typed in it is no other one's text.
    Raises `Draft.DoesNotExist` when the draft is gone or published meanwhile, and a file came.
    """
    company, scope, mistakes = draft.company, account.scope, list[Mistake]()
    fields: Fields = copy.deepcopy(draft.fields)
    others = (variant for name, variant in fields["variants"].items() if name != posted.get("language", ""))
    posted = _storable(posted, MOST_OF_BODIES - sum(len(variant["body"]) for variant in others), mistakes)
    language = posted.get("language", "")
    if language not in fields["variants"] and not (
        is_language(language) and len(fields["variants"]) < MAX_VARIANTS
    ):
        language = fields["default_language"]
    sender = account if files is not None else None
    fields["variants"][language] = _variant(posted) | media_in(draft, posted, files or {}, mistakes, sender)
    fields["sender"] = line(posted, "sender")
    urgency = posted.get("urgency", "")
    fields["urgency"] = urgency if urgency in Campaign.Urgency.values else Campaign.Urgency.NORMAL.value
    fields["acknowledge"] = "acknowledge" in posted
    for key in ("starts", "ends"):
        fields[key] = _moment(company, posted.get(key, ""), fields[key], key, mistakes)
    if (chosen := posted.get("default_language", "")) in fields["variants"]:
        fields["default_language"] = chosen
    language = _languages(fields, posted, language, mistakes)
    change = Change(
        fields,
        _reason(posted, mistakes),
        posted.get("audience") == "everyone",
        _groups(draft, posted, mistakes, scope),
        _people(draft, posted, mistakes, scope),
        _groups(draft, posted, mistakes, scope, "except-"),
    )
    if change.everyone and not draft.to_everyone and scope.groups is not None:
        what = _("you are bound to groups, and cannot address everybody")
        mistakes.append(Mistake("audience", what, _("choose some of your groups")))
        change = replace(change, everyone=False)
    return Sent(change, mistakes, language)


def shown_moment(company: Company, text: str) -> str:
    """A time of a draft as the form's control wants it; the text itself where it is none."""
    try:
        return in_zone(datetime.fromisoformat(text), company).strftime("%Y-%m-%dT%H:%M")
    except ValueError:
        return text


def is_language(text: str) -> bool:
    """Whether it looks like a language code."""
    return len(text) <= MOST_OF_LANGUAGE and LANGUAGE.fullmatch(text) is not None


def _storable(posted: QueryDict, most_of_body: int, mistakes: list[Mistake]) -> QueryDict:
    """Without NUL, which nobody types and PostgreSQL does not take, and without the end of a text that nobody can publish."""
    found = posted.copy()
    for key in found:
        found.setlist(key, [value.replace("\0", "") for value in found.getlist(key)])
        most = max(0, most_of_body) if key == "body" else MOST_OF_LINE
        text = found.get(key, "")
        if key != "people" and len(text) > most:
            what = _("only the first {most} characters were kept").format(most=most)
            mistakes.append(Mistake(key, what, _("write it shorter")))
            found[key] = text[:most]
    return found


def _reason(posted: QueryDict, mistakes: list[Mistake]) -> str:
    reason = posted.get("reason", "").strip()
    if len(reason) > LONGEST_REASON:
        what = _("only the first {most} characters were kept").format(most=LONGEST_REASON)
        mistakes.append(Mistake("reason", what, _("write it shorter")))
    return reason[:LONGEST_REASON]


def _variant(posted: QueryDict) -> Fields:
    links = []
    for number in range(1, MAX_LINKS + 1):
        label, url = line(posted, f"label{number}"), posted.get(f"url{number}", "").strip()
        if label or url:
            links.append({"id": line(posted, f"link{number}") or f"l{number}", "label": label, "url": url})
    return new_variant() | {
        "title": line(posted, "title"),
        "body": posted.get("body", "").replace("\r\n", "\n").strip(),
        "links": links,
    }


def _moment(company: Company, text: str, before: str, key: str, mistakes: list[Mistake]) -> str:
    """The time in UTC. One that the form showed stays as it was `before`, also in the second of two hours alike."""
    text = text.strip()
    if not text or text == shown_moment(company, before):
        return before if text else ""
    try:
        moment = local_moment(text, company)
    except time_zones.Skipped:
        what = _("“{value}” does not exist: clocks are put forward then").format(value=text)
        mistakes.append(Mistake(key, what, _("write a time an hour earlier or later")))
        return ""
    if moment is None:
        mistakes.append(
            Mistake(key, _("“{value}” is no time").format(value=text), _("write it as 2026-11-30 09:00"))
        )
        return ""
    return utc_text(moment)


def _languages(fields: Fields, posted: QueryDict, language: str, mistakes: list[Mistake]) -> str:
    """Add or remove a variant. Answers which one is to be shown."""
    variants, act = fields["variants"], posted.get("go", "")
    if act.startswith("language:") and act.partition(":")[2] in variants:
        return act.partition(":")[2]
    if act == "remove-language" and len(variants) > 1:
        del variants[language]
        if fields["default_language"] == language:
            fields["default_language"] = next(iter(variants))
        return str(fields["default_language"])
    wanted = line(posted, "new-language")
    if act != "add-language" and not wanted:
        return language
    if not is_language(wanted):
        mistakes.append(
            Mistake("new-language", _("this is no language code"), _("write it as “en” or “fr-CA”"))
        )
        return language
    if len(variants) >= MAX_VARIANTS:
        mistakes.append(
            Mistake(
                "new-language",
                _("there must be 1 to {most}").format(most=MAX_VARIANTS),
                _("add or remove some"),
            )
        )
        return language
    # The links stay the same things in every language, so that each is one figure.
    links = [dict(link) for link in variants[language]["links"]]
    same = {
        key: value | {"alt": ""} for key, value in variants[language].items() if key in ("image", "video")
    }
    variants.setdefault(wanted, new_variant() | {"links": links} | same)
    return wanted


def _groups(
    draft: Draft, posted: QueryDict, mistakes: list[Mistake], scope: Scope, kind: str = ""
) -> list[Group]:
    """Those that get it; of the `kind` “except-”, those that do not."""
    company, control = draft.company, f"add-{kind}group"
    before: set[int] = set()
    if draft.pk:  # else it has no rows that could be asked for
        rows = draft.excluded_groups if kind else draft.audience_groups
        before = set(rows.values_list("pk", flat=True))
    numbers = [value for value in posted.getlist(f"{kind}group") if value.isdecimal() and len(value) < 19]
    found = company.groups.filter(pk__in=numbers)
    kept = {group for group in found if group.pk in before or scope.has_group(group.pk)}
    if name := line(posted, control):
        known = {group.name.casefold(): group for group in company.groups.all() if scope.has_group(group.pk)}
        if group := known.get(name.casefold()):
            kept.add(group)
        else:
            mistakes.append(
                Mistake(
                    control,
                    _("“{value}” is not known").format(value=name),
                    suggestion(name, [group.name for group in known.values()])
                    if known
                    else _("there are no groups yet"),
                )
            )
    return sorted(kept, key=lambda group: group.name)


def people_as_value(people: Sequence[Person]) -> str:
    """Many people as one value of the form, 22 characters each."""
    return base64.urlsafe_b64encode(b"".join(person.pk.bytes for person in people)).decode()


def _unpacked(text: str) -> list[uuid.UUID]:
    """Nobody, where it is no such value."""
    try:
        found = base64.b64decode(text, b"-_", validate=True)
    except (binascii.Error, ValueError):
        return []
    size = len(uuid.UUID(int=0).bytes)
    return [uuid.UUID(bytes=found[n : n + size]) for n in range(0, len(found) - size + 1, size)]


def _people(draft: Draft, posted: QueryDict, mistakes: list[Mistake], scope: Scope) -> list[Person]:
    company = draft.company
    given = posted.getlist("person") + ([wanted] if (wanted := line(posted, "add-person")) else [])
    emails = [canonical(email) for email in given]
    named = Q(email__in=emails) | Q(pk__in=_unpacked(posted.get("people", "")))
    people = company.people.filter(named)
    kept = {person.email: person for person in scope.people(people)}
    if draft.pk and scope.groups is not None:
        kept |= {person.email: person for person in draft.audience_people.filter(named)}
    if wanted and canonical(wanted) not in kept:
        mistakes.append(
            Mistake(
                "add-person",
                _("“{value}” is not known").format(value=wanted),
                _("check the spelling, or ask an administrator to bring the person in"),
            )
        )
    if (unwanted := line(posted, "drop-person")) and not kept.pop(canonical(unwanted), None):
        what = _("“{value}” is not among them").format(value=unwanted)
        mistakes.append(Mistake("drop-person", what, _("check the spelling")))
    return [kept[email] for email in sorted(kept)]
