"""The *Similar galaxies* panel: a window onto the catalogue's `SimilarGalaxies` state, nothing more."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any

from glue.core.hub import HubListener
from glue.core.message import ApplicationClosedMessage
from qtpy import QtCore, QtGui, QtWidgets
from qtpy.QtCore import Qt

from glue_zoobot.errors import ZoobotError
from glue_zoobot.qt.host import icon_path, question_of
from glue_zoobot.qt.status import replace_status
from glue_zoobot.qt.threads import run_in_thread
from glue_zoobot.qt.thumbnail_strip import ThumbnailStrip

if TYPE_CHECKING:
    from glue.core import Data
    from glue_qt.app import GlueApplication

__all__ = ["MAX_COUNT", "SimilarPanel", "show_restored_answer", "similar_panel"]

#: The most look-alikes that can be asked for.
MAX_COUNT = 10_000

_SLIDER_STEPS = 400
_BEST_SHOWN = 20
_WIDTH = 270
_METRICS = (("cosine", "Angle (cosine)"), ("euclidean", "Distance (Euclidean)"))
_HOW_TO = """<p style="font-size: 13pt; color: #606060">Which galaxies look like this one?</p>
<p><b>In a scatter plot</b> choose <img src="{icon}" width="18" height="18"> <i>Similar galaxies</i>
(key N) and click a point.</p>
<p><b>In the Galaxy Gallery</b> select a galaxy and choose the same button.</p>
<p><b>On any subset</b> right-click it in the list at the left and choose
<i>Find similar to this subset</i>.</p>
<p style="color: #707070">The catalogue needs embeddings: right-click it and choose
<i>Zoobot: Embed…</i></p>"""


def similar_panel(application: GlueApplication) -> SimilarPanel:
    """Return the panel of an application; there is never more than one."""
    panel = application.findChild(SimilarPanel)
    if panel is None:
        panel = SimilarPanel(application)
        application.addDockWidget(Qt.RightDockWidgetArea, panel)
        application.resizeDocks([panel], [_WIDTH], Qt.Horizontal)
        panel.hide()
    return panel


def show_restored_answer(application: GlueApplication) -> None:
    """Show the panel of a session that was saved with an answer; does nothing once there is a panel."""
    from glue_zoobot.catalog import object_ids_of

    def show(_: object) -> None:
        if application.app is not None:  # not closed meanwhile
            similar_panel(application).show_result()

    question = question_of(application)
    if application.findChild(SimilarPanel) is None and question.like:
        data = question.data
        run_in_thread(application, lambda: object_ids_of(data), show)  # a second for a million


class CountSlider(QtWidgets.QSlider):
    """A slider from 1 to `maximum count` in equal ratios, so that 10 and 10,000 are both easy to hit."""

    count_changed = QtCore.Signal(int)

    def __init__(self, parent: QtWidgets.QWidget | None = None) -> None:
        super().__init__(Qt.Horizontal, parent)
        self.setRange(0, _SLIDER_STEPS)
        self.setPageStep(_SLIDER_STEPS // 10)
        self._max_count = MAX_COUNT
        self.valueChanged.connect(self._emit_count)

    def set_max_count(self, count: int) -> None:
        self._max_count = max(count, 2)

    def set_count(self, count: int) -> None:
        """Move the handle without a signal."""
        blocker = QtCore.QSignalBlocker(self)
        self.setValue(round(_SLIDER_STEPS * math.log(max(count, 1)) / math.log(self._max_count)))
        del blocker

    def _emit_count(self, position: int) -> None:
        self.count_changed.emit(round(self._max_count ** (position / _SLIDER_STEPS)))


class SimilarPanel(QtWidgets.QDockWidget, HubListener):
    """
    The question (example galaxies), how many answers, and what to do with them.

    Parameters
    ----------
    application : GlueApplication
        The main window; owner of the panel.
    """

    def __init__(self, application: GlueApplication) -> None:
        super().__init__("Similar galaxies", application)
        self.setObjectName("zoobot_similar_panel")
        self.setMinimumWidth(250)
        self.state = question_of(application)
        self._build()
        self._refresh_timer = QtCore.QTimer(self, singleShot=True, interval=0)
        self._refresh_timer.timeout.connect(self._refresh)
        self._count_timer = QtCore.QTimer(self, singleShot=True, interval=30)
        self._count_timer.timeout.connect(self._apply_count)
        for name in ("data", "like", "unlike", "count", "metric"):
            self.state.add_callback(name, self._schedule_refresh)
        self.state.add_callback("like", self._on_like)
        self._said = self.state.sentence()
        self._hub = application.session.hub
        self._hub.subscribe(self, ApplicationClosedMessage, handler=self._release)
        self._refresh()
        self._describe()

    def show_result(self) -> None:
        """Bring the panel to view."""
        self.show()
        self.raise_()

    # -- parts -------------------------------------------------------------------------------------

    def _build(self) -> None:
        self.pages = QtWidgets.QStackedWidget()
        self.pages.addWidget(self._empty_page())
        self.pages.addWidget(self._result_page())
        self.setWidget(self.pages)

    def _empty_page(self) -> QtWidgets.QWidget:
        label = QtWidgets.QLabel(_HOW_TO.format(icon=icon_path("similar")), wordWrap=True)
        label.setAlignment(Qt.AlignTop)
        label.setMargin(12)
        return label

    def _result_page(self) -> QtWidgets.QWidget:
        page = QtWidgets.QWidget()
        layout = QtWidgets.QVBoxLayout(page)
        layout.setContentsMargins(12, 8, 12, 8)
        layout.setSpacing(6)
        for part in (self._question(), self._how_many(), self._answer(), self._buttons()):
            layout.addLayout(part)
            layout.addSpacing(6)
        layout.addStretch(1)
        self.footer = QtWidgets.QLabel(wordWrap=True)
        self.footer.setStyleSheet("color: #707070;")
        layout.addWidget(self.footer)
        scroll = QtWidgets.QScrollArea(widgetResizable=True, frameShape=QtWidgets.QFrame.NoFrame)
        scroll.setHorizontalScrollBarPolicy(Qt.ScrollBarAlwaysOff)
        scroll.setWidget(page)
        return scroll

    def _question(self) -> QtWidgets.QLayout:
        layout = QtWidgets.QVBoxLayout()
        self.like_title = _title("Looks like")
        self.like_text = QtWidgets.QLabel(wordWrap=True, textInteractionFlags=Qt.TextSelectableByMouse)
        self.like_single = ThumbnailStrip(edge=108, columns=1, limit=1)
        self.like_several = ThumbnailStrip(edge=42, columns=5, limit=5)
        self.unlike_title = _title("And not like")
        self.unlike_several = ThumbnailStrip(edge=42, columns=5, limit=5)
        for widget in (self.like_title, self.like_single, self.like_several, self.like_text):
            layout.addWidget(widget)
        layout.addWidget(self.unlike_title)
        layout.addWidget(self.unlike_several)
        return layout

    def _how_many(self) -> QtWidgets.QLayout:
        grid = QtWidgets.QGridLayout()
        grid.setHorizontalSpacing(8)
        self.slider = CountSlider()
        self.slider.setToolTip("How many look-alikes to show, in every view at once")
        self.slider.count_changed.connect(self._on_slider)
        self.spin = QtWidgets.QSpinBox(minimum=1, maximum=MAX_COUNT, keyboardTracking=False)
        self.spin.setGroupSeparatorShown(True)
        self.spin.valueChanged.connect(self._on_spin)
        self.metric = QtWidgets.QComboBox()
        for value, text in _METRICS:
            self.metric.addItem(text, value)
        self.metric.setToolTip("How the likeness of two galaxies is measured")
        self.metric.activated.connect(self._on_metric)
        grid.addWidget(_title("How many"), 0, 0, 1, 2)
        grid.addWidget(self.slider, 1, 0)
        grid.addWidget(self.spin, 1, 1)
        grid.addWidget(_title("Compare by"), 2, 0, 1, 2)
        grid.addWidget(self.metric, 3, 0, 1, 2)
        grid.setColumnStretch(0, 1)
        return grid

    def _answer(self) -> QtWidgets.QLayout:
        layout = QtWidgets.QVBoxLayout()
        layout.addWidget(_title("Most similar"))
        self.best = ThumbnailStrip(edge=54, columns=4, limit=_BEST_SHOWN)
        layout.addWidget(self.best)
        return layout

    def _buttons(self) -> QtWidgets.QLayout:
        layout = QtWidgets.QHBoxLayout()
        self.keep_button = QtWidgets.QPushButton("Keep as subset")
        self.keep_button.setToolTip("Freeze this answer into a subset of its own")
        self.keep_button.clicked.connect(self._keep)
        self.clear_button = QtWidgets.QPushButton("Clear")
        self.clear_button.setToolTip("Forget the question and remove the highlighted answer")
        self.clear_button.clicked.connect(self._clear)
        layout.addWidget(self.keep_button, 1)
        layout.addWidget(self.clear_button)
        return layout

    # -- from the window to the state ----------------------------------------------------------------

    def _on_slider(self, count: int) -> None:
        blocker = QtCore.QSignalBlocker(self.spin)
        self.spin.setValue(count)
        del blocker
        self._count_timer.start()

    def _on_spin(self, count: int) -> None:
        self.slider.set_count(count)
        self._count_timer.start()

    def _apply_count(self) -> None:
        self.state.count = self.spin.value()

    def _on_metric(self, index: int) -> None:
        self.state.metric = self.metric.itemData(index)

    def _keep(self) -> None:
        try:
            group = self.state.keep()
        except ZoobotError as exc:
            self.footer.setText(str(exc))
        else:
            self.footer.setText(f"Kept as the subset “{group.label}”.")

    def _clear(self) -> None:
        self.state.clear()

    # -- from the state to the window ----------------------------------------------------------------

    def _schedule_refresh(self, *args: Any) -> None:
        self._refresh_timer.start()

    def _on_like(self, like: Any) -> None:
        self._describe()
        if like:
            self.show_result()

    def _describe(self) -> None:
        data = self.state.data
        if data is not None:  # a restored session has not read its embeddings yet, which takes a while
            run_in_thread(self, lambda: _embedded(data), self.footer.setText)

    def _refresh(self) -> None:
        self._follow_in_status_bars()
        data, like = self.state.data, list(self.state.like)
        if data is None or not like:
            self.pages.setCurrentIndex(0)
            return
        self.pages.setCurrentIndex(1)
        self._refresh_question()
        self._refresh_answer()

    def _follow_in_status_bars(self) -> None:
        before, self._said = self._said, self.state.sentence()
        if before:
            replace_status(self.parent(), before, self._said)

    def _refresh_question(self) -> None:
        from glue_zoobot.catalog import object_ids_of

        data, like, unlike = self.state.data, list(self.state.like), list(self.state.unlike)
        ids = object_ids_of(data)
        single = len(like) == 1
        self.like_single.setVisible(single)
        self.like_several.setVisible(not single)
        strip = self.like_single if single else self.like_several
        strip.show_rows(data, like, [str(ids[row]) for row in like[:5]])
        self.like_text.setText(str(ids[like[0]]) if single else f"{len(like):,} galaxies")
        self.unlike_title.setVisible(bool(unlike))
        self.unlike_several.setVisible(bool(unlike))
        self.unlike_several.show_rows(data, unlike, [str(ids[row]) for row in unlike[:5]])

    def _refresh_answer(self) -> None:
        from glue_zoobot.catalog import object_ids_of

        state = self.state
        ids, rows, scores = object_ids_of(state.data), state.rows, state.scores
        largest = max(1, min(MAX_COUNT, len(rows)))
        self.spin.setMaximum(largest)
        self.slider.set_max_count(largest)
        self._show_count(min(state.count, largest))
        self.metric.setCurrentIndex(max(0, self.metric.findData(state.metric)))
        best = list(rows[: min(_BEST_SHOWN, state.count)])
        self.best.show_rows(
            state.data, best, [f"{ids[r]}\nsimilarity {s:.3f}" for r, s in zip(best, scores, strict=False)]
        )

    def _show_count(self, count: int) -> None:
        if self._count_timer.isActive():
            return  # the user is moving the slider: his hand leads
        blocker = QtCore.QSignalBlocker(self.spin)
        self.spin.setValue(count)
        del blocker
        self.slider.set_count(count)

    def _release(self, *args: Any) -> None:
        """Let go of the state and the hub when the application closes."""
        for name in ("data", "like", "unlike", "count", "metric"):
            self.state.remove_callback(name, self._schedule_refresh)
        self.state.remove_callback("like", self._on_like)
        self._refresh_timer.stop()
        self._count_timer.stop()
        self._hub.unsubscribe_all(self)


def _embedded(data: Data) -> str:
    """Say how much of a dataset can be found, and what it is compared by."""
    from glue_zoobot.catalog import embeddings_of, why_no_embeddings

    embeddings = embeddings_of(data)
    if embeddings is None:
        return why_no_embeddings(data)
    return (
        f"{len(embeddings):,} of {data.size:,} galaxies of {data.label} embedded "
        f"with {embeddings.encoder_name}."
    )


def _title(text: str) -> QtWidgets.QLabel:
    label = QtWidgets.QLabel(text)
    font = QtGui.QFont(label.font())
    font.setBold(True)
    label.setFont(font)
    return label
