"""What the gallery says when there is nothing to see, and what to do about it."""

from __future__ import annotations

from html import escape

import numpy as np
from glue.core.data import Data
from qtpy.QtCore import Qt, Signal
from qtpy.QtWidgets import QLabel, QPushButton, QVBoxLayout, QWidget

from glue_zoobot import catalog
from glue_zoobot.qt.gallery.painting import BACKGROUND, TEXT

__all__ = ["EmptyPage"]


class EmptyPage(QWidget):
    """Explains why there are no pictures."""

    #: The user wants to say where the pictures are.
    attach_wanted = Signal()

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setObjectName("page")
        self.setAttribute(Qt.WA_StyledBackground)
        self.setStyleSheet(f"#page{{background:{BACKGROUND}}} QLabel{{color:{TEXT}}}")
        self.text = QLabel(alignment=Qt.AlignCenter, wordWrap=True)
        self.attach = QPushButton("Attach images…")
        self.attach.clicked.connect(self.attach_wanted)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(32, 32, 32, 32)
        layout.setSpacing(12)
        layout.addStretch()
        layout.addWidget(self.text)
        layout.addWidget(self.attach, alignment=Qt.AlignCenter)
        layout.addStretch()

    def explain(
        self, data: Data | None, images: catalog.RowImages | None, rows: np.ndarray, condition: str = ""
    ) -> bool:
        """Say what is missing; return whether anything is."""
        title, text = _explanation(data, images, rows, condition)
        self.text.setText(f"<h3>{title}</h3>{text}")
        self.attach.setVisible(data is not None and images is None)
        return bool(title)


def _explanation(
    data: Data | None, images: catalog.RowImages | None, rows: np.ndarray, condition: str
) -> tuple[str, str]:
    if data is None:
        return "No galaxies yet", "Drag a catalogue from the data collection here."
    if images is None:
        source = catalog.source_of(data)
        why = "Nobody has said yet where they are." if source is None else f"{source.path} cannot be opened."
        return f"No pictures for “{data.label}”", f"{why} Name a folder or file of pictures of its galaxies."
    if not len(rows) and condition:
        return "Nothing to show", f"No galaxy in the visible layers passes the filter {escape(condition)}"
    if not len(rows):
        return "Nothing to show", "The visible layers hold no galaxies. Tick a layer on the left."
    return "", ""
