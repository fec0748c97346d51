"""The desktop's proxy settings, as a real settings database has them, and a real proxy on the way."""

import os
import shutil
import socket
import subprocess
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from agent import doctor, proxies
from agent.model import Connection
from tests.support.agent_parts import MemoryKeychain, an_agent
from tests.support.agent_server import LoopbackServer
from tests.support.agent_watching import CODE
from tests.support.proxy import FaultyProxy, faulty_proxy
from tests.support.session_bus import SessionBus, own_user_only

Set = Callable[[str, str, str], None]


@pytest.fixture
def desktop(monkeypatch: pytest.MonkeyPatch) -> Iterator[Set]:
    """A GNOME session with a settings database of its own; gives how to set something there."""
    folder = Path(tempfile.mkdtemp(prefix="tp-"))
    for name in list(os.environ):
        if name.lower().endswith("_proxy"):
            monkeypatch.delenv(name)
    monkeypatch.setenv("XDG_CURRENT_DESKTOP", "GNOME")
    monkeypatch.setenv("XDG_CONFIG_HOME", str(folder / "config"))
    monkeypatch.setenv("XDG_RUNTIME_DIR", str(own_user_only(folder / "run")))
    bus = SessionBus(folder, dict(os.environ), ["ca.desrt.dconf.service"])
    monkeypatch.setenv("DBUS_SESSION_BUS_ADDRESS", bus.address)

    def set_value(schema: str, key: str, value: str) -> None:
        subprocess.run(["gsettings", "set", f"org.gnome.system.proxy{schema}", key, value], check=True)
        proxies.forget()

    set_value("", "ignore-hosts", "[]")
    try:
        yield set_value
    finally:
        bus.daemon.stop()
        proxies.forget()
        shutil.rmtree(folder)


@pytest.fixture
def proxy(server: LoopbackServer) -> Iterator[FaultyProxy]:
    with faulty_proxy(server.url) as running:
        yield running


def use_manually(desktop: Set, port: int) -> None:
    for schema in (".http", ".https"):
        desktop(schema, "host", "127.0.0.1")
        desktop(schema, "port", str(port))
    desktop("", "mode", "manual")


def port_of(proxy: FaultyProxy) -> int:
    return int(proxy.url.rpartition(":")[2])


def test_the_agent_goes_through_the_proxy_that_the_desktop_names(
    desktop: Set, server: LoopbackServer, proxy: FaultyProxy, tmp_path: Path
) -> None:
    use_manually(desktop, port_of(proxy))
    with an_agent(tmp_path) as agent:
        agent.runtime.enrol(server.url, CODE)
        agent.runtime.sync_once()
        assert agent.runtime.status().connection is Connection.CONNECTED
    assert [each.status for each in proxy.requests(f"GET {server.url}/")] == [200]


def test_an_automatic_configuration_file_decides_for_each_address(desktop: Set, tmp_path: Path) -> None:
    script = tmp_path / "proxy.pac"
    script.write_text(
        "function FindProxyForURL(url, host) {"
        ' return host == "news.example" ? "PROXY 127.0.0.1:3128; DIRECT" : "DIRECT"; }'
    )
    desktop("", "autoconfig-url", script.as_uri())
    desktop("", "mode", "auto")
    assert proxies.way_to("https://news.example") == proxies.Way("http://127.0.0.1:3128", "desktop")
    assert proxies.way_to("https://other.example") == proxies.Way("", "desktop")


def test_the_environment_wins_over_the_desktop(desktop: Set, monkeypatch: pytest.MonkeyPatch) -> None:
    use_manually(desktop, 9)
    monkeypatch.setenv("https_proxy", "http://name:secret@proxy.example:3128")
    monkeypatch.setenv("no_proxy", "inside.example")
    way = proxies.way_to("https://news.example")
    assert (way.origin, way.shown) == ("environment", "http://proxy.example:3128")
    assert proxies.way_to("https://inside.example").proxy == ""


def test_a_proxy_that_is_down_is_said_to_be_and_is_not_gone_around(
    desktop: Set, server: LoopbackServer, tmp_path: Path
) -> None:
    with socket.socket() as unused:
        unused.bind(("127.0.0.1", 0))
        use_manually(desktop, unused.getsockname()[1])
        with an_agent(tmp_path) as agent:
            with pytest.raises(proxies.ProxyUnreachable) as caught:
                agent.runtime.enrol(server.url, CODE)
            assert f"127.0.0.1:{unused.getsockname()[1]}" in caught.value.message
        assert server.requests == []


def test_doctor_says_which_proxy_is_used(desktop: Set, tmp_path: Path) -> None:
    use_manually(desktop, 3128)
    with an_agent(tmp_path) as agent:
        folders = agent.folders
    found = {check.name: check for check in doctor.examine(folders, secrets=MemoryKeychain())}
    assert found["proxy"].verdict == "ok"
    assert found["proxy"].result.startswith("http://127.0.0.1:3128, ")


def test_settings_that_cannot_be_read_are_said_to_be_unknown(
    desktop: Set, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setattr(proxies, "_ask", lambda _url: proxies.Way(origin="unknown"))
    with an_agent(tmp_path) as agent:
        folders = agent.folders
    found = {check.name: check for check in doctor.examine(folders, secrets=MemoryKeychain())}
    assert found["proxy"].verdict == "warning"
