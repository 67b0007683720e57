"""A real main window for `test_real_window`: opens a survey, and answers on stdout what is asked on stdin."""

from __future__ import annotations

import json
import sys
import threading
from pathlib import Path

import numpy as np
from glue_qt.utils import get_qapp
from qtpy import QtCore, QtWidgets

import glue_zoobot.qt


class Asked(QtCore.QObject):
    """Hands lines from the thread that reads them to the window."""

    line = QtCore.Signal(str)


class Window:
    """What the test may ask: places on the screen, and what is shown."""

    def __init__(self, survey: Path, store: Path) -> None:
        from glue_qt.app import GlueApplication
        from glue_qt.viewers.scatter import ScatterViewer

        from glue_zoobot.catalog import attach_embeddings, load, similar_galaxies
        from glue_zoobot.qt.gallery.viewer import GalleryViewer
        from glue_zoobot.qt.interest.panel import interest_panel
        from glue_zoobot.qt.similar.panel import similar_panel

        self.data = load(survey)
        attach_embeddings(self.data, store)
        angle = np.linspace(0, 2 * np.pi, self.data.size, endpoint=False)
        self.data.add_component(np.cos(angle), "x")
        self.data.add_component(np.sin(angle), "y")
        self.app = GlueApplication()
        self.app.data_collection.append(self.data)
        self.app.setGeometry(0, 0, 1600, 900)
        self.app.show()
        self.map = self.app.new_data_viewer(ScatterViewer, data=self.data)
        self.map.state.x_att, self.map.state.y_att = self.data.id["x"], self.data.id["y"]
        self.gallery = self.app.new_data_viewer(GalleryViewer, data=self.data)
        self.map.parent().setGeometry(0, 0, 640, 520)
        self.gallery.parent().setGeometry(640, 0, 320, 520)
        self.panel = similar_panel(self.app)
        self.panel.show()
        self.interest = interest_panel(self.app)
        self.state = similar_galaxies(self.app.data_collection)

    def place(self, name: str) -> list[int]:
        """Middle of a widget, a point of the map, an entry of the list or of a menu, on the screen."""
        kind, _, what = name.partition(" ")
        widget, point = getattr(self, f"_{kind}")(what)
        found = widget.mapToGlobal(point)
        return [found.x(), found.y()]

    def shown(self, _: str = "") -> dict:
        """What a user sees."""
        groups = {
            group.label: int(group.subsets[0].to_mask().sum())
            for group in self.app.data_collection.subset_groups
        }
        return {
            "like": list(self.state.like),
            "count": self.state.count,
            "groups": groups,
            "gallery": [int(row) for row in self.gallery.model.rows[:5]],
            "tool": self.map.toolbar.active_tool.tool_id if self.map.toolbar.active_tool else "",
            "current": self.interest.state.current,
            "ratings": {str(row): value for row, value in self.interest.state.ratings.items()},
            "seen": self.interest.isVisible() and self.interest.card.is_seen,
        }

    def rate(self, _: str = "") -> None:
        """Open the panel for ratings, whose menu is glue's."""
        self.interest.show_panel()
        self.interest.start(self.data)

    def _point(self, row: str) -> tuple:
        canvas = self.map.central_widget.canvas
        x, y = (float(self.data[label][int(row)]) for label in ("x", "y"))
        pixel_x, pixel_y = self.map.axes.transData.transform((x, y))
        return canvas, QtCore.QPoint(round(pixel_x), round(canvas.height() - pixel_y))

    def _axes(self, share: str) -> tuple:
        canvas = self.map.central_widget.canvas
        x, y = self.map.axes.transAxes.transform([float(part) for part in share.split()])
        return canvas, QtCore.QPoint(round(x), round(canvas.height() - y))

    def _tool(self, tool_id: str) -> tuple:
        viewer = self.gallery if "gallery" in tool_id else self.map
        button = viewer.toolbar.widgetForAction(viewer.toolbar.actions[tool_id])
        return button, button.rect().center()

    def _button(self, name: str) -> tuple:
        button = getattr(self.panel, f"{name}_button")
        return button, button.rect().center()

    def _slider(self, share: str) -> tuple:
        slider, half = self.panel.slider, 8  # of the handle
        room = slider.width() - 2 * half
        return slider, QtCore.QPoint(half + round(float(share) * room), slider.height() // 2)

    def _handle(self, _: str) -> tuple:
        return self._slider(str(self.panel.slider.value() / self.panel.slider.maximum()))

    def _picture(self, _: str) -> tuple:
        return self.interest.card.picture, self.interest.card.picture.rect().center()

    def _listed(self, label: str) -> tuple:
        view = self.app.findChild(QtWidgets.QTreeView, "layerTree")
        [index] = view.model().match(
            view.model().index(0, 0), QtCore.Qt.DisplayRole, label, 1, QtCore.Qt.MatchRecursive
        )
        return view.viewport(), view.visualRect(index).center()

    def _entry(self, text: str) -> tuple:
        menu = QtWidgets.QApplication.activePopupWidget()
        action = next(action for action in menu.actions() if text in action.text())
        return menu, menu.actionGeometry(action).center()


def say(what: object) -> None:
    """Write one line for the test."""
    sys.stdout.write(json.dumps(what) + "\n")
    sys.stdout.flush()


def main() -> None:
    """Open the window, say so, and answer until stdin is closed."""
    qapp = get_qapp()
    glue_zoobot.qt.setup()
    window = Window(*(Path(text) for text in sys.argv[1:]))
    asked = Asked()

    def answer(line: str) -> None:
        name, _, rest = line.partition(" ")
        try:
            found = getattr(window, name)(rest)
        except Exception as error:  # the test says what it was
            found = {"error": f"{type(error).__name__}: {error}"}
        say(found)

    def read() -> None:
        for line in sys.stdin:
            asked.line.emit(line.strip())
        asked.line.emit("leave")

    window.leave = lambda _: qapp.quit()
    asked.line.connect(answer, QtCore.Qt.QueuedConnection)
    threading.Thread(target=read, daemon=True).start()
    QtCore.QTimer.singleShot(500, lambda: say("ready"))
    qapp.exec()


if __name__ == "__main__":
    main()
