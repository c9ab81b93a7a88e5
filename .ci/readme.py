"""Makes the README's links and pictures addresses of this commit: a package index shows it alone.

Run where a release is built, on GitHub, which alone knows what the repository is called.
"""

from __future__ import annotations

import os
import re
from pathlib import Path

README = Path(__file__).parents[1] / "README.md"


def absolute(text: str, repository: str, commit: str) -> str:
    """Return the text with an address in the place of each path."""
    pages = f"https://github.com/{repository}/blob/{commit}/"
    files = f"https://raw.githubusercontent.com/{repository}/{commit}/"
    text = re.sub(r"\]\((?!https:)", f"]({pages}", text)
    return re.sub(r'\b(src|srcset)="(?!https:)', rf'\1="{files}', text)


if __name__ == "__main__":
    text = README.read_text(encoding="utf-8")
    text = absolute(text, os.environ["GITHUB_REPOSITORY"], os.environ["GITHUB_SHA"])
    README.write_text(text, encoding="utf-8")
