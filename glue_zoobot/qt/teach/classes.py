"""Classes as rows: key, colour, name, count, a few pictures; and a number in one line."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from qtpy import QtCore, QtGui, QtWidgets
from qtpy.QtCore import Qt

from glue_zoobot.qt.styles import quiet_label
from glue_zoobot.qt.thumbnail_strip import ThumbnailStrip
from glue_zoobot.wording import counted

if TYPE_CHECKING:
    from glue_zoobot.catalog.teaching import Teaching
    from glue_zoobot.catalog.teaching.classes import TaughtClass

__all__ = ["ClassList", "key_style"]

_EDGE, _PICTURES = 30, 3
_ROW = _EDGE + 6
_SHOWN = 3.5  # rows before it scrolls: half a row says that there is more


class ClassRow(QtWidgets.QWidget):
    """
    One class.

    Attributes
    ----------
    pressed : Signal(str)
        Label the galaxy on the screen so.
    picture_clicked : Signal(int)
    remove_wanted : Signal(str)
    rename_wanted : Signal(str, str)
        Its name, and the new one.
    """

    pressed = QtCore.Signal(str)
    picture_clicked = QtCore.Signal(int)
    remove_wanted = QtCore.Signal(str)
    rename_wanted = QtCore.Signal(str, str)

    def __init__(self, parent: QtWidgets.QWidget | None = None) -> None:
        super().__init__(parent)
        self.name = ""
        self.key = QtWidgets.QPushButton()
        self.key.setFixedSize(26, 26)
        self.key.setFocusPolicy(Qt.NoFocus)
        self.key.clicked.connect(lambda: self.pressed.emit(self.name))
        self.label = ClassName()
        self.label.renamed.connect(lambda new: self.rename_wanted.emit(self.name, new))
        self.count = QtWidgets.QLabel(alignment=Qt.AlignRight | Qt.AlignVCenter)
        self.count.setStyleSheet("font-weight: bold;")
        self.remove = QtWidgets.QToolButton(text="✕", autoRaise=True)
        self.remove.setFocusPolicy(Qt.NoFocus)
        self.remove.clicked.connect(lambda: self.remove_wanted.emit(self.name))
        self.pictures = ThumbnailStrip(edge=_EDGE, columns=_PICTURES, limit=_PICTURES)
        self.pictures.clicked.connect(self.picture_clicked)
        layout = QtWidgets.QHBoxLayout(self)
        layout.setContentsMargins(0, 2, 0, 2)
        layout.setSpacing(7)
        layout.addWidget(self.key)
        layout.addWidget(self.label, 1)
        layout.addWidget(self.count)
        layout.addWidget(self.remove)
        layout.addWidget(self.pictures)
        self.pictures.setFixedWidth(_PICTURES * (_EDGE + 4))

    def show_class(self, state: Teaching, one: TaughtClass) -> None:
        """Show it."""
        self.name = one.name
        self.key.setText("" if one.key is None else str(one.key))
        self.key.setStyleSheet(key_style(one.colour))
        what = f"Label the galaxy below {one.name}"
        self.key.setToolTip(what if one.key is None else f"{what} (key {one.key})")
        self.label.show_name(one.name)
        self.count.setText(f"{len(one.rows):,}")
        self.count.setVisible(bool(one.rows))
        labels = f" and take its {counted(len(one.rows), 'label')} back" if one.rows else ""
        self.remove.setToolTip(f"Remove {one.name}{labels}")
        shown = one.rows[:_PICTURES]
        self.pictures.show_rows(state.data, shown, ["Labelled last: click to see it"] * len(shown))


class ClassName(QtWidgets.QStackedWidget):
    """
    The name of a class; a double click lets it be written anew.

    Attributes
    ----------
    renamed : Signal(str)
    """

    renamed = QtCore.Signal(str)

    def __init__(self, parent: QtWidgets.QWidget | None = None) -> None:
        super().__init__(parent)
        self.name = ""
        self.label, self.field = QtWidgets.QLabel(), QtWidgets.QLineEdit()
        self.label.setSizePolicy(QtWidgets.QSizePolicy.Ignored, QtWidgets.QSizePolicy.Preferred)
        self.setSizePolicy(QtWidgets.QSizePolicy.Expanding, QtWidgets.QSizePolicy.Fixed)
        self.addWidget(self.label)
        self.addWidget(self.field)
        self.field.editingFinished.connect(self._finish)

    def sizeHint(self) -> QtCore.QSize:
        return QtCore.QSize(90, self.field.sizeHint().height())

    def show_name(self, name: str) -> None:
        """Show it."""
        self.name = name
        self.label.setText(
            self.label.fontMetrics().elidedText(name, Qt.ElideRight, max(60, self.width() - 2))
        )
        self.label.setToolTip(f"{name}: double-click to rename, or to join it with another class")

    def text(self) -> str:
        """Return what is shown."""
        return self.label.text()

    def mouseDoubleClickEvent(self, event: QtGui.QMouseEvent) -> None:
        self.field.setText(self.name)
        self.setCurrentWidget(self.field)
        self.field.selectAll()
        self.field.setFocus()

    def keyPressEvent(self, event: QtGui.QKeyEvent) -> None:
        if event.key() == Qt.Key_Escape and self.currentWidget() is self.field:
            self.field.setText(self.name)
            self._finish()
        else:
            super().keyPressEvent(event)

    def resizeEvent(self, event: QtGui.QResizeEvent) -> None:
        super().resizeEvent(event)
        self.show_name(self.name)

    def _finish(self) -> None:
        if self.currentWidget() is not self.field:
            return
        self.setCurrentWidget(self.label)
        new = self.field.text().strip()
        if new and new != self.name:
            self.renamed.emit(new)


class ClassList(QtWidgets.QWidget):
    """
    What is taught so far.

    Attributes
    ----------
    pressed, remove_wanted : Signal(str)
        Name of a class.
    rename_wanted : Signal(str, str)
        Name of a class, and the new one.
    picture_clicked : Signal(int)
    yes_no_wanted, votes_wanted : Signal()
        Make the classes yes and no; choose a question of volunteers.
    """

    pressed = QtCore.Signal(str)
    picture_clicked = QtCore.Signal(int)
    remove_wanted = QtCore.Signal(str)
    rename_wanted = QtCore.Signal(str, str)
    yes_no_wanted = QtCore.Signal()
    votes_wanted = QtCore.Signal()

    def __init__(self, state: Teaching, parent: QtWidgets.QWidget | None = None) -> None:
        super().__init__(parent)
        self._state = state
        self.rows: list[ClassRow] = []
        self.text = quiet_label()
        self.text.linkActivated.connect(self._on_link)
        self.area = QtWidgets.QScrollArea(widgetResizable=True, frameShape=QtWidgets.QFrame.NoFrame)
        self.area.setHorizontalScrollBarPolicy(Qt.ScrollBarAlwaysOff)
        self.area.setFocusPolicy(Qt.NoFocus)
        inner = QtWidgets.QWidget()
        self._layout = QtWidgets.QVBoxLayout(inner)
        self._layout.setContentsMargins(0, 0, 0, 0)
        self._layout.setSpacing(0)
        self.area.setWidget(inner)
        layout = QtWidgets.QVBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.addWidget(self.text)
        layout.addWidget(self.area)

    def refresh(self) -> None:
        """Show what the state says."""
        classes = self._state.classes
        for row in self.rows[len(classes) :]:
            self._layout.removeWidget(row)
            row.hide()
            row.deleteLater()
        del self.rows[len(classes) :]
        while len(self.rows) < len(classes):
            self._add_row()
        for row, one in zip(self.rows, classes, strict=True):
            row.show_class(self._state, one)
        self.area.setVisible(bool(classes))
        self.area.setFixedHeight(round(_ROW * min(len(classes), _SHOWN)) if classes else 0)
        text = self._about() if not classes else ""
        self.text.setText(text)
        self.text.setVisible(bool(text))

    def _about(self) -> str:
        if self._state.is_number:
            return self._about_number()
        return self._about_votes() if self._state.is_votes else _HOW_TO

    def _about_votes(self) -> str:
        head = self._state.head
        told = counted(int(head.provenance.get("labels", 0)), "galaxy")
        asked = "; ".join(f"<b>{q.name}</b>: {', '.join(q.answers)}" for q in head.estimator.questions_)
        return (
            f"{asked}. Learned from the votes of volunteers on {told}. <a href='votes'>Another question…</a>"
        )

    def _on_link(self, link: str) -> None:
        (self.votes_wanted if link == "votes" else self.yes_no_wanted).emit()

    def _add_row(self) -> None:
        row = ClassRow()
        row.pressed.connect(self.pressed)
        row.remove_wanted.connect(self.remove_wanted)
        row.rename_wanted.connect(self.rename_wanted)
        row.picture_clicked.connect(self.picture_clicked)
        self._layout.addWidget(row)
        self.rows.append(row)

    def _about_number(self) -> str:
        values = np.array(list(self._state.labels.values()), dtype=float)
        if not len(values):
            return "A number: take values from a column or a file."
        low, middle, high = np.percentile(values, [0, 50, 100])
        return f"<b>{len(values):,}</b> values from {low:.4g} to {high:.4g}, half of them below {middle:.4g}"


_HOW_TO = (
    "Name classes, or use <a href='#'>yes and no</a>, and label galaxies by their keys. Or take labels from "
    "<b>subsets</b> (select galaxies in any view first), a <b>column</b> or a <b>file</b>."
)


def key_style(colour: str) -> str:
    """Style sheet of a key in the colour of a class."""
    light = QtGui.QColor(colour).lighter(118).name()
    dark = QtGui.QColor(colour).darker(130).name()
    return (
        f"QPushButton {{ background: {colour}; color: white; border: none; border-radius: 5px;"
        " font-weight: bold; padding: 2px 6px; }"
        f"QPushButton:hover {{ background: {light}; }} QPushButton:pressed {{ background: {dark}; }}"
        "QPushButton:disabled { background: #c4c7cc; }"
    )
