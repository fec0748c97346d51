"""The process that serves the console: `tidings-server console serve` becomes it.

Words: host, port, and what to say when it serves, in the language of who started it.
"""

import sys

from granian.constants import HTTPModes, Interfaces
from granian.http import HTTP1Settings
from granian.log import LogLevels
from granian.server import Server

from server import logs
from server.core import connection_limits, workers_code

HEADER_S = 10
MOST_HEADER_BYTES = 64 * 1024
STOP_WITHIN_S = 10


def main(host: str, port: int, ready: str) -> None:
    """Serve until a signal ends it."""
    connection_limits.raise_descriptors()
    server = Server(
        "server.console.asgi",
        address=host,
        port=port,
        interface=Interfaces.ASGI,
        http=HTTPModes.http1,
        http1_settings=HTTP1Settings(header_read_timeout=HEADER_S * 1000, max_buffer_size=MOST_HEADER_BYTES),
        workers=1,  # attempts of an address are counted in its memory
        backlog=connection_limits.BACKLOG,
        backpressure=connection_limits.of_worker(),
        websockets=False,
        respawn_failed_workers=True,
        workers_kill_timeout=STOP_WITHIN_S,
        log_level=LogLevels.error,
        log_dictconfig=logs.of_granian(),
    )

    @server.on_startup
    def say_ready() -> None:
        print(ready, flush=True)

    server.serve(target_loader=workers_code.prepared)


if __name__ == "__main__":
    main(sys.argv[1], int(sys.argv[2]), sys.argv[3])
