"""
Whatever a user does, in whatever order: pictures keep their names, selections are his, nothing runs on.

A few short stories by default; ``GLUE_ZOOBOT_STORIES=50`` tells more, ``GLUE_ZOOBOT_STEPS=40`` longer ones.
"""

from __future__ import annotations

import gc
import os
import shutil
import sys
import tempfile
import threading
import weakref
from functools import wraps
from pathlib import Path
from traceback import format_exception

import numpy as np
from glue.core import Data
from glue.core.edit_subset_mode import AndMode, AndNotMode, NewMode, OrMode, ReplaceMode, XorMode
from glue.core.roi import RectangularROI
from glue_qt.utils import get_qapp, process_events
from hypothesis import HealthCheck, Phase, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule
from qtpy import QtCore
from qtpy.QtCore import Qt
from qtpy.QtTest import QTest

import glue_zoobot
import glue_zoobot.qt
from glue_zoobot.qt.finding import find_similar
from tests.catalog.conftest import FIRST_ID, N, ids_of_survey, vectors, write_store, write_survey
from tests.qt.conftest import click_point, wait_until

ROWS = st.integers(0, N - 1)
SEVERAL = st.lists(ROWS, min_size=1, max_size=5, unique=True)
PICK = st.integers(0, 7)  # one of whatever there is
MODES = (ReplaceMode, OrMode, AndMode, AndNotMode, XorMode, NewMode)
OURS = ("Similar galaxies", "Most interesting")


def when(condition):
    """
    Let a rule do nothing where a user could not do it.

    Not hypothesis's own precondition: it wants every story to go the same way twice, which threads may not.
    """

    def decorate(act):
        @wraps(act)
        def act_if_possible(self, **given):
            if condition(self):
                act(self, **given)

        return act_if_possible

    return decorate


class Stories(RuleBasedStateMachine):
    """A user in glue with one small survey."""

    @initialize()
    def start(self):
        from glue_qt.app import GlueApplication
        from glue_qt.viewers.scatter import ScatterViewer

        get_qapp()
        glue_zoobot.setup()
        glue_zoobot.qt.setup()
        self.folder = Path(tempfile.mkdtemp())
        self.problems = []
        self.hooks = sys.excepthook, threading.excepthook
        self.app = GlueApplication()
        sys.excepthook = lambda *error: self.note_problem(*error)
        threading.excepthook = lambda args: self.note_problem(*args[:3])
        self.survey = write_survey(self.folder / "project")
        write_store(self.survey.with_name("survey.csv.embeddings") / "test", ids_of_survey(), vectors())
        self.closed, self.chosen, self.scatter, self.data = [], [], None, None
        self.open_data()
        self.app.resize(1000, 700)
        self.app.show()
        self.scatter = self.app.new_data_viewer(ScatterViewer, data=self.data)
        self.scatter.state.x_att, self.scatter.state.y_att = self.data.id["x"], self.data.id["y"]
        self.open_gallery()

    def note_problem(self, *error):
        """
        Note what nobody caught, but for two faults of others.

        The list at the left of glue may look for data that were merged; and PyQt, when garbage is collected
        while it wraps an event, complains of its own constructor, without a line of anybody's code.
        """
        text = "".join(format_exception(*error))
        glues = "glue_qt/core/data_collection_model.py" in text and "glue_zoobot" not in text
        if not glues and error[2] is not None:
            self.problems.append(text)

    def open_data(self):
        from glue_zoobot.catalog import load

        self.data = load(self.survey)
        angles = np.linspace(0, 2 * np.pi, N, endpoint=False)
        self.data.add_component(np.cos(angles), "x")
        self.data.add_component(np.sin(angles), "y")
        self.app.data_collection.append(self.data)

    # -- what there is ---------------------------------------------------------------------------------

    @property
    def galleries(self):
        from glue_zoobot.qt.gallery.viewer import GalleryViewer

        return [viewer for tab in self.app.viewers for viewer in tab if isinstance(viewer, GalleryViewer)]

    @property
    def groups(self):
        return self.app.data_collection.subset_groups

    @property
    def question(self):
        from glue_zoobot.catalog import similar_galaxies

        return similar_galaxies(self.app.data_collection)

    @property
    def panel(self):
        from glue_zoobot.qt.similar.panel import similar_panel

        return similar_panel(self.app)

    def has_data(self):
        return self.data in self.app.data_collection

    def has_gallery(self):
        return self.has_data() and bool(self.galleries)

    def has_scatter(self):
        return self.has_data() and self.scatter is not None

    def has_groups(self):
        return len(self.groups) > 0

    # -- time passes ------------------------------------------------------------------------------------

    def settle(self):
        from glue_zoobot.qt.threads import _LIVE

        process_events(wait=0.02)
        wait_until(lambda: not _LIVE)
        process_events(wait=0.02)

    def user_chose(self):
        """Note what the user's subsets hold; from here on nobody else may change them."""
        self.settle()
        self.chosen = [(group, self.rows_of(group)) for group in self.groups if group.label not in OURS]

    def rows_of(self, group):
        from glue.core.exceptions import IncompatibleAttribute

        masks = {}
        for subset in group.subsets:
            try:
                masks[subset.data.uuid] = np.flatnonzero(subset.to_mask()).tolist()
            except IncompatibleAttribute:
                masks[subset.data.uuid] = None
        return masks

    # -- asking -----------------------------------------------------------------------------------------

    @rule(row=ROWS)
    @when(has_scatter)
    def click_a_point(self, row):
        self.scatter.toolbar.active_tool = "zoobot:similar"
        click_point(self.scatter, self.data, row, "x", "y")
        self.scatter.toolbar.active_tool = None
        self.settle()

    @rule(which=PICK, positions=SEVERAL, key=st.sampled_from([Qt.Key_S, Qt.Key_Plus, Qt.Key_Minus]))
    @when(has_gallery)
    def select_and_press(self, which, positions, key):
        gallery = self.galleries[which % len(self.galleries)]
        self.select(gallery, positions)
        QTest.keyClick(gallery.grid, key)
        self.settle()

    @rule(which=PICK)
    @when(lambda self: self.has_data() and len(self.groups) > 0)
    def find_similar_to_a_subset(self, which):
        from glue_zoobot.qt.actions import find_similar_to_subset

        find_similar_to_subset(self.groups[which % len(self.groups)], self.app.data_collection)
        self.close_messages()

    @rule(count=st.integers(1, N))
    @when(lambda self: self.question.question is not None)
    def move_the_slider(self, count):
        self.panel.spin.setValue(count)
        process_events(wait=0.06)

    @rule(rows=SEVERAL, wanted=st.booleans())
    @when(has_data)
    def drop_examples(self, rows, wanted):
        zone = self.panel.like_zone if wanted else self.panel.unlike_zone
        zone.dropped.emit(self.data, rows)

    @rule(which=PICK)
    @when(lambda self: self.question.question is not None)
    def take_an_example_off(self, which):
        question = self.question.question
        examples = [*question.like, *question.unlike]
        self.panel.like_zone.removed.emit(examples[which % len(examples)])

    @rule(button=st.sampled_from(["back_button", "forth_button", "keep_button", "clear_button"]))
    def press_in_the_panel(self, button):
        kept = button == "keep_button" and self.question.question is not None
        getattr(self.panel, button).click()
        if kept:
            self.user_chose()

    @rule(which=PICK)
    @when(lambda self: self.question.question is not None)
    def another_metric(self, which):
        choice = self.panel.comparison.metric_choice
        choice.setCurrentIndex(which % choice.count())
        choice.activated.emit(choice.currentIndex())

    # -- selecting --------------------------------------------------------------------------------------

    @rule(mode=st.sampled_from(MODES), which=PICK, none=st.booleans())
    def change_what_is_edited(self, mode, which, none):
        edit = self.app.session.edit_subset_mode
        edit.mode = mode
        edit.edit_subset = [] if none or not len(self.groups) else [self.groups[which % len(self.groups)]]

    @rule(corner=st.tuples(st.floats(-1, 1), st.floats(-1, 1)), size=st.floats(0.1, 2))
    @when(has_scatter)
    def lasso(self, corner, size):
        (x, y), edge = corner, size
        self.scatter.apply_roi(RectangularROI(x, x + edge, y, y + edge))
        self.user_chose()

    def select(self, gallery, positions):
        process_events(wait=0.02)
        shown = len(gallery.model.rows)
        for number, position in enumerate(positions if shown else []):
            keys = Qt.ControlModifier if number else Qt.NoModifier
            rect = gallery.grid.visualRect(gallery.model.index_of(position % shown))
            QTest.mouseClick(gallery.grid.viewport(), Qt.LeftButton, keys, rect.center())
        self.user_chose()

    @rule(which=PICK)
    @when(has_groups)
    def delete_a_subset(self, which):
        self.app.data_collection.remove_subset_group(self.groups[which % len(self.groups)])
        self.user_chose()

    # -- looking ----------------------------------------------------------------------------------------

    @rule()
    @when(lambda self: self.has_data() and len(self.galleries) < 2)
    def open_gallery(self):
        from glue_zoobot.qt.gallery.viewer import GalleryViewer

        self.app.new_data_viewer(GalleryViewer, data=self.data)

    @rule(which=PICK)
    @when(has_gallery)
    def close_a_gallery(self, which):
        gallery = self.galleries[which % len(self.galleries)]
        self.closed.append(weakref.ref(gallery))
        gallery.close(warn=False)

    @rule(row=ROWS, which=PICK)
    @when(has_gallery)
    def ask_and_close_at_once(self, row, which):
        """The answer comes when the window that asked is gone."""
        gallery = self.galleries[which % len(self.galleries)]
        self.closed.append(weakref.ref(gallery))
        self.select(gallery, [row])
        QTest.keyClick(gallery.grid, Qt.Key_S)
        gallery.close(warn=False)

    @rule(which=PICK, column=PICK, descending=st.booleans())
    @when(has_gallery)
    def sort_a_gallery(self, which, column, descending):
        state = self.galleries[which % len(self.galleries)].state
        choices = state.sort_att_helper.choices
        state.sort_att = choices[column % len(choices)]
        state.sort_descending = descending

    @rule(which=PICK, text=st.sampled_from(["", "redshift > 0.5", "x < 0 & y > 0", "no_such_column > 1"]))
    @when(has_gallery)
    def filter_a_gallery(self, which, text):
        self.galleries[which % len(self.galleries)].state.filter_text = text

    @rule()
    def close_the_panel(self):
        self.panel.close()

    # -- judging ----------------------------------------------------------------------------------------

    @rule(row=ROWS, value=st.integers(0, 5))
    @when(has_data)
    def rate(self, row, value):
        from glue_zoobot.qt.interest.panel import interest_panel
        from glue_zoobot.qt.labelling import press_digit

        interest_panel(self.app).show_panel()
        press_digit(self.app, self.data, [row], value)

    @rule(rows=SEVERAL, label=st.sampled_from(["ring", "other"]))
    @when(has_data)
    def label(self, rows, label):
        from glue_zoobot.catalog.teaching import teaching_of

        teaching = teaching_of(self.app.data_collection)
        if teaching.data is not self.data:
            teaching.open(self.data, "ring")
        teaching.label(rows, label)

    # -- the data ---------------------------------------------------------------------------------------

    @rule()
    @when(has_data)
    def remove_the_data(self):
        self.app.data_collection.remove(self.data)
        self.settle()
        self.scatter = None  # glue closes a plot without data
        self.user_chose()

    @rule()
    @when(lambda self: not self.has_data())
    def open_the_data_again(self):
        self.open_data()
        self.user_chose()

    @rule()
    @when(has_data)
    def merge_with_photometry(self):
        collection = self.app.data_collection
        collection.append(Data(label="photometry", g=np.arange(N) * 1.0))
        collection.merge(self.data, collection[-1])
        self.data = collection[-1]
        self.settle()
        self.scatter = None if self.scatter is None or not len(self.scatter.layers) else self.scatter
        self.user_chose()

    @rule()
    @when(has_data)
    def reload(self):
        log = getattr(self.data, "_load_log", None)
        if log is not None:
            log.reload()

    # -- what always holds ------------------------------------------------------------------------------

    def close_messages(self):
        self.settle()
        for box in self.app.findChildren(QtCore.QObject, "", Qt.FindDirectChildrenOnly):
            if box.metaObject().className() == "QMessageBox":
                box.close()

    @invariant()
    def nothing_was_raised(self):
        self.settle()
        assert not self.problems, "\n".join(self.problems)

    @invariant()
    def selections_are_the_users(self):
        for group, rows in self.chosen:
            assert group in self.groups, f"{group.label} has gone"
            assert self.rows_of(group) == rows, f"{group.label} has changed"

    @invariant()
    def pictures_have_their_own_names(self):
        from glue_zoobot.catalog import object_ids_of

        for gallery in self.galleries:
            data = gallery.state.data
            if data is None or not len(gallery.model.rows):
                continue
            ids, grid = object_ids_of(data), gallery.grid
            assert len(set(gallery.model.rows.tolist())) == len(gallery.model.rows)
            for position in grid.visible_positions()[:12]:
                row = int(gallery.model.rows[position])
                thumbnail = grid.thumbnail(row)
                if thumbnail is None:
                    continue  # still being read
                grey = thumbnail.pixmap.toImage().pixelColor(5, 5).red()
                assert grey == (int(ids[row]) - FIRST_ID) // 7

    def teardown(self):
        from glue_zoobot.qt.threads import _LIVE

        if not hasattr(self, "app"):
            return
        galleries = [weakref.ref(gallery) for gallery in self.galleries] + self.closed
        try:
            if self.has_data():
                find_similar(self.app, self.data, [0], lambda text: None)  # and close glue before it is found
            self.app.close()
            wait_until(lambda: not _LIVE)
            process_events(wait=0.1)
            assert not self.problems, "\n".join(self.problems)
            del self.app, self.scatter, self.data
            gc.collect()
            process_events()
            gc.collect()
            assert not [gallery() for gallery in galleries if gallery() is not None], "a gallery lives on"
            running = [timer for timer in _objects(QtCore.QTimer) if timer.isActive()]
            assert not running, "a timer runs on"
        finally:
            sys.excepthook, threading.excepthook = self.hooks
            shutil.rmtree(self.folder, ignore_errors=True)


def _objects(kind):
    """All Python objects of a kind, as far as Qt still has them."""
    found = []
    for one in gc.get_objects():
        try:
            if isinstance(one, kind):
                one.objectName()
                found.append(one)
        except RuntimeError:
            continue
    return found


TestStories = Stories.TestCase
TestStories.settings = settings(
    max_examples=int(os.environ.get("GLUE_ZOOBOT_STORIES", "4")),
    stateful_step_count=int(os.environ.get("GLUE_ZOOBOT_STEPS", "20")),
    deadline=None,
    phases=[Phase.generate],  # a story is long, and shortening it takes minutes
    derandomize="GLUE_ZOOBOT_STORIES" not in os.environ,
    database=None,
    suppress_health_check=list(HealthCheck),
)
