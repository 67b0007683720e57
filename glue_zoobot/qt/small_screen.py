"""glue's controls at the left stay narrow, and scroll where the screen is too low for them."""

from __future__ import annotations

from typing import TYPE_CHECKING

from qtpy import QtCore, QtWidgets
from qtpy.QtCore import Qt

if TYPE_CHECKING:
    from glue_qt.app import GlueApplication

__all__ = ["let_controls_scroll", "let_titles_be_cut"]

_NAME = "zoobot_controls"
_LOW = 860  # screen pixels: the controls of a scatter plot, menu, tool bar and title need as much


def let_controls_scroll(application: GlueApplication) -> None:
    """
    Put data, layers and options into a scroll area if the screen is low; does nothing a second time.

    Parameters
    ----------
    application : GlueApplication
    """
    splitter = application.findChild(QtWidgets.QSplitter, "main_splitter")
    screen = application.screen()
    if splitter is None or screen is None or splitter.widget(0).objectName() == _NAME:
        return
    if screen.availableGeometry().height() < _LOW:
        controls = splitter.widget(0)
        area, sizes = _Controls(), splitter.sizes()
        splitter.insertWidget(0, area)  # not replaceWidget: PySide then deletes the new one
        area.setWidget(controls)
        splitter.setSizes(sizes)
        controls.show()


def let_titles_be_cut(application: GlueApplication) -> None:
    """
    Let the title of a viewer not decide how wide the controls are: each change of viewer would move plots.

    Parameters
    ----------
    application : GlueApplication
    """
    for name in ("plot_layers_label", "plot_options_label"):
        label = application.findChild(QtWidgets.QLabel, name)
        if label is not None:
            label.setSizePolicy(QtWidgets.QSizePolicy.Ignored, label.sizePolicy().verticalPolicy())


class _Controls(QtWidgets.QScrollArea):
    """As wide as what is in it, and never scrolled sideways."""

    def __init__(self) -> None:
        super().__init__(widgetResizable=True, frameShape=QtWidgets.QFrame.NoFrame)
        self.setObjectName(_NAME)
        self.setHorizontalScrollBarPolicy(Qt.ScrollBarAlwaysOff)

    def minimumSizeHint(self) -> QtCore.QSize:
        if self.widget() is None:
            return super().minimumSizeHint()
        bar = self.style().pixelMetric(QtWidgets.QStyle.PM_ScrollBarExtent)
        return QtCore.QSize(self.widget().minimumSizeHint().width() + bar, 200)

    def sizeHint(self) -> QtCore.QSize:
        return self.minimumSizeHint()

    def eventFilter(self, watched: QtCore.QObject, event: QtCore.QEvent) -> bool:
        """Follow what is in it, which another viewer makes wider."""
        if event.type() == QtCore.QEvent.LayoutRequest:
            self.updateGeometry()
        return super().eventFilter(watched, event)
