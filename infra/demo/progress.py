"""Live progress: which step, how long so far; and when it ended, how long it took and what came of it."""

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from rich.console import Console
from rich.text import Text

from infra.demo.record import Record


class Progress:
    """Prints a line a step; on a terminal the running step is shown as it runs."""

    def __init__(self, console: Console, record: Record) -> None:
        self._console, self._record, self._began = console, record, time.monotonic()

    @contextmanager
    def step(self, title: str) -> Iterator[Callable[[str], None]]:
        """Time a step; call what it yields to say what came of it."""
        began, outcome = time.monotonic(), [""]

        def done(words: str) -> None:
            outcome[0] = words

        with self._console.status(f"{title} …"):
            yield done
        seconds = time.monotonic() - began
        self._record.steps.append((title, seconds))
        self.say(f"[dim]{began - self._began:6.1f} s[/dim]  [green]✓[/green] {title} [dim]({seconds:.1f} s)[/dim]")
        if outcome[0]:
            self.say(f"            {outcome[0]}")

    def say(self, line: str) -> None:
        """Print a line, and keep it as it reads."""
        self._console.print(line, highlight=False, soft_wrap=True)
        self._record.said.append(Text.from_markup(line).plain)
