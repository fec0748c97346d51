"""One page with every picture of the gallery, beside the designs."""

import html
import os
from pathlib import Path

DESIGNS = {
    "popup": "popup.png",
    "digest": "popup.png",
    "emergency": "popup.png",
    "connect": "firstrun.png",
    "choose": "firstrun.png",
    "inbox": "inbox.png",
    "share": "privacy.png",
    "sent": "privacy.png",
}
"""By the first word of a screen's name."""
PAGE = """<!doctype html>
<html lang="en"><meta charset="utf-8"><title>Tidings: every screen</title>
<style>
body {{ font: 15px/1.5 Inter, sans-serif; margin: 2rem; background: #eef2f2; color: #17201f }}
nav a {{ margin-right: .8em }}
.row {{ display: flex; flex-wrap: wrap; gap: 1rem; align-items: flex-start }}
figure {{ margin: 0; width: 30rem; max-width: 100% }} img {{ width: 100%; border-radius: 6px }}
figcaption {{ color: #47524f; font-size: 13px }}
</style>
<h1>Every screen</h1><nav>{links}</nav>
{sections}
</html>
"""


def write(folder: Path, names: list[str], designs: Path | None) -> Path:
    """Writes `index.html` on all pictures in a folder and gives it.

    Args:
        folder: with the pictures, named `SCREEN-SCHEME-LANGUAGE….png`.
        names: of the screens, in order.
        designs: folder with the designs' pictures.
    """
    sections, links = [], []
    for name in names:
        pictures = sorted(each for each in folder.glob(f"{name}-*.png") if screen_of(each, names) == name)
        if not pictures:
            continue
        links.append(f'<a href="#{name}">{html.escape(name)}</a>')
        figures = "".join(
            _figure(picture.name, picture.stem.removeprefix(f"{name}-")) for picture in pictures
        )
        sections.append(
            f'<h2 id="{name}">{html.escape(name)}</h2><div class="row">{_design(name, folder, designs)}{figures}</div>'
        )
    page = folder / "index.html"
    page.write_text(PAGE.format(links=" ".join(links), sections="\n".join(sections)), encoding="utf-8")
    return page


def screen_of(picture: Path, names: list[str]) -> str:
    """The screen that a picture shows: the longest name that it begins with."""
    return max((name for name in names if picture.stem.startswith(f"{name}-")), key=len, default="")


def _design(name: str, folder: Path, designs: Path | None) -> str:
    file = DESIGNS.get(name.split("-")[0])
    if designs is None or file is None or not (designs / file).exists():
        return ""
    return _figure(os.path.relpath(designs / file, folder), "the design")


def _figure(source: str, caption: str) -> str:
    return (
        f'<figure><a href="{html.escape(source)}"><img loading="lazy" src="{html.escape(source)}" alt=""></a>'
        f"<figcaption>{html.escape(caption)}</figcaption></figure>"
    )
