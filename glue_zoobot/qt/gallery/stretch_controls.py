"""How fluxes are shown: softening, white level, and which bands are red, green and blue."""

from __future__ import annotations

from typing import TYPE_CHECKING

from echo.qt import autoconnect_callbacks_to_qt
from qtpy.QtCore import QObject, QSignalBlocker, Qt
from qtpy.QtWidgets import (
    QCheckBox,
    QComboBox,
    QDoubleSpinBox,
    QFormLayout,
    QHBoxLayout,
    QLabel,
    QSizePolicy,
    QSlider,
    QWidget,
)

from glue_zoobot.catalog.pictures import Bands
from glue_zoobot.images.stretching import Stretch

if TYPE_CHECKING:
    from glue_zoobot.qt.gallery.state import GalleryViewerState

__all__ = ["StretchControls"]

SOFTENING = (0.1, 100.0)  # in units of the sky's noise
IN_COLOUR, MEAN = "In colour", "mean"
WHAT = (
    "Make the pictures anew from the fluxes in the files, for the eye alone: files, embeddings and\n"
    "what encoders see do not change"
)
NO_FLUXES = "These files hold pictures without the fluxes behind them (FITS or arrays of numbers do)"
COMBO_MARGIN = 30  # pixels of frame and arrow
CHANNELS = {"red": "#e05c5c", "green": "#4fa85f", "blue": "#5c8fe0"}


class BandChoice(QWidget):
    """
    Which bands are red, green and blue, or which one is shown in grey.

    Parameters
    ----------
    viewer_state : GalleryViewerState
        What the widgets follow and change.
    """

    def __init__(self, viewer_state: GalleryViewerState) -> None:
        super().__init__()
        self._state, self._bands = viewer_state, Bands()
        self.mode = QComboBox()
        self.mode.setToolTip("Three bands as a colour picture, or one of them in grey")
        self.mode.activated.connect(self._on_chosen)
        self.channels = {name: QComboBox() for name in CHANNELS}
        self.colours = QWidget()
        line = QHBoxLayout(self.colours)
        line.setContentsMargins(0, 0, 0, 0)
        line.setSpacing(2)
        for name, combo in self.channels.items():
            letter = QLabel(name[0].upper())
            letter.setStyleSheet(f"color:{CHANNELS[name]};font-weight:bold")
            combo.setSizePolicy(QSizePolicy.Ignored, QSizePolicy.Fixed)
            combo.setMinimumWidth(self.fontMetrics().horizontalAdvance(MEAN) + COMBO_MARGIN)
            combo.setToolTip(f"Band that is shown in {name}")
            combo.activated.connect(self._on_chosen)
            line.addWidget(letter)
            line.addWidget(combo, 1)
        self.channels["green"].setToolTip("Band that is shown in green, or the mean of the other two")
        viewer_state.add_callback("flux_bands", self.follow)

    def offer(self, bands: Bands) -> None:
        """Let the user choose among these."""
        self._bands = bands
        for combo, items in (
            (self.mode, (IN_COLOUR, *(f"{name} alone" for name in bands.names))),
            *((combo, bands.names) for combo in self.channels.values()),
        ):
            with QSignalBlocker(combo):
                combo.clear()
                combo.addItems(items)
        self.channels["green"].addItem(MEAN)
        if bands.names:
            self._show_colours(bands.drawn)
            self.follow()

    def follow(self, *args: object) -> None:
        """Show the choice of the state."""
        shown = tuple(self._state.flux_bands.split(",")) if self._state.flux_bands else self._bands.drawn
        self.mode.setCurrentText(f"{shown[0]} alone" if len(shown) == 1 else IN_COLOUR)
        self._show_colours(shown)
        self.colours.setEnabled(len(shown) > 1)

    def _show_colours(self, shown: tuple[str, ...]) -> None:
        if len(shown) > 1:
            red, *green, blue = shown
            for name, band in zip(self.channels, (red, *(green or [MEAN]), blue), strict=True):
                self.channels[name].setCurrentText(band)

    def _on_chosen(self, *args: object) -> None:
        if self.mode.currentIndex() > 0:
            chosen = (self._bands.names[self.mode.currentIndex() - 1],)
        else:
            colours = (combo.currentText() for combo in self.channels.values())
            chosen = tuple(band for band in colours if band != MEAN)
        self._state.flux_bands = "" if chosen == self._bands.drawn else ",".join(chosen)


class StretchControls(QObject):
    """
    The rows of a form about fluxes; they can be used where the catalogue has fluxes.

    Parameters
    ----------
    viewer_state : GalleryViewerState
        What the widgets follow and change.
    form : QFormLayout
        Gets the rows.
    """

    def __init__(self, viewer_state: GalleryViewerState, form: QFormLayout) -> None:
        super().__init__(form)
        self._state, self._form = viewer_state, form
        self.bool_restretch = QCheckBox("Stretch the fluxes anew")
        self.value_softening = QSlider(Qt.Horizontal, maximum=200)
        self.value_softening.setToolTip(
            "Left: faint parts rise (arcsinh); right: nearly linear. Up to so many times the noise of the\n"
            "sky the stretch is linear"
        )
        self.value_percentile = QDoubleSpinBox(
            minimum=50, maximum=100, decimals=2, singleStep=0.1, suffix=" %", keyboardTracking=False
        )
        self.value_percentile.setToolTip("Pixels brighter than this share of them are white")
        self.bands = BandChoice(viewer_state)
        form.addRow(self.bool_restretch)
        form.addRow("Softening", self.value_softening)
        form.addRow("White at", self.value_percentile)
        form.addRow("Bands", self.bands.mode)
        form.addRow("", self.bands.colours)
        self._several = False
        self._connections = autoconnect_callbacks_to_qt(
            viewer_state, self, {"value_softening": {"value_range": SOFTENING, "log": True}}
        )
        viewer_state.add_callback("restretch", self._show_rows)
        self.offer(None)

    def offer(self, bands: Bands | None) -> None:
        """Say which bands there are; without any the controls rest."""
        bands = bands or Bands()
        self.bool_restretch.setEnabled(bool(bands.names))
        self.bool_restretch.setToolTip(WHAT if bands.names else NO_FLUXES)
        self._several = len(bands.names) > 1
        self.bands.offer(bands)
        self._show_rows()

    def reset(self) -> None:
        """Show the pictures as the catalogue has them, and forget the choices."""
        plain = Stretch()
        self._state.restretch = False
        self._state.softening, self._state.percentile = plain.softening, plain.percentile
        self._state.flux_bands = ""

    def _show_rows(self, *args: object) -> None:
        wanted = self._state.restretch and self.bool_restretch.isEnabled()
        for widget in (self.value_softening, self.value_percentile):
            self._form.setRowVisible(widget, wanted)
        for widget in (self.bands.mode, self.bands.colours):
            self._form.setRowVisible(widget, wanted and self._several)
