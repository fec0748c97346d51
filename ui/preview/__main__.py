"""The command ``tidings-render``: pictures of a campaign in the agent's own windows. Wants no screen, and nobody's data."""

from __future__ import annotations

import argparse
import os
import sys
import tempfile
from collections.abc import Sequence
from pathlib import Path

from ui.preview import confinement

WRONG, UNAVAILABLE, OVER_LIMIT = 2, 3, confinement.OVER_LIMIT
EXIT_CODES = """\
exit codes: 0 drawn; 1 a fault of this program; 2 the request cannot be drawn; 3 this computer cannot draw (Qt or one of its
libraries is missing, or a process cannot be cut off from the network here); 4 it took too long or too much memory"""


def main(argv: Sequence[str] | None = None) -> int:
    """Draw what standard input asks for. Returns the exit code."""
    options = _parser().parse_args(argv)
    confinement.forget_the_person()
    try:
        confinement.cut_off()
    except confinement.NotConfined as error:
        return _say(f"this computer cannot cut a process off from the network: {error}", UNAVAILABLE)
    confinement.limit()
    try:
        with tempfile.TemporaryDirectory(prefix="tidings-render-") as folder:
            return _drawn(options.folder, Path(folder))
    except ImportError as error:
        return _say(f"Qt cannot be loaded: {error}. docs/administration.md lists what it needs.", UNAVAILABLE)
    except MemoryError:
        return _say("this needs too much memory, and was given up.", OVER_LIMIT)
    except OSError as error:
        return _say(f"the pictures cannot be written: {error}", 1)


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="tidings-render",
        description="Draw a campaign in the agent's own windows. The request comes on standard input, as JSON "
        "(docs/protocol/rendering.md). It has no network, and reads only the media that the request names.",
        epilog=EXIT_CODES,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument(
        "folder",
        nargs="?",
        type=Path,
        help="where 1.png, 2.png … go, in the order of the request; without it, one picture goes to standard output",
    )
    return parser


def _drawn(target: Path | None, folder: Path) -> int:
    """Import Qt only now: whatever its libraries begin is confined."""
    from ui.preview import drawing, request

    text = sys.stdin.buffer.read(request.MAX_BYTES + 1)
    try:
        if len(text) > request.MAX_BYTES:
            raise request.BadRequest(f"The request is larger than {request.MAX_BYTES // 1024**2} MB.")
        preview = request.read(text, folder)
        if target is None and len(preview.pictures) > 1:
            raise request.BadRequest("Several pictures need a folder.")
        app = drawing.application(folder)
        for number, picture in enumerate(preview.pictures, 1):
            png = drawing.draw(app, preview, picture)
            if target is None:
                sys.stdout.buffer.write(png)
            else:
                (target / f"{number}.png").write_bytes(png)
        sys.stdout.flush()
    except request.BadRequest as error:
        return _say(str(error), WRONG)
    except drawing.NotDrawn:
        return _say("this needs too much memory, and was given up.", OVER_LIMIT)
    return 0


def _say(text: str, code: int) -> int:
    os.write(2, f"tidings-render: {text}\n".encode(errors="replace"))
    return code


if __name__ == "__main__":
    raise SystemExit(main())
