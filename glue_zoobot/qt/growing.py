"""Looks after stores that grow while they are used: by a job of this window, or of any machine."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path
from typing import TYPE_CHECKING
from weakref import WeakKeyDictionary

from glue.core.hub import HubListener
from glue.core.message import ApplicationClosedMessage
from qtpy import QtCore

from glue_zoobot.errors import ZoobotError
from glue_zoobot.qt.threads import run_in_thread

if TYPE_CHECKING:
    from glue.core import Data
    from glue_qt.app import GlueApplication

    from glue_zoobot.catalog.growing import PlacedMap

__all__ = ["INTERVAL", "StoreWatch", "store_watch"]

INTERVAL = 3_000
"""Milliseconds between two looks; a look at 2,000 finished shards takes some hundredths of a second."""


def store_watch(application: GlueApplication) -> StoreWatch:
    """Return the watch of an application; there is never more than one."""
    return application.findChild(StoreWatch) or StoreWatch(application)


class StoreWatch(QtCore.QObject, HubListener):
    """
    Takes in what has been added to the stores of an application's datasets, in a thread, every few seconds.

    A store is taken up by itself only by a dataset that has no embeddings: those that are there are in use.

    Parameters
    ----------
    application : GlueApplication
        Owner.

    Attributes
    ----------
    grown : Signal(object)
        A dataset has more embeddings than before.
    completed : Signal(object)
        It has all that there will be; sent after its maps are complete, too.
    """

    grown = QtCore.Signal(object)
    completed = QtCore.Signal(object)

    def __init__(self, application: GlueApplication) -> None:
        super().__init__(application)
        self._application = application
        self._followed: WeakKeyDictionary[Data, Path] = WeakKeyDictionary()
        self._looking = False
        self._timer = QtCore.QTimer(self, interval=INTERVAL)
        self._timer.timeout.connect(self.look)
        self._timer.start()
        self._hub = application.session.hub
        self._hub.subscribe(self, ApplicationClosedMessage, handler=self._release)

    def follow(self, data: Data, store: Path) -> None:
        """Take up a store as soon as something is in it, if the dataset has no embeddings then."""
        self._followed[data] = store

    def look(self) -> None:
        """Look now, unless a look is under way."""
        from glue_zoobot.catalog.embeddings import known_embeddings

        if self._looking:
            return
        datasets = [data for data in self._application.data_collection if hasattr(data, "meta")]
        known = [(data, known_embeddings(data)) for data in datasets]
        growing = [data for data, embeddings in known if embeddings is not None and embeddings.growing]
        wanted = {data: self._followed.get(data) for data in datasets if self._lacks_embeddings(data)}
        if growing or wanted:
            self._looking = True
            run_in_thread(self, lambda: _look(growing, wanted), self._tell, self._give_up)

    def _lacks_embeddings(self, data: Data) -> bool:
        from glue_zoobot.catalog.record import record_of

        record = record_of(data)
        return "store" not in record and ("source" in record or data in self._followed)

    def settle(self, data: Data) -> None:
        """Place new galaxies into the maps of a dataset whose embeddings are complete, and say so."""
        from glue_zoobot.catalog.growing import place_new

        self._followed.pop(data, None)
        run_in_thread(self, lambda: place_new(data), lambda maps: self._settle(data, maps))

    def _settle(self, data: Data, maps: list[PlacedMap]) -> None:
        from glue_zoobot.catalog.growing import write_placed

        if data in self._application.data_collection:
            write_placed(data, maps)
            self.completed.emit(data)

    def _tell(self, found: list[Data]) -> None:
        from glue_zoobot.catalog.embeddings import known_embeddings

        self._looking = False
        for data in found:
            embeddings = known_embeddings(data)
            if data not in self._application.data_collection or embeddings is None:
                continue
            self.grown.emit(data)
            if not embeddings.growing:
                self.settle(data)

    def _give_up(self, error: Exception) -> None:
        self._looking = False

    def _release(self, *args: object) -> None:
        self._timer.stop()
        self._hub.unsubscribe_all(self)


def _look(growing: Iterable[Data], wanted: dict[Data, Path | None]) -> list[Data]:
    """Take in what is new; return the datasets that have more now."""
    from glue_zoobot.catalog.embeddings import take_in_new

    found = [data for data, store in wanted.items() if _take_up(data, store)]
    for data in growing:
        try:
            if take_in_new(data) is not None:
                found.append(data)
        except (ZoobotError, OSError):  # a disk that is away for a while; what was read stays
            continue
    return found


def _take_up(data: Data, store: Path | None) -> bool:
    """Attach a store that is there by now, or the newest of those beside the source."""
    from glue_zoobot.catalog import attach_embeddings
    from glue_zoobot.catalog.stores import MANIFEST, stores_of

    paths = [known.path for known in stores_of(data)] if store is None else [store]
    for path in paths:
        try:
            if (path / MANIFEST).exists() and attach_embeddings(data, path):
                return True
        except (ZoobotError, OSError):  # nothing in it yet, or not ours
            continue
    return False
