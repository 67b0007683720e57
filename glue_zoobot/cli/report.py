"""How a verb tells what it is doing: words and a bar on a terminal, JSON lines for a program."""

from __future__ import annotations

import json
import sys
from typing import TYPE_CHECKING, Any, Protocol

if TYPE_CHECKING:
    from glue_zoobot.embedding import Progress
    from glue_zoobot.images import Catalogue


class Report(Protocol):
    """What a verb has to say while it runs."""

    def found(self, catalogue: Catalogue) -> None:
        """Say what was opened."""

    def say(self, text: str) -> None:
        """One line for the user."""

    def progress(self, progress: Progress) -> None:
        """How far the long job is."""

    def finish(self, event: str, **facts: Any) -> None:
        """The job is over: ``event`` is ``done``, ``cancelled`` or ``error``."""


class JsonReport:
    """One JSON object per line on standard output; what the window reads from its child."""

    def found(self, catalogue: Catalogue) -> None:
        """Say what was opened."""
        self._write(
            event="found",
            images=len(catalogue.source),
            duplicates=sorted(catalogue.duplicates),
            text=catalogue.summary(),
        )

    def say(self, text: str) -> None:
        """One line for the user."""
        self._write(event="message", text=text)

    def progress(self, progress: Progress) -> None:
        """How far the long job is."""
        self._write(
            event="progress",
            done=progress.done,
            total=progress.total,
            rate=progress.rate,
            seconds_left=progress.seconds_left,
            broken=progress.broken,
        )

    def finish(self, event: str, **facts: Any) -> None:
        """The job is over."""
        self._write(event=event, **facts)

    @staticmethod
    def _write(**event: Any) -> None:
        # A rate or time that is not known yet is null: JSON has no NaN.
        finite = {k: None if isinstance(v, float) and v - v != 0 else v for k, v in event.items()}
        sys.stdout.write(json.dumps(finite, default=str) + "\n")
        sys.stdout.flush()


class TerminalReport:
    """Sentences and a progress bar."""

    def __init__(self) -> None:
        from rich.console import Console

        self._console = Console(highlight=False)
        self._bar: Any = None

    def found(self, catalogue: Catalogue) -> None:
        """Say what was opened."""
        self.say(catalogue.summary())

    def say(self, text: str) -> None:
        """One line for the user."""
        self._console.print(text, markup=False)

    def progress(self, progress: Progress) -> None:
        """Move the bar; made at the first call, so that finished work shows none."""
        if self._bar is None:
            self._bar = _bar(self._console)
            self._task = self._bar.add_task("Embedding", total=progress.total, rate="", broken="")
            self._bar.start()
        self._bar.update(
            self._task,
            completed=progress.done,
            total=progress.total,
            rate=f"{progress.rate:,.0f} images/s" if progress.rate else "",
            broken=f"{progress.broken:,} broken" if progress.broken else "",
        )

    def finish(self, event: str, **facts: Any) -> None:
        """Close the bar; the verb says the rest in words."""
        if self._bar is not None:
            self._bar.stop()
            self._bar = None
        if event == "error":
            print_error(facts["message"])


def print_error(message: str) -> None:
    """Print an error on standard error, as every verb does."""
    from rich.console import Console

    Console(stderr=True, highlight=False).print(f"glue-zoobot: {message}", markup=False, style="red")


def _bar(console: Any) -> Any:
    from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

    return Progress(
        TextColumn("{task.description}"),
        BarColumn(),
        MofNCompleteColumn(),
        TextColumn("{task.fields[rate]}"),
        TimeRemainingColumn(),
        TextColumn("{task.fields[broken]}", style="yellow"),
        console=console,
    )
