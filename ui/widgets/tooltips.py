"""Tool tips with texts of a company."""

from __future__ import annotations

import html


def plain_tip(text: str) -> str:
    """A tool tip that shows this text as it is: Qt takes for HTML what looks like it, and opens the files that it names."""
    if "<" not in text:
        return text
    lines = html.escape(text, quote=False).replace("\n", "<br>")
    return f"<qt>{lines}</qt>"
