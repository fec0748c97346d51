"""Browsers that sign in to the console, and what is typed at it."""

from django.test import Client

from tests.support.server import django_ready  # noqa: F401
from tests.support.server.console import (
    PASSWORD,
    client_of,
)

EMAIL = "lea@northwind.example"
BOTH = {"password": PASSWORD, "again": PASSWORD}


def is_in(client: Client) -> bool:
    """Whether the start page opens, as it does for those who are signed in with a second factor."""
    return client.get("/").status_code == 200


def begun(email: str = EMAIL) -> Client:
    """A browser in which the password was typed, and no code yet."""
    client = client_of()
    answer = client.post("/sign-in", {"login": email, "password": PASSWORD})
    assert answer.headers["Location"] == "/sign-in/second-step"
    return client


def type_wrong_passwords(email: str, network: str = "192.0.2.77") -> None:
    """As often as makes the console take no more of them for a while."""
    for wrong in range(5):
        words = {"login": email, "password": f"wrong password {wrong}"}
        client_of().post("/sign-in", words, REMOTE_ADDR=network)
