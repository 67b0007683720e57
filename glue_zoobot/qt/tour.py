"""*Zoobot: tour*: the main things in a minute, each shown where it is, in a window that stays."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

from glue.core.hub import HubListener
from glue.core.message import ApplicationClosedMessage, DataCollectionDeleteMessage
from qtpy import QtCore

from glue_zoobot.errors import ZoobotError
from glue_zoobot.qt.callout import Callout
from glue_zoobot.qt.child import Child
from glue_zoobot.qt.jobs import EmbedRequest
from glue_zoobot.qt.threads import run_in_thread
from glue_zoobot.qt.tour_steps import STEPS, Scene

if TYPE_CHECKING:
    from glue.core import Data
    from glue_qt.app import GlueApplication

__all__ = ["Tour", "start_tour"]

_GALAXIES = 600  # of the tour's own sample: ready in seconds
_CATALOGUE = "sample/catalogue.ecsv"
_WAIT = "Getting the sample ready"


def start_tour(application: GlueApplication) -> Tour:
    """Start the tour, or start it anew; there is never more than one."""
    from glue_zoobot.folders import cache_folder

    running = application.findChild(Tour)
    if running is not None:
        running.end()
    tour = Tour(application, _folder(cache_folder()))
    tour.start()
    return tour


class Tour(QtCore.QObject, HubListener):
    """
    Goes through the steps, on the catalogue that is open or on the sample.

    Parameters
    ----------
    application : GlueApplication
        The main window; owner of the tour.
    folder : Path
        Where the sample and its embeddings are, or are made.
    """

    def __init__(self, application: GlueApplication, folder: Path) -> None:
        super().__init__(application)
        self._application, self._folder = application, folder
        self._child: Child | None = None
        self.scene: Scene | None = None
        self.place = 0
        self.callout = Callout(application)
        self.callout.stepped.connect(lambda step: self.go(self.place + step))
        self.callout.skipped.connect(self.end)
        self._hub = application.session.hub
        self._hub.subscribe(self, DataCollectionDeleteMessage, handler=self._on_data_removed)
        self._hub.subscribe(self, ApplicationClosedMessage, handler=lambda _: self.end())

    def start(self) -> None:
        """Begin with what is open, or make the sample first; nothing is asked."""
        data = _ready(self._application)
        if data is not None:
            self._open(data)
            return
        self._wait("Simulated galaxies are being drawn…")
        self._work = run_in_thread(self, lambda: _draw(self._folder), self._embed, self._fail)

    def go(self, place: int) -> None:
        """Go to a step, once the sample is ready; beyond the last one the tour ends."""
        if self.scene is None:
            return
        if place >= len(STEPS):
            self.end()
            return
        self.place = max(0, place)
        step = STEPS[self.place]
        try:
            target = step.act(self.scene)
        except ZoobotError as error:  # the step cannot be shown; the next one may
            self.callout.show_note(step.title, str(error), None, self.place, len(STEPS))
            return
        self.callout.show_note(step.title, step.text, target, self.place, len(STEPS))

    def end(self) -> None:
        """Leave a window that can be used, whatever was shown last."""
        self._hub.unsubscribe_all(self)
        if self._child is not None:
            self._child.abandon()
            self._child = None
        self.scene = None
        self.callout.end()
        self.setParent(None)
        self.deleteLater()

    # -- the sample --------------------------------------------------------------------------------------

    def _wait(self, text: str) -> None:
        self.callout.show_note(_WAIT, text, None, 0, len(STEPS), ready=False)

    def _embed(self, source: Path) -> None:
        from glue_zoobot.images import SourceSpec

        request = EmbedRequest(SourceSpec(str(source)), self._folder / "embeddings", "mini")
        self._child = Child(request.arguments(), self)
        self._child.said.connect(self._on_said)
        self._child.ended.connect(lambda code, crashed: self._on_embedded(code, source, request.store))
        self._child.start()

    def _on_said(self, event: dict[str, Any]) -> None:
        if event["event"] == "progress" and event.get("total"):
            self._wait(f"The pictures are being described: {event['done']:,} of {event['total']:,}.")

    def _on_embedded(self, code: int, source: Path, store: Path) -> None:
        from glue_zoobot.catalog import attach_embeddings, load

        self._wait("The views are being opened…")
        errors = self._child.errors if self._child is not None else ""
        self._child = None
        if code != 0:
            self._fail(RuntimeError(errors.strip().splitlines()[-1] if errors.strip() else f"code {code}"))
            return
        try:
            data = load(str(source))
            attach_embeddings(data, store)
        except ZoobotError as error:
            self._fail(error)
        else:
            self._open(data)

    def _fail(self, error: Exception) -> None:
        self._wait(f"The sample could not be made: {error}")

    def _open(self, data: Data) -> None:
        self.scene = Scene(self._application, data)
        self.scene.arrange()
        self.go(0)

    def _on_data_removed(self, message: DataCollectionDeleteMessage) -> None:
        if self.scene is not None and message.data is self.scene.data:
            self.end()


def _folder(cache: Path) -> Path:
    """Return the folder of the demo, if that has been seen, else one for the tour."""
    demo = cache / "demo"
    return demo if (demo / _CATALOGUE).exists() and (demo / "embeddings").exists() else cache / "tour"


def _draw(folder: Path) -> Path:
    """Return the catalogue of a sample, drawn now unless it is there."""
    from glue_zoobot.images.simulated import write_sample

    known = folder / _CATALOGUE
    return known if known.exists() else write_sample(known.parent, n=_GALAXIES)


def _ready(application: GlueApplication) -> Data | None:
    """Return a catalogue of the session that has pictures and embeddings."""
    from glue_zoobot.catalog import embeddings_of, images_of

    for data in application.data_collection:
        if hasattr(data, "meta") and images_of(data) is not None and embeddings_of(data) is not None:
            return data
    return None
