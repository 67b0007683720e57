"""Where teaching begins: which catalogue, and what it is called that is taught."""

from __future__ import annotations

from typing import TYPE_CHECKING

from qtpy import QtCore, QtWidgets

from glue_zoobot.qt.begin_page import BeginPage
from glue_zoobot.wording import counted

if TYPE_CHECKING:
    from glue.core import Data
    from glue_qt.app import GlueApplication

__all__ = ["TeachBegin"]

_HOW_TO = """<p style="font-size: 13pt">What shall it learn?</p>
<p>Label a few galaxies, and the whole catalogue is predicted: <b>classes</b> such as ring and no ring, or a
<b>number</b> such as redshift. Pick subsets, press Train, see probabilities in every view, label what it asks
for, repeat.</p>"""


class TeachBegin(BeginPage):
    """
    The page shown before anything is taught.

    Attributes
    ----------
    begin_wanted : Signal(object, str)
        Dataset, and name of the target.
    votes_wanted : Signal(object)
        Dataset, whose votes of volunteers are to be learned.
    """

    begin_wanted = QtCore.Signal(object, str)
    votes_wanted = QtCore.Signal(object)

    def __init__(self, application: GlueApplication) -> None:
        name = QtWidgets.QComboBox(editable=True)
        label = QtWidgets.QLabel("Name of what you teach; its columns are called so")
        super().__init__(application, _HOW_TO, (label, name), "Start", "Use a head taught before…")
        self.name = name
        name.lineEdit().setPlaceholderText("ring, merger, kind, redshift …")
        name.lineEdit().returnPressed.connect(self._begin)
        self.text.linkActivated.connect(lambda _: self.votes_wanted.emit(self.data))

    def _begin(self) -> None:
        self.begin_wanted.emit(self.data, self.name.currentText())

    def _offer(self, data: Data) -> str:
        from glue_zoobot.catalog.teaching import known_targets
        from glue_zoobot.catalog.teaching.votes import questions_of

        typed = self.name.currentText()
        self.name.clear()
        self.name.addItems(known_targets(data))
        self.name.setCurrentText(typed or (self.name.itemText(0) if self.name.count() else ""))
        asked = counted(len(questions_of(data)), "question")
        return "" if asked.startswith("0 ") else f"It has <a href='#'>votes of volunteers on {asked}</a>."
