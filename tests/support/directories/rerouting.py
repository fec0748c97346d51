"""Sends what clients ask of the vendors' real hosts to a loopback port, so that the real addresses stay in what is tested."""

import contextlib
import os
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit, urlunsplit

import requests
from requests.adapters import HTTPAdapter

VARIABLE = "TIDINGS_TESTS_REROUTED"


class RerouteAdapter(HTTPAdapter):
    """For a session: `session.mount("https://graph.microsoft.com/", RerouteAdapter(port))`."""

    def __init__(self, port: int) -> None:
        self._port = port
        super().__init__()

    def send(self, request: requests.PreparedRequest, *args: Any, **kwargs: Any) -> requests.Response:
        """Asks the port; the answer names the address that was asked for."""
        asked = str(request.url)
        to = urlsplit(asked)
        request.headers["Host"] = to.netloc
        request.url = urlunsplit(("http", f"127.0.0.1:{self._port}", to.path, to.query, ""))
        try:
            answer = super().send(request, *args, **kwargs | {"proxies": None, "verify": False, "cert": None})
        finally:
            request.url = asked
        answer.url = asked
        return answer


@dataclass
class Strayed(HTTPAdapter):
    """Takes what must not leave the machine, and fails it. `addresses` are scheme and host of each."""

    addresses: list[str] = field(default_factory=list)

    def send(self, request: requests.PreparedRequest, *args: Any, **kwargs: Any) -> requests.Response:
        """Fails as a host does that is not there."""
        address = urlsplit(str(request.url))
        self.addresses.append(f"{address.scheme}://{address.netloc}")
        raise requests.ConnectionError(f"nothing but a directory may be asked: {self.addresses[-1]}")

    def close(self) -> None:
        """Nothing is open."""


@contextlib.contextmanager
def rerouted(ports: Mapping[str, int]) -> Iterator[Strayed]:
    """Reroutes https to these hosts in every session of this process, and fails whatever else `requests` is asked for.

    Loopback addresses stay what they are.
    """
    adapters = {f"https://{host}": RerouteAdapter(port) for host, port in ports.items()}
    strayed = Strayed()
    usual = requests.Session.get_adapter

    def get_adapter(session: requests.Session, url: str) -> Any:
        address = urlsplit(url)
        if address.hostname in ("127.0.0.1", "localhost"):
            return usual(session, url)
        return adapters.get(f"{address.scheme}://{address.netloc}", strayed)

    requests.Session.get_adapter = get_adapter  # type: ignore[method-assign, assignment]
    try:
        yield strayed
    finally:
        requests.Session.get_adapter = usual  # type: ignore[method-assign]
        for adapter in adapters.values():
            adapter.close()


def environment(ports: Mapping[str, int]) -> dict[str, str]:
    """Variables for a process that is to be rerouted like this one, with all that it starts."""
    folders = [str(Path(__file__).with_name("at_start")), *filter(None, [os.environ.get("PYTHONPATH")])]
    pairs = ",".join(f"{host}={port}" for host, port in ports.items())
    return {"PYTHONPATH": os.pathsep.join(folders), VARIABLE: pairs}
