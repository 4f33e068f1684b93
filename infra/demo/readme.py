"""`make screenshots`: the README shows what the last demo printed."""

import re
import sys
from pathlib import Path

from infra.demo.__main__ import FOLDER
from infra.demo.ending import OUTPUT

README = Path("README.md")
BLOCK = re.compile(r"(?<=^```text\n)(?:.*\n)*?(?=```$)", re.MULTILINE)
"""The first block of plain text on the page."""


def shown(page: str, output: str) -> str:
    """The page with `output` in its first block of plain text."""
    return BLOCK.sub(lambda _: output, page, count=1)


def main() -> int:
    """Rewrite the README; 1 if there was no demo."""
    output = FOLDER / OUTPUT
    if not output.exists():
        sys.stderr.write(f"there is no {output}: make demo\n")
        return 1
    README.write_text(shown(README.read_text(encoding="utf-8"), output.read_text(encoding="utf-8")), encoding="utf-8")
    return 0


if __name__ == "__main__":
    sys.exit(main())
