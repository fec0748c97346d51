"""The desktop's proxy settings, as a real settings database has them, and a real proxy on the way."""

import os
import shutil
import socket
import subprocess
import tempfile
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import closing
from pathlib import Path

import pytest

from agent.cli import doctor
from agent.domain import errors, limits
from agent.domain.model import ConnectionState
from agent.transport import proxies
from agent.transport.http_client import ApiClient
from tests.support.agent.parts import MemoryKeychain, an_agent
from tests.support.agent.scripted_server import LoopbackServer
from tests.support.agent.watching import CODE
from tests.support.desktop.session_bus import SessionBus, own_user_only
from tests.support.ports import free_port
from tests.support.proxy import FaultyProxy, faulty_proxy
from tests.support.slow_peer import answering_once, slow_peer
from tests.support.waiting import PATIENCE_S

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
        proxies.forget_dead()
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


def use_automatically(desktop: Set, folder: Path, answer: str) -> None:
    """By a configuration file (PAC) that answers so."""
    script = folder / "proxy.pac"
    script.write_text(f"function FindProxyForURL(url, host) {{ return {answer}; }}")
    desktop("", "autoconfig-url", script.as_uri())
    desktop("", "mode", "auto")


def proxy_check(folder: Path) -> doctor.Check:
    """What `doctor` says of the proxy."""
    with an_agent(folder) as agent:
        folders = agent.folders
    return next(check for check in doctor.examine(folders, secrets=MemoryKeychain()) if check.name == "proxy")


def port_of(proxy: FaultyProxy) -> int:
    return int(proxy.url.rpartition(":")[2])


def test_the_agent_goes_through_the_proxy_that_the_desktop_names(
    desktop: Set, server: LoopbackServer, proxy: FaultyProxy, tmp_path: Path
) -> None:
    use_manually(desktop, port_of(proxy))
    with an_agent(tmp_path) as agent:
        agent.runtime.enrol(server.url, CODE)
        agent.runtime.sync_once()
        assert agent.runtime.status().connection is ConnectionState.CONNECTED
    assert [each.status for each in proxy.requests(f"GET {server.url}/")] == [200]


def test_an_automatic_configuration_file_decides_for_each_address(desktop: Set, tmp_path: Path) -> None:
    use_automatically(desktop, tmp_path, 'host == "news.example" ? "PROXY 127.0.0.1:3128; DIRECT" : "DIRECT"')
    assert proxies.ways_to("https://news.example").proxies == ("http://127.0.0.1:3128", proxies.DIRECT)
    assert proxies.ways_to("https://other.example").proxies == (proxies.DIRECT,)


def test_the_environment_wins_over_the_desktop(desktop: Set, monkeypatch: pytest.MonkeyPatch) -> None:
    use_manually(desktop, 9)
    monkeypatch.setenv("https_proxy", "http://name:secret@proxy.example:3128")
    monkeypatch.setenv("no_proxy", "inside.example")
    ways = proxies.ways_to("https://news.example")
    assert (ways.origin, *map(proxies.shown, ways.proxies)) == ("environment", "http://proxy.example:3128")
    assert proxies.ways_to("https://inside.example").proxies == (proxies.DIRECT,)


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


@pytest.mark.expected_logs("proxy settings could not be read")
def test_a_configuration_file_that_never_ends_is_what_doctor_says_is_at_fault(
    desktop: Set, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setattr(limits, "PROXY_TIMEOUT_S", 1)
    use_automatically(desktop, tmp_path, "(function () { while (true); })()")
    check = proxy_check(tmp_path)
    assert check.verdict == "warning"
    assert "PAC" in check.result
    assert "install" not in check.result


def test_without_libproxy_doctor_advises_to_install_it(
    desktop: Set, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setattr(proxies.subprocesses, "ask", lambda *_words, **_limits: b'{"fault":"missing"}')
    check = proxy_check(tmp_path)
    assert check.verdict == "warning"
    assert "install libproxy" in check.result


# A list of ways


def test_the_next_proxy_of_a_list_is_tried_and_a_dead_one_is_remembered(
    desktop: Set, server: LoopbackServer, proxy: FaultyProxy, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    dead = free_port()
    use_automatically(
        desktop, tmp_path, f'"PROXY 127.0.0.1:{dead}; PROXY 127.0.0.1:{port_of(proxy)}; DIRECT"'
    )
    with an_agent(tmp_path) as agent:
        agent.runtime.enrol(server.url, CODE)
    assert [each.method for each in proxy.exchanges] == ["POST"]
    assert len(server.requests) == 1
    ways = proxies.ways_to(server.url)
    assert ways.in_order() == (
        f"http://127.0.0.1:{port_of(proxy)}",
        proxies.DIRECT,
        f"http://127.0.0.1:{dead}",
    )
    later = time.monotonic() + limits.PROXY_DEAD_S
    monkeypatch.setattr(time, "monotonic", lambda: later)
    assert ways.in_order() == ways.proxies


def test_where_no_proxy_of_a_list_answers_its_direct_way_is_taken(
    desktop: Set, server: LoopbackServer, tmp_path: Path
) -> None:
    use_automatically(desktop, tmp_path, f'"PROXY 127.0.0.1:{free_port()}; DIRECT"')
    with an_agent(tmp_path) as agent:
        agent.runtime.enrol(server.url, CODE)
    assert len(server.requests) == 1


@pytest.mark.parametrize(
    "refusal", [b"HTTP/1.1 407 Proxy Authentication Required\r\n\r\n", b"", b"nonsense\r\n\r\n"]
)
def test_a_proxy_that_refuses_or_breaks_off_makes_way_for_the_next(refusal: bytes) -> None:
    with answering_once(refusal) as refusing, answering_once(b"HTTP/1.1 200 OK\r\n\r\n") as last:
        client = ApiClient("https://news.example")
        client._ways = proxies.Ways((refusing.url, last.url), "desktop")
        with closing(client), pytest.raises(errors.ServerUnreachable):
            client.request("GET", "/")
        assert (refusing.asked, last.asked) == (1, 1)
    proxies.forget_dead()


def test_a_proxy_that_drips_is_tried_last_the_next_time(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(limits, "REQUEST_DEADLINE_S", 0.4)
    with (
        slow_peer(b"", b"HTTP/1.1 200 " + b"O" * 60_000) as dripping,
        closing(ApiClient("https://news.example")) as client,
    ):
        slow = f"http://127.0.0.1:{dripping.port}"
        client._ways = proxies.Ways((slow, proxies.DIRECT), "desktop")
        with pytest.raises(errors.ServerUnreachable):
            client.request("GET", "/")
        assert client._ways.in_order() == (proxies.DIRECT, slow)
    proxies.forget_dead()


def test_an_abort_says_nothing_of_a_proxy() -> None:
    with (
        slow_peer(b"", b"HTTP/1.1 200 " + b"O" * 60_000) as slow,
        closing(ApiClient("https://news.example")) as client,
    ):
        client._ways = proxies.Ways((f"http://127.0.0.1:{slow.port}", proxies.DIRECT), "desktop")
        aborting = threading.Thread(target=lambda: (slow.said.wait(PATIENCE_S), client.abort()))
        aborting.start()
        with pytest.raises(errors.Interrupted):
            client.request("GET", "/")
        aborting.join()
        assert client._ways.in_order() == client._ways.proxies


def test_doctor_names_the_whole_list(desktop: Set, tmp_path: Path) -> None:
    use_automatically(desktop, tmp_path, '"PROXY 127.0.0.1:9; PROXY 127.0.0.1:3128; DIRECT"')
    assert proxy_check(tmp_path).result.startswith(
        "http://127.0.0.1:9, then http://127.0.0.1:3128, then without a proxy, "
    )


# Variables that say only a part


def test_with_only_no_proxy_in_the_environment_the_desktops_proxy_is_used(
    desktop: Set, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    use_manually(desktop, 3128)
    monkeypatch.setenv("no_proxy", "localhost,inside.example")
    assert proxies.ways_to("https://news.example").proxies == ("http://127.0.0.1:3128",)
    assert proxies.ways_to("https://inside.example").origin == "exempt"
    assert "http://127.0.0.1:3128" in proxy_check(tmp_path).result


def test_a_variable_for_another_kind_of_address_leaves_the_desktops_proxy_on(
    desktop: Set, monkeypatch: pytest.MonkeyPatch
) -> None:
    use_manually(desktop, 3128)
    monkeypatch.setenv("http_proxy", "http://127.0.0.1:9")
    monkeypatch.setenv("ftp_proxy", "http://127.0.0.1:9")
    assert proxies.ways_to("https://news.example").origin == "desktop"


def test_what_no_proxy_exempts_is_reached_directly(
    server: LoopbackServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("http_proxy", f"http://127.0.0.1:{free_port()}")
    monkeypatch.setenv("no_proxy", "10.0.0.0/8,127.0.0.0/8")
    with closing(ApiClient(server.url)) as client:
        client.request("GET", "/api/v1/health")
    assert len(server.requests) == 1


# SOCKS


def test_a_socks_proxy_is_said_to_be_of_no_use_and_is_not_gone_around(
    server: LoopbackServer, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv("all_proxy", "socks5://127.0.0.1:1080")
    monkeypatch.delenv("no_proxy", raising=False)
    with an_agent(tmp_path) as agent, pytest.raises(proxies.ProxyUnsupported) as caught:
        agent.runtime.enrol(server.url, CODE)
    assert "socks5://127.0.0.1:1080" in caught.value.message
    assert server.requests == []
    found = proxy_check(tmp_path)
    assert found.verdict == "fault"
    assert "SOCKS" in found.result


def test_a_socks_proxy_of_the_desktop_is_not_taken_for_no_proxy(desktop: Set, tmp_path: Path) -> None:
    desktop(".socks", "host", "127.0.0.1")
    desktop(".socks", "port", "1080")
    desktop("", "mode", "manual")
    assert proxies.ways_to("https://news.example").proxies == ()
    assert proxy_check(tmp_path).verdict == "fault"


def test_of_a_list_with_socks_the_rest_is_taken_and_doctor_says_what_is_left_out(
    desktop: Set, tmp_path: Path
) -> None:
    use_automatically(desktop, tmp_path, '"SOCKS 127.0.0.1:1080; PROXY 127.0.0.1:3128"')
    found = proxy_check(tmp_path)
    assert found.result.startswith("http://127.0.0.1:3128 (not socks")


# Addresses that are none


@pytest.mark.parametrize(
    "written",
    [
        "http://127.0.0.1:99999",
        "http://127.0.0.1:port",
        "http://127.0.0.1:0",
        "http://[::1",
        "http://",
        "http://:3128",
        "http://a b:3128",
        "http://person:secret@host:port",
        "person:secret://a/b@host",
        "ftp://127.0.0.1:21",
    ],
)
def test_an_address_of_a_proxy_that_is_none_is_said_to_be_and_is_not_gone_around(
    server: LoopbackServer, monkeypatch: pytest.MonkeyPatch, tmp_path: Path, written: str
) -> None:
    monkeypatch.setenv("all_proxy", written)
    monkeypatch.delenv("no_proxy", raising=False)
    with an_agent(tmp_path) as agent, pytest.raises(proxies.ProxyMiswritten) as caught:
        agent.runtime.enrol(server.url, CODE)
    assert server.requests == []
    found = proxy_check(tmp_path)
    assert found.verdict == "fault"
    for told in (found.result, caught.value.message):
        assert "ALL_PROXY" in told
        assert "secret" not in told
        assert "SOCKS" not in told


def test_a_variable_of_blanks_says_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("all_proxy", "   ")
    monkeypatch.setenv("https_proxy", " http://127.0.0.1:3128 ")
    assert proxies.ways_to("http://news.example").origin != "environment"
    assert proxies.ways_to("https://news.example").proxies == ("http://127.0.0.1:3128",)


def test_of_a_list_with_an_address_that_is_none_the_rest_is_taken(desktop: Set, tmp_path: Path) -> None:
    use_automatically(desktop, tmp_path, '"PROXY 127.0.0.1:99999; PROXY 127.0.0.1:3128; DIRECT"')
    assert "http://127.0.0.1:3128" in proxies.ways_to("https://news.example").proxies
    assert proxy_check(tmp_path).verdict == "ok"
