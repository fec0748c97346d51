"""Requests of `tidings-render`, and the command itself, as a process."""

import hashlib
import json
import os
import subprocess
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from PIL import Image

COMMAND = (sys.executable, "-m", "ui.preview")
ROOT = Path(__file__).resolve().parents[3]
VIDEO = "b" * 64


@dataclass(frozen=True)
class Media:
    """Drawn pictures in a folder, described as a campaign does."""

    folder: Path

    def picture(self, name: str, width: int, height: int, colour: str) -> dict[str, Any]:
        path = self.folder / f"{name}.png"
        Image.new("RGB", (width, height), colour).save(path)
        content = path.read_bytes()
        digest = hashlib.sha256(content).hexdigest()
        path.rename(self.folder / digest)
        return {
            "sha256": digest, "size": len(content), "type": "image/png", "width": width, "height": height,
            "alt": "A picture",
        }  # fmt: skip

    def video(self) -> dict[str, Any]:
        """Its file is not read by who draws; only its poster is."""
        (self.folder / VIDEO).write_bytes(b"a video")
        poster = self.picture("poster", 1280, 720, "#83c5be")
        return {
            "sha256": VIDEO, "size": 7, "type": "video/mp4", "width": 1280, "height": 720, "duration_ms": 84_000,
            "poster": poster, "captions": [],
        }  # fmt: skip

    def paths(self) -> dict[str, dict[str, str]]:
        return {path.name: {"path": str(path)} for path in self.folder.iterdir() if len(path.name) == 64}


TEXTS = {
    "en": ("The new Lyon studio opens on Monday", "Léa walks you through the floor plan.", "Read more"),
    "fr": ("Le nouveau studio de Lyon ouvre lundi", "Léa vous présente le plan.", "En savoir plus"),
    "ar": ("يفتح الاستوديو الجديد في ليون يوم الإثنين", "تعرّفكم ليا على المخطط.", "اقرأ المزيد"),
}


def campaign(
    urgency: str = "normal", *, acknowledge: bool = False, body: str = "", **media: Any
) -> dict[str, Any]:
    """The content of one; `media` are `image` and `video` of each variant."""
    return {
        "status": "live", "sender": "Internal news", "urgency": urgency, "acknowledge": acknowledge,
        "starts": "2026-11-30T09:00:00Z", "ends": "2026-12-07T09:00:00Z", "default_language": "en",
        "variants": {
            language: {
                "title": title, "body": body or text,
                "links": [{"link_id": "l1", "label": label, "url": "https://intranet.northwind.example/lyon"}],
                "image": media.get("image"), "video": media.get("video"),
            }
            for language, (title, text, label) in TEXTS.items()
        },
    }  # fmt: skip


def picture(
    window: str = "popup", language: str = "en", scheme: str = "light", text_scale: int = 100
) -> dict[str, Any]:
    return {"window": window, "language": language, "scheme": scheme, "text_scale": text_scale}


def request(
    content: Mapping[str, Any],
    pictures: Sequence[Mapping[str, Any]],
    media: Mapping[str, Mapping[str, str]] | None = None,
    logo: Mapping[str, Any] | None = None,
) -> dict[str, Any]:
    return {
        "v": 1,
        "company": {"name": "Northwind", "accent": "#0F766E", "logo": logo},
        "campaign": content,
        "media": media or {},
        "pictures": list(pictures),
    }


def render(
    asked: Mapping[str, Any] | bytes,
    *words: str,
    command: Sequence[str] = COMMAND,
    **environment: str,
) -> subprocess.CompletedProcess[bytes]:
    """Run the command; what it wrote is bytes."""
    text = asked if isinstance(asked, bytes) else json.dumps(asked).encode()
    return subprocess.run(
        [*command, *words], input=text, capture_output=True, cwd=ROOT, check=False, timeout=120,
        env=os.environ | environment,
    )  # fmt: skip
