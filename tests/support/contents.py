"""What lies in a folder, to compare before and after."""

import hashlib
from pathlib import Path


def everything_under(folder: Path) -> dict[str, tuple[int, str]]:
    """The mode and the SHA-256 of each file, by its path below the folder."""
    return {
        str(path.relative_to(folder)): (path.stat().st_mode, hashlib.sha256(path.read_bytes()).hexdigest())
        for path in sorted(folder.rglob("*"))
        if path.is_file()
    }
