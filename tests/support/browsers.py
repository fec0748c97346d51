"""Debian's Chromium, as tests and the demo start it."""

import contextlib
import shutil
from collections.abc import Iterator

from playwright.sync_api import Browser, CDPSession, Page, sync_playwright


@contextlib.contextmanager
def chromium() -> Iterator[Browser]:
    """One without a window, for the length of a block."""
    with sync_playwright() as playwright:
        yield playwright.chromium.launch(executable_path=shutil.which("chromium"), args=["--no-sandbox"])


def with_device(page: Page) -> tuple[CDPSession, str]:
    """Let the browser have a device that keeps passkeys and always recognises its person. Answers the device's number."""
    protocol = page.context.new_cdp_session(page)
    protocol.send("WebAuthn.enable")
    device = {
        "protocol": "ctap2",
        "transport": "internal",
        "hasResidentKey": True,
        "hasUserVerification": True,
        "isUserVerified": True,
        "automaticPresenceSimulation": True,
    }
    added = protocol.send("WebAuthn.addVirtualAuthenticator", {"options": device})
    return protocol, added["authenticatorId"]
