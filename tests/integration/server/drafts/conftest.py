"""A console with two people, and a communicator who writes."""

from collections.abc import Iterator

import pytest
from django.core.cache import cache, caches
from django.test import Client, override_settings

from server.access.roles import Role
from server.accounts.models import Account
from server.directory.models import Company
from server.drafts.models import Draft
from tests.support.server.campaign_server import ServerHome
from tests.support.server.console import account_of, client_of, console_settings
from tests.support.server.drafting import PAINTER, company


@pytest.fixture
def console(northwind: ServerHome) -> Iterator[ServerHome]:
    with console_settings(), override_settings(RENDER_COMMAND=PAINTER):
        Company.objects.update(time_zone="UTC")
        caches["previews"].clear()
        company().people.create(email="ines@northwind.example")
        company().people.create(email="omar@northwind.example")
        yield northwind
        cache.clear()
        Draft.objects.all().delete()
        Account.objects.all().delete()


@pytest.fixture
def lea(console: ServerHome) -> Account:
    return account_of("lea@northwind.example", Role.COMMUNICATOR)


@pytest.fixture
def browser(lea: Account) -> Client:
    return client_of(lea)
