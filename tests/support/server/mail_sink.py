"""A mail server that keeps what it takes, in a thread of the test's process."""

import contextlib
import email
import email.policy
from collections.abc import Iterator
from dataclasses import dataclass, field
from email.message import EmailMessage
from typing import Any

from aiosmtpd.controller import Controller
from aiosmtpd.smtp import SMTP, AuthResult, Envelope, Session

from tests.support.agent.certificates import Certificate

USER, PASSWORD = "tidings", "a password of a relay"


@dataclass
class Sink:
    """What arrived, and what is answered: `answers` by recipient, else 250. `greetings`: what clients say they are."""

    port: int = 0
    taken: list[EmailMessage] = field(default_factory=list)
    recipients: list[str] = field(default_factory=list)
    answers: dict[str, str] = field(default_factory=dict)
    after_data: str = ""
    greetings: list[str] = field(default_factory=list)
    logins: list[tuple[str, str]] = field(default_factory=list)

    async def handle_EHLO(
        self, _server: SMTP, session: Session, _envelope: Envelope, hostname: str, responses: list[str]
    ) -> list[str]:
        """Note how the client names itself."""
        session.host_name = hostname
        self.greetings.append(hostname)
        return responses

    async def handle_RCPT(
        self, _server: SMTP, _session: Session, envelope: Envelope, address: str, _options: list[str]
    ) -> str:
        """Answer as the test wants it."""
        answer = self.answers.get(address, "250 OK")
        if answer.startswith("250"):
            envelope.rcpt_tos.append(address)
        return answer

    async def handle_DATA(self, _server: SMTP, _session: Session, envelope: Envelope) -> str:
        """Keep the message, or answer as the test wants it."""
        if self.after_data:
            return self.after_data
        content = envelope.content
        assert isinstance(content, bytes)
        message = email.message_from_bytes(content, policy=email.policy.default)
        assert isinstance(message, EmailMessage)
        self.taken.append(message)
        self.recipients += envelope.rcpt_tos
        return "250 OK"

    def log_in(self, _server: Any, _session: Any, _envelope: Any, _mechanism: str, data: Any) -> AuthResult:
        """Take the one password."""
        self.logins.append((data.login.decode(), data.password.decode()))
        return AuthResult(success=self.logins[-1] == (USER, PASSWORD))


@contextlib.contextmanager
def mail_sink(port: int, certificate: Certificate | None = None) -> Iterator[Sink]:
    """Take mail on this loopback port; with STARTTLS and a password where there is a certificate."""
    sink = Sink(port)
    options: dict[str, Any] = {}
    if certificate is not None:
        options = {
            "tls_context": certificate.server_context(),
            "auth_required": True,
            "authenticator": sink.log_in,
        }
    controller = Controller(sink, hostname="127.0.0.1", port=port, **options)
    controller.start()
    try:
        yield sink
    finally:
        controller.stop()
