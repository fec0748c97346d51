"""As much of a Gotify server as its tray program asks for.

Applications, messages, and the stream as a WebSocket (RFC 6455). `python -m benchmarks.gotify_server` prints
its address and answers on a free loopback port.
"""

import asyncio
import base64
import hashlib
import json
import sys
from contextlib import suppress
from datetime import UTC, datetime

ACCEPT_SALT = b"258EAFA5-E914-47DA-95CA-C5AB0DC85B11"  # RFC 6455, section 1.3
PING_PERIOD_S = 45  # Gotify's own, pingperiodseconds
PING = bytes([0x89, 0])
MESSAGES = 50
PARAGRAPH = "Lunch is served until 13:00 this Friday, because the kitchen gets its new ovens. " * 4


def answer_to(path: str) -> object:
    """What Gotify's REST interface answers to a GET."""
    if path == "/application":
        return [{"id": 1, "name": "News", "description": "", "image": "", "internal": False, "token": "A"}]
    if path.endswith("/message"):
        return {"messages": [message(number) for number in range(MESSAGES, 0, -1)], "paging": paging()}
    if path == "/health":
        return {"health": "green", "database": "green"}
    return {"version": "2.6.3", "commit": "", "buildDate": ""}


def message(number: int) -> dict[str, object]:
    """One message as Gotify gives it."""
    date = datetime(2026, 11, 23, 9, number, tzinfo=UTC).isoformat()
    title = f"Announcement {number}"
    return {"id": number, "appid": 1, "title": title, "message": PARAGRAPH, "priority": 4, "date": date}


def paging() -> dict[str, int]:
    """The last page."""
    return {"size": MESSAGES, "since": 0, "limit": 100}


async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    """Answers the requests of one connection, or becomes its stream."""
    with suppress(asyncio.IncompleteReadError, ConnectionError):
        while True:
            head = (await reader.readuntil(b"\r\n\r\n")).decode("latin-1").split("\r\n")
            path = head[0].split()[1].partition("?")[0]
            headers = {
                name.lower(): value.strip() for name, _, value in (line.partition(":") for line in head[1:])
            }
            if path == "/stream":
                await stream(headers["sec-websocket-key"], reader, writer)
                break
            body = json.dumps(answer_to(path)).encode()
            start = (
                f"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: {len(body)}\r\n\r\n"
            )
            writer.write(start.encode() + body)
            await writer.drain()
    writer.close()


async def stream(key: str, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    """Keeps the stream open with pings; there is no news."""
    accept = base64.b64encode(hashlib.sha1(key.encode() + ACCEPT_SALT).digest()).decode()
    upgrade = "HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
    writer.write(f"{upgrade}Sec-WebSocket-Accept: {accept}\r\n\r\n".encode())
    pings = asyncio.create_task(send_pings(writer))
    try:
        while await reader.read(4096):
            pass
    finally:
        pings.cancel()


async def send_pings(writer: asyncio.StreamWriter) -> None:
    """As the real server does, for as long as the stream is open."""
    while True:
        await asyncio.sleep(PING_PERIOD_S)
        writer.write(PING)
        await writer.drain()


async def main() -> None:
    """Answers until it is ended."""
    server = await asyncio.start_server(serve, "127.0.0.1", 0)
    port = server.sockets[0].getsockname()[1]
    sys.stdout.write(f"http://127.0.0.1:{port}\n")
    sys.stdout.flush()
    await server.serve_forever()


if __name__ == "__main__":
    with suppress(KeyboardInterrupt):
        asyncio.run(main())
