"""The card of an encoder that was trained here: from what, how, and how it went."""

from __future__ import annotations

from pathlib import Path

from qtpy import QtCore, QtGui, QtWidgets
from qtpy.QtCore import Qt

from glue_zoobot.qt.train.curves import EpochPlot, best_epoch, judged_by

__all__ = ["CardDialog"]


class CardDialog(QtWidgets.QDialog):
    """
    A window with the curves and the model card.

    Parameters
    ----------
    parent : QWidget
    folder : Path
        Of the encoder.
    """

    def __init__(self, parent: QtWidgets.QWidget, folder: Path) -> None:
        super().__init__(parent, windowTitle=f"Encoder {folder.name}")
        self.setAttribute(Qt.WA_DeleteOnClose)
        self.text = QtWidgets.QTextBrowser()
        self.text.setOpenExternalLinks(True)
        try:
            self.text.setMarkdown((folder / "README.md").read_text(encoding="utf-8"))
        except OSError as error:
            self.text.setPlainText(f"There is no card: {error}")
        buttons = QtWidgets.QDialogButtonBox(QtWidgets.QDialogButtonBox.Close)
        buttons.rejected.connect(self.reject)
        open_folder = buttons.addButton("Open folder", QtWidgets.QDialogButtonBox.ActionRole)
        open_folder.clicked.connect(
            lambda: QtGui.QDesktopServices.openUrl(QtCore.QUrl.fromLocalFile(str(folder)))
        )
        layout = QtWidgets.QVBoxLayout(self)
        layout.addLayout(_plots(folder))
        layout.addWidget(self.text, 1)
        layout.addWidget(buttons)

    def sizeHint(self) -> QtCore.QSize:
        return QtCore.QSize(680, 640)


def _plots(folder: Path) -> QtWidgets.QLayout:
    from glue_zoobot.catalog.encoders import read_curves

    epochs = read_curves(folder)
    row = QtWidgets.QHBoxLayout()
    if epochs:
        best, (key, chance) = best_epoch(epochs), judged_by(epochs)
        for keys in (("loss", "held_out_loss"), () if key is None else (key,)):
            plot = EpochPlot()
            plot.show_epochs(epochs, keys, best, chance if keys == (key,) else None)
            plot.setVisible(bool(keys))
            row.addWidget(plot)
    return row
