"""Duplicates, from the menu to the groups."""

from __future__ import annotations

import numpy as np

from glue_zoobot.catalog import write_columns
from glue_zoobot.qt.duplicates_dialog import DuplicatesDialog
from tests.qt.conftest import members, wait_until
from tests.qt.test_actions import choose


def test_from_the_menu_to_the_groups(app, data):
    ra, dec = np.linspace(10, 300, 60), np.zeros(60)
    ra[8], dec[8] = ra[7], 10 / 3600
    write_columns(data, {"ra": ra, "dec": dec})
    mine = app.data_collection.new_subset_group("mine", data.id["redshift"] > 0.5)
    choose(app, data, "Zoobot: find duplicates…")
    app.session.edit_subset_mode.edit_subset = [mine]
    dialog = app.findChild(DuplicatesDialog)
    dialog.stamp.setValue(40)
    dialog.accept()
    wait_until(lambda: len(app.data_collection.subset_groups) > 1)
    groups = {group.label: members(group) for group in app.data_collection.subset_groups}
    assert groups["Overlapping cutouts"] == [7, 8]
    assert app.session.edit_subset_mode.edit_subset == [mine]
    assert "overlapping cutouts" in app.statusBar().currentMessage()


def test_without_places_the_dialog_says_what_is_compared(app, data):
    dialog = DuplicatesDialog(app, data)
    dialog.show()
    assert not dialog.radius.isVisible()
    dialog.accept()
    wait_until(lambda: "only pictures were compared" in app.statusBar().currentMessage())
