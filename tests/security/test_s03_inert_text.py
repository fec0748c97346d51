"""S3: whatever a company writes is shown as it is written: nothing in it opens a file or a connection."""

import itertools
import json
import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

from tests.support.proofs import Proof

ROOT = Path(__file__).resolve().parents[2]
NEEDLE = "tidings-needle"
PLACES = [
    "file:///{folder}/{needle}.png",
    "{folder}/{needle}.png",
    "//127.0.0.1/{needle}.png",
    "\\\\127.0.0.1\\{needle}.png",
    "http://127.0.0.1:{port}/{needle}.png",
    "https://127.0.0.1:{port}/{needle}.png",
    "ftp://127.0.0.1:{port}/{needle}.png",
    "qrc:/../..{folder}/{needle}.png",
    "data:text/html,<img src='file://{folder}/{needle}.png'>",
    "javascript:open('file://{folder}/{needle}.png')",
]
MARKUP = [
    '<img src="{place}">',
    "<IMG SRC={place} width=1 height=1>",
    "<img src='{place}' style=\"background:url({place})\">",
    '<table background="{place}"><tr><td background="{place}">x</td></tr></table>',
    '<body background="{place}">x</body>',
    '<!DOCTYPE html><html><head><link rel="stylesheet" href="{place}"></head><body>x</body></html>',
    "<style>@import url({place}); body {{ background-image: url({place}); }}</style>x",
    '<div style="background-image: url({place}); list-style-image: url({place})">x</div>',
    '<ul style="list-style-image: url({place})"><li>x</li></ul>',
    '<object data="{place}"></object><embed src="{place}"><iframe src="{place}"></iframe>',
    '<svg xmlns="http://www.w3.org/2000/svg"><image href="{place}" xlink:href="{place}"/><use href="{place}"/></svg>',
    '<video src="{place}" poster="{place}" autoplay></video><audio src="{place}" autoplay></audio>',
    '<meta http-equiv="refresh" content="0;url={place}"><base href="{place}">',
    '<a href="{place}"><img src="{place}"></a>',
    "![x]({place})",
    '[![x]({place})]({place} "{place}")',
    "![x][1]\n\n[1]: {place}",
    "<qt><img src='{place}'/></qt>",
    '<p><b>x</b><br><img src="{place}"></p>',
    "&lt;img src=&quot;{place}&quot;&gt;",
    "<![CDATA[<img src='{place}'>]]>",
    '<?xml version="1.0"?><!DOCTYPE x [<!ENTITY e SYSTEM "{place}">]><x>&e;</x>',
    "<ima\u200bge src='{place}'><image src='{place}'>",
    '<font face="{place}">x</font><style>@font-face {{ font-family: x; src: url({place}); }}</style>',
    "<input type=image src='{place}'><button style='border-image: url({place})'>x</button>",
    "\x01<img src='{place}'>",
    "</p></body></html><img src='{place}'>",
    "x\n<img src='{place}'>\nx",
    "<pre><img src='{place}'></pre>",
    "<img srcset='{place} 1x' src=''>",
]


def payloads(folder: Path, port: int) -> list[str]:
    """Every markup with every place."""
    places = [place.format(folder=folder, needle=NEEDLE, port=port) for place in PLACES]
    return [markup.format(place=place) for markup, place in itertools.product(MARKUP, places)]


def traced(folder: Path, chosen: list[str], *words: str) -> list[str]:
    """The system calls that name a file or a peer while the texts are shown."""
    (folder / "payloads.json").write_text(json.dumps(chosen), encoding="utf-8")
    trace = folder / "trace"
    calls = "trace=open,openat,openat2,stat,lstat,newfstatat,statx,access,faccessat,readlink,connect,sendto,execve"
    strace = ["strace", "-f", "-qq", "-s", "300", "-e", calls, "-e", "signal=none", "-o", str(trace)]
    program = [sys.executable, "-m", "tests.support.ui.show_payloads", str(folder / "payloads.json"), *words]
    environment = {**os.environ, "QT_QPA_PLATFORM": "offscreen", "LANG": "C.UTF-8"}
    done = subprocess.run(
        [*strace, *program], cwd=ROOT, env=environment, capture_output=True, text=True, check=False
    )
    assert done.stdout.strip() == str(len(chosen)), done.stderr
    return trace.read_text(encoding="utf-8", errors="replace").splitlines()


@pytest.mark.proves("S3")
def test_no_text_opens_a_file_or_a_connection(tmp_path: Path, proof: Proof) -> None:
    every = payloads(tmp_path, port=9)
    assert len(every) == 300
    chosen = every[:: 1 if proof.is_full else 25]
    lines = traced(tmp_path, chosen)
    touched = [line for line in lines if NEEDLE in line]
    connected = [line for line in lines if re.search(r"(connect|sendto)\(.*AF_INET", line)]
    proof.found("files touched that a text names", len(touched), len(chosen))
    proof.found("connections", len(connected), len(chosen))
    assert touched == []
    assert connected == []


def test_the_trace_shows_what_markup_would_open(tmp_path: Path) -> None:
    (markup, *_) = payloads(tmp_path, port=9)
    assert any(NEEDLE in line for line in traced(tmp_path, [markup], "--as-markup"))
