"""*Zoobot: check installation*: what works and what is missing."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from qtpy import QtGui, QtWidgets
from qtpy.QtCore import Qt

from glue_zoobot.qt import SETUP_PROBLEMS
from glue_zoobot.qt.child import Child

if TYPE_CHECKING:
    from glue_qt.app import GlueApplication

__all__ = ["CheckDialog"]


class CheckDialog(QtWidgets.QDialog):
    """
    A list of findings, filled by a child process; it can be copied into a report.

    Parameters
    ----------
    application : GlueApplication
    """

    def __init__(self, application: GlueApplication) -> None:
        super().__init__(application)
        self.setAttribute(Qt.WA_DeleteOnClose)
        self.setWindowTitle("Zoobot: check installation")
        self.resize(720, 520)
        self.summary = QtWidgets.QLabel("Looking…", wordWrap=True)
        self.findings = QtWidgets.QTreeWidget(rootIsDecorated=False, alternatingRowColors=True)
        self.findings.setHeaderLabels(["", "What", "Found"])
        self.findings.setStyleSheet("QTreeView::item { padding: 2px 4px; }")
        self._problems: list[str] = []
        buttons = QtWidgets.QDialogButtonBox(QtWidgets.QDialogButtonBox.Close)
        copy = buttons.addButton("Copy", QtWidgets.QDialogButtonBox.ActionRole)
        copy.setToolTip("Copy the list, for instance into a bug report")
        copy.clicked.connect(self._copy)
        buttons.rejected.connect(self.reject)
        layout = QtWidgets.QVBoxLayout(self)
        layout.setContentsMargins(14, 12, 14, 12)
        layout.addWidget(self.summary)
        layout.addWidget(self.findings)
        layout.addWidget(buttons)
        for name, reason in SETUP_PROBLEMS.items():
            self._add({"what": f"in glue: {name}", "ok": False, "detail": reason, "required": True})
        self._child = Child(["-m", "glue_zoobot.installation"], self)
        self._child.said.connect(self._add)
        self._child.ended.connect(self._on_ended)
        self.finished.connect(lambda *_: self._child.abandon())
        self._child.start()

    def text(self) -> str:
        """Return the findings as lines of text."""
        items = [self.findings.topLevelItem(number) for number in range(self.findings.topLevelItemCount())]
        return "\n".join("  ".join(item.text(column) for column in range(3)) for item in items)

    def _add(self, finding: dict[str, Any]) -> None:
        mark = "✓" if finding["ok"] else ("✗" if finding["required"] else "–")
        item = QtWidgets.QTreeWidgetItem([mark, finding["what"], finding["detail"]])
        colour = {"✓": "#1c8a3c", "✗": "#c0281c", "–": "#b07a00"}[mark]
        item.setForeground(0, QtGui.QBrush(QtGui.QColor(colour)))
        item.setToolTip(2, finding["detail"])
        self.findings.addTopLevelItem(item)
        for column in (0, 1):
            self.findings.resizeColumnToContents(column)
        if finding["required"] and not finding["ok"]:
            self._problems.append(finding["what"])

    def _on_ended(self, code: int, crashed: bool) -> None:
        if crashed or code != 0:
            last = (self._child.errors.strip() or f"ended with code {code}").splitlines()[-1]
            self._add({"what": "check", "ok": False, "detail": last, "required": True})
        if self._problems:
            self.summary.setText(f"<b>Not everything works: {', '.join(self._problems)}.</b>")
        else:
            self.summary.setText(
                "<b>Everything that is needed works.</b> A – marks what would be used if it were here."
            )

    def _copy(self) -> None:
        QtWidgets.QApplication.clipboard().setText(self.text())
