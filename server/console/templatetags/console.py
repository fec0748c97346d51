"""Tags and filters of the console's templates."""

from collections.abc import Mapping
from datetime import date, datetime

from django import template
from django.conf.locale import LANG_INFO
from django.forms import BoundField
from django.utils.formats import date_format, number_format
from django.utils.functional import Promise
from django.utils.html import format_html
from django.utils.safestring import SafeString, mark_safe
from django.utils.text import capfirst
from django.utils.timezone import localtime
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from server.access.roles import Right
from server.accounts.models import Account
from server.campaigns.reach import Reach
from server.console import assets, words
from server.console.times import day_text, moment_text
from server.core.clock import utc_text
from server.media.checks import MEGABYTE

register = template.Library()

MOST_NAMES = 3
PASSKEY_FAULT = "passkey-fault"
"""Where a session notes it: an address that says it could be sent to anybody."""


@register.simple_tag
def asset(name: str) -> str:
    """The address of a static file."""
    return assets.addresses()[name]


@register.simple_tag(takes_context=True)
def passkey_fault(context: template.RequestContext) -> str:
    """Why a passkey was not taken on the page before; told once."""
    found: str = context["request"].session.pop(PASSKEY_FAULT, "")
    return found


@register.filter
def number(value: int) -> str:
    """With the separators of the language: 1,240."""
    return number_format(value, use_l10n=True, force_grouping=True)


@register.filter
def moment(value: datetime) -> SafeString:
    """A day and a time, with the year where it is not this one, and the zone."""
    return format_html('<time datetime="{}">{}</time>', utc_text(value), moment_text(value))


@register.filter
def day(value: date) -> SafeString:
    """A day of the calendar, with the year where it is not this one."""
    return format_html('<time datetime="{}">{}</time>', value.isoformat(), day_text(value))


@register.filter
def long_day(value: datetime) -> str:
    """The day of the week and of the month."""
    # Translators: a day with its name, as Django's date formats write it.
    return date_format(localtime(value), _("l j F"))


@register.filter
def may(account: Account, right: str) -> bool:
    """Whether the person has a right, named as in `server.access.roles`."""
    return Right(right) in account.rights


@register.filter
def state_word(state: str) -> Promise | str:
    """What a campaign's state is called."""
    return words.STATES[state]


@register.filter
def urgency_word(urgency: str) -> Promise | str:
    """What a campaign's urgency is called."""
    return words.URGENCIES[urgency]


@register.filter
def address(email: str) -> SafeString:
    """An e-mail address that breaks before its host rather than within it, where there is no room."""
    name, at, host = email.partition("@")
    return format_html("{}<wbr>{}{}", name, at, host)


@register.filter
def platform_word(name: str) -> Promise | str:
    """What a computer's system is called."""
    return words.PLATFORMS[name]


@register.filter
def look_word(name: str) -> Promise | str:
    """What a window or a colour scheme is called."""
    return words.LOOKS[name]


@register.filter
def language_word(code: str) -> str:
    """What a language calls itself; its code where Django does not know it."""
    first = code.partition("-")[0].lower()
    name = LANG_INFO.get(code.lower(), LANG_INFO.get(first, {})).get("name_local", code)
    return (
        name.capitalize() if code.lower() in LANG_INFO or "-" not in code else f"{name.capitalize()} ({code})"
    )


@register.filter
def told(reach: Reach) -> str:
    """For how many people an audience is."""
    return words.reach_words(reach)


@register.filter
def lasting(milliseconds: int) -> str:
    """A length as players show it: 2:05."""
    minutes, seconds = divmod(round((milliseconds or 0) / 1000), 60)
    return f"{minutes}:{seconds:02}"


@register.filter
def percent(share: float) -> int:
    """Of a share of 1."""
    return int(100 * share)


@register.filter
def megabytes(size: int) -> str:
    """A size in megabytes, with one decimal place where it is small."""
    return _("{size} MB").format(
        size=f"{max(size / MEGABYTE, 0.1):.1f}" if size < 10 * MEGABYTE else size // MEGABYTE
    )


@register.filter
def get(values: Mapping[str, str], key: str) -> str:
    """The value of a key with a hyphen in it; empty where there is none."""
    return values.get(key, "")


@register.filter
def role_word(role: str) -> Promise | str:
    """What a role is called."""
    return words.ROLES[role]


@register.filter
def act_word(action: str) -> Promise | str:
    """What an act of the audit log is called."""
    return words.ACTIONS.get(action, action)


@register.filter
def month_name(value: date) -> str:
    """A month with its year."""
    # Translators: a month, as Django's date formats write it.
    return capfirst(date_format(value, _("F Y")))


@register.filter
def role_words(roles: list[str]) -> str:
    """What the roles are called, one after the other."""
    return ", ".join(str(words.ROLES.get(role, role)) for role in roles)


@register.filter
def shortened(names: list[str]) -> str:
    """The first names, and how many more there are."""
    more = len(names) - MOST_NAMES
    first = ", ".join(names[:MOST_NAMES])
    if more <= 0:
        return first
    return ngettext("{names} and {more} more", "{names} and {more} more", more).format(names=first, more=more)


@register.filter
def described(field: BoundField) -> SafeString:
    """A field's control, with what is said about it, for those who do not see it."""
    name = field.id_for_label
    about = [f"{name}_fault{n}" for n in range(len(field.errors))]
    if field.help_text:
        about.append(f"{name}_help")
    field.field.widget.attrs.pop("placeholder", None)  # the label says it
    return field.as_widget(attrs={"aria-describedby": " ".join(about)} if about else None)


@register.filter
def drawing(svg: str) -> SafeString:
    """A picture that a library drew here, from its `<svg>` on. Nothing in it comes from people."""
    return mark_safe(svg[svg.index("<svg") :])
