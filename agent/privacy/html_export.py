"""A person's copy of their data as one page to read: nothing is loaded, nothing runs, all text is escaped.

GDPR article 12(1): concise, intelligible, in plain language. Light or dark, as the reader's system prefers; prints.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Sequence
from datetime import datetime
from html import escape
from typing import Any

from agent.domain.labels import DETAILS, KINDS, REGIONS, SIGNALS, STATUSES
from agent.domain.model import SignalChoice
from agent.domain.my_data_models import ACKNOWLEDGEMENT, DetailValue, Held, KeptReceipt, SentItem
from resources import i18n
from resources.i18n import _, ngettext

_STYLE = """
:root { color-scheme: light dark; --paper: #fff; --ink: #1b2430; --soft: #566273; --line: #d5dbe3; --head: #f2f5f8;
 --accent: #0f766e }
@media (prefers-color-scheme: dark) { :root { --paper: #14191f; --ink: #e8edf3; --soft: #a3afbd; --line: #38424e;
 --head: #1d242c; --accent: #5eead4 } }
body { background: var(--paper); color: var(--ink); font: 16px/1.5 system-ui, sans-serif; margin: 0 auto;
 max-width: 62rem; padding: 2rem 1.25rem 4rem }
h1 { font-size: 1.75rem; margin: 0 0 .25rem } h2 { font-size: 1.2rem; margin: 2.5rem 0 .5rem }
p { margin: .25rem 0 .75rem } .soft { color: var(--soft) }
.scroll { overflow-x: auto } table { border-collapse: collapse; width: 100% }
th, td { border-bottom: 1px solid var(--line); padding: .4rem .75rem .4rem 0; text-align: start; vertical-align: top }
thead th { background: var(--head); font-weight: 600; padding-inline-start: .5rem }
td, tbody th { padding-inline-start: .5rem; overflow-wrap: anywhere } tbody th { font-weight: 600; width: 14rem }
pre { font: 13px/1.45 ui-monospace, monospace; margin: 0; white-space: pre-wrap; overflow-wrap: anywhere }
summary { color: var(--accent); cursor: pointer } nav a { color: var(--accent); margin-inline-end: 1rem }
@media print { body { max-width: none; padding: 0 } nav { display: none } tr { break-inside: avoid } }
"""


def render(
    held: Held,
    sent: Sequence[SentItem],
    receipts: Sequence[KeptReceipt],
    choices: Sequence[SignalChoice],
    now: datetime,
) -> str:
    """The page, in the language in use."""
    sections = [
        ("details", _("My details"), _details(held)),
        ("choices", _("What I share from this computer"), _choices(choices)),
        ("held", _("What the company holds about what I shared"), _signals(held)),
        ("consents", _("What I agreed to"), _consents(held)),
        ("sent", _("What this computer sent about me"), _sent(sent)),
        ("receipts", _("Receipts on this computer"), _receipts(receipts)),
        ("computers", _("My computers"), _computers(held)),
        ("announcements", _("Announcements addressed to me"), _campaigns(held)),
        *((f"other-{name}", name, _rows(rows)) for name, rows in held.other.items() if rows),
    ]
    title = _("My data")
    links = "".join(f'<a href="#{escape(name)}">{escape(text)}</a>' for name, text, _body in sections)
    body = "".join(
        f'<section aria-labelledby="{escape(name)}"><h2 id="{escape(name)}">{escape(text)}</h2>{inner}</section>'
        for name, text, inner in sections
    )
    return (
        f'<!DOCTYPE html>\n<html lang="{escape(i18n.language())}">\n<head>\n<meta charset="utf-8">\n'
        '<meta name="viewport" content="width=device-width, initial-scale=1">\n'
        "<meta http-equiv=\"Content-Security-Policy\" content=\"default-src 'none'; style-src 'unsafe-inline'\">\n"
        f"<title>{escape(title)} · {escape(held.controller.name)}</title>\n<style>{_STYLE}</style>\n</head>\n<body>\n"
        f"<header><h1>{escape(title)}</h1>{_introduction(held, now)}</header>\n"
        f'<nav aria-label="{escape(_("Contents"))}">{links}</nav>\n<main>{body}</main>\n</body>\n</html>\n'
    )


def _introduction(held: Held, now: datetime) -> str:
    who = held.controller
    made = _("A copy of {moment}, as the General Data Protection Regulation provides (articles 15 and 20).")
    answers = _(
        "{company} answers for this data; it is stored in: {region}. Data protection officer: {name}, {email}."
    )
    return (
        f'<p class="soft">{escape(made.format(moment=_time(now)))}</p><p>'
        + escape(
            answers.format(
                company=who.name, region=REGIONS[who.region](), name=who.dpo_name, email=who.dpo_email
            )
        )
        + "</p>"
    )


def _details(held: Held) -> str:
    rows = []
    for detail in held.details:
        owner = _("your company's directory") if detail.owner == "directory" else _("you")
        waits = _value(detail.requested) if detail.requested is not None else ""
        rows.append((DETAILS[detail.field](), _value(detail.value), owner, waits))
    if held.groups:
        rows.append((_("Groups"), ", ".join(held.groups), _("your company's directory"), ""))
    return _table((_("Detail"), _("Value"), _("Who may change it"), _("Correction asked for")), rows)


def _choices(choices: Sequence[SignalChoice]) -> str:
    rows = [
        (
            SIGNALS[choice.signal](),
            _("on") if choice.on else _("off"),
            _("turned off by your organisation") if choice.locked else "",
        )
        for choice in choices
    ]
    return _table((_("Switch"), _("State"), _("Note")), rows)


def _signals(held: Held) -> str:
    titles = {campaign.campaign_id: campaign.title for campaign in held.campaigns}
    rows = []
    for read in held.acknowledgements:
        title = titles.get(read.campaign_id) or read.campaign_id
        rows.append((_time(read.time), KINDS[ACKNOWLEDGEMENT](), title, "", read.event_id))
    for signal in held.signals:
        what = signal.link_id or (
            "" if signal.value is None else _("liked") if signal.value else _("taken back")
        )
        rows.append(
            (
                signal.date,
                SIGNALS[signal.signal](),
                titles.get(signal.campaign_id) or signal.campaign_id,
                what,
                signal.event_id,
            )
        )
    return _table((_("Date"), _("What"), _("Announcement"), _("Content"), _("Number")), rows)


def _consents(held: Held) -> str:
    rows = [
        (
            _time(consent.time),
            KINDS[consent.status](),
            SIGNALS[consent.signal](),
            str(consent.notice_version),
            consent.language,
            consent.receipt_id,
        )
        for consent in held.consents
    ]
    heads = (_("When"), _("What"), _("Switch"), _("Notice version"), _("Language"), _("Receipt"))
    return _table(heads, rows)


def _in_quotes(words: str) -> str:
    return _("“{words}”").format(words=words) if words else ""


def _sent(sent: Sequence[SentItem]) -> str:
    if not sent:
        return _nothing()
    heads = (_("When"), _("What"), _("Announcement"), _("Server"), _("Exact content"))
    rows = []
    for item in sent:
        cells = (
            _time(item.sent_at) if item.sent_at else "",
            KINDS[item.kind](),
            item.title or item.campaign_id,
            " · ".join(filter(None, (STATUSES[item.status](), _in_quotes(item.reason)))),
        )
        opened = "".join(
            f"<p class=soft>{escape(label)}</p><pre>{escape(content.decode(errors='backslashreplace'))}</pre>"
            for label, content in ((_("Sent"), item.body), (_("Answer"), item.answer))
            if content is not None
        )
        size = ngettext("{count} byte", "{count} bytes", len(item.body)).format(count=len(item.body))
        rows.append(
            _row(cells) + f"<td><details><summary>{escape(size)}</summary>{opened}</details></td></tr>"
        )
    return _framed(heads, rows)


def _receipts(receipts: Sequence[KeptReceipt]) -> str:
    rows = [
        (
            _time(kept.received),
            KINDS[kept.status](),
            SIGNALS[kept.signal](),
            str(kept.erased),
            kept.receipt_id,
            kept.document,
        )
        for kept in receipts
    ]
    heads = (_("When"), _("What"), _("Switch"), _("Rows deleted"), _("Receipt"), _("Signed document"))
    return _table(heads, rows)


def _computers(held: Held) -> str:
    rows = [
        (
            computer.platform + (" · " + _("this computer") if computer.this else ""),
            computer.agent_version,
            _time(computer.enrolled),
            _time(computer.revoked) if computer.revoked else "",
        )
        for computer in held.computers
    ]
    return _table((_("System"), _("Version of Tidings"), _("Connected"), _("Disconnected")), rows)


def _campaigns(held: Held) -> str:
    through = {"everyone": _("everyone"), "group": _("a group"), "person": _("you personally")}
    rows = [(each.title, through[each.addressed], each.campaign_id) for each in held.campaigns]
    return _table((_("Announcement"), _("Addressed to"), _("Number")), rows)


def _rows(rows: Iterable[Any]) -> str:
    """A table whose columns nobody foresaw: one line for each field."""
    lines = [(str(name), _plain(value)) for row in rows for name, value in row.items()]
    return _table((_("Field"), _("Value")), lines)


def _table(heads: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    return _framed(heads, [_row(row) + "</tr>" for row in rows]) if rows else _nothing()


def _framed(heads: Sequence[str], rows: Sequence[str]) -> str:
    head = "".join(f'<th scope="col">{escape(text)}</th>' for text in heads)
    return f'<div class="scroll"><table><thead><tr>{head}</tr></thead><tbody>{"".join(rows)}</tbody></table></div>'


def _row(cells: Sequence[str]) -> str:
    first, *rest = cells
    return f'<tr><th scope="row">{escape(first)}</th>' + "".join(f"<td>{escape(cell)}</td>" for cell in rest)


def _nothing() -> str:
    return f'<p class="soft">{escape(_("Nothing."))}</p>'


def _time(moment: datetime) -> str:
    return moment.astimezone().strftime("%Y-%m-%d %H:%M %Z")


def _value(value: DetailValue) -> str:
    return value if isinstance(value, str) else ", ".join(value)


def _plain(value: object) -> str:
    return value if isinstance(value, str) else json.dumps(value, ensure_ascii=False, default=str)
