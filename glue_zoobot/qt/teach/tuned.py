"""What fine-tuning gave: the frozen encoder and the tuned one on the same galaxies, and how to use it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from qtpy import QtCore, QtWidgets
from qtpy.QtCore import Qt

from glue_zoobot.qt.interest.widgets import title
from glue_zoobot.qt.styles import quiet_colour
from glue_zoobot.qt.train.jobs import gain_text

if TYPE_CHECKING:
    from glue_zoobot.catalog.teaching import Teaching

__all__ = ["TunedPart", "comparison_table"]


class TunedPart(QtWidgets.QWidget):
    """
    Fine-tuned encoders of a target.

    Parameters
    ----------
    state : Teaching

    Attributes
    ----------
    embed_wanted, head_wanted, card_wanted : Signal(object)
        Folder of an encoder: embed with it, use its head, show its card.
    back_wanted : Signal(object)
        A store to go back to.
    """

    embed_wanted = QtCore.Signal(object)
    head_wanted = QtCore.Signal(object)
    card_wanted = QtCore.Signal(object)
    back_wanted = QtCore.Signal(object)

    def __init__(self, state: Teaching) -> None:
        super().__init__()
        self._state = state
        self._shown: object = None
        self.which = QtWidgets.QComboBox()
        self.which.setFocusPolicy(Qt.NoFocus)
        self.which.setToolTip("Encoders that were fine-tuned to this, newest first")
        self.which.activated.connect(self._show_chosen)
        self.table = QtWidgets.QLabel(wordWrap=True, textFormat=Qt.RichText)
        self.gain = QtWidgets.QLabel(wordWrap=True)
        self.embed = self._button("Embed with it", "Describe every galaxy by it; what there is stays on disk")
        self.embed.clicked.connect(lambda: self.embed_wanted.emit(self.folder))
        self.head = self._button("Use its head", "Predict every galaxy with it; embeds them first if need be")
        self.head.clicked.connect(lambda: self.head_wanted.emit(self.folder))
        self.back = self._button("Back", "")
        self.back.clicked.connect(lambda: self.back_wanted.emit(self._state.store_before()))
        self.card = self._button("Card…", "From what it was made, how, and how it went")
        self.card.clicked.connect(lambda: self.card_wanted.emit(self.folder))
        buttons = QtWidgets.QHBoxLayout()
        buttons.setSpacing(4)
        for button in (self.embed, self.head, self.back, self.card):
            buttons.addWidget(button)
        buttons.addStretch(1)
        layout = QtWidgets.QVBoxLayout(self)
        layout.setContentsMargins(0, 4, 0, 0)
        layout.setSpacing(4)
        layout.addWidget(title("Fine-tuned"))
        for part in (self.which, self.table, self.gain):
            layout.addWidget(part)
        layout.addLayout(buttons)

    @property
    def folder(self) -> Path | None:
        """Of the chosen encoder."""
        return self.which.currentData()

    def refresh(self) -> None:
        """Show what the state says; reads files only when there is another encoder."""
        known = self._state.tuned_key()
        if known != self._shown:
            self._shown = known
            found, before = self._state.tuned_encoders(), self.folder
            self.which.clear()
            for folder in found:
                self.which.addItem(folder.name, folder)
            self.which.setCurrentIndex(max(0, self.which.findData(before)) if len(found) > 1 else 0)
            self._show_chosen()
        self.setVisible(self.which.count() > 0)
        if self.which.count():
            used = self._state.embedded_by(self.folder)
            self.embed.setVisible(not used)
            self.head.setVisible(not used or not self._state.uses_head_of(self.folder))
            before = self._state.store_before() if used else None
            self.back.setVisible(before is not None)
            if before is not None:
                self.back.setText(f"Back to {before.name}")
                self.back.setToolTip(f"Use the embeddings in {before} again, and the head taught on them")

    def choose(self, folder: Path) -> None:
        """Show one of the encoders."""
        self.refresh()
        self.which.setCurrentIndex(max(0, self.which.findData(folder)))
        self._show_chosen()

    def _show_chosen(self, *args: object) -> None:
        from glue_zoobot.catalog.encoders import read_comparison

        compared = read_comparison(self.folder) if self.folder is not None else None
        self.table.setVisible(compared is not None)
        self.gain.setText(
            gain_text(compared)
            if compared
            else "No galaxy was held out to measure it by: with more labels some would be."
        )
        if compared:
            self.table.setText(comparison_table(compared, quiet_colour(self).name()))

    @staticmethod
    def _button(text: str, tip: str) -> QtWidgets.QPushButton:
        button = QtWidgets.QPushButton(text, toolTip=tip)
        button.setFocusPolicy(Qt.NoFocus)
        button.setStyleSheet("padding: 4px 8px;")
        return button


def comparison_table(compared: Mapping[str, Any], grey: str) -> str:
    """Write the figures of both encoders with their 95 % intervals side by side."""
    tuned = {figure[0]: figure for figure in compared["tuned"]}
    lines = "".join(
        f"<tr><td>{figure[0]}</td>{_cells(figure, grey)}{_cells(tuned[figure[0]], grey, bold=True)}</tr>"
        for figure in compared["frozen"]
        if figure[0] in tuned and figure[1] is not None and tuned[figure[0]][1] is not None
    )
    head = "".join(
        f"<td colspan='2' style='padding-left:12px; color:{grey}'>{text}</td>"
        for text in ("as it was", "fine-tuned")
    )
    return f"<table cellspacing='0' cellpadding='1'><tr><td></td>{head}</tr>{lines}</table>"


def _cells(figure: Sequence[Any], grey: str, bold: bool = False) -> str:
    _, value, low, high = figure
    text = f"<b>{value:.2f}</b>" if bold else f"{value:.2f}"
    between = "" if low is None else f"{low:.2f}–{high:.2f}"
    return (
        f"<td align='right' style='padding-left:12px'>{text}</td>"
        f"<td style='padding-left:5px; color:{grey}; font-size:11px'>{between}</td>"
    )
