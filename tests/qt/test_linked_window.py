"""Two linked datasets in one window: a click in the one without embeddings answers in the other."""

from __future__ import annotations

import numpy as np
from glue.core import Data
from glue.core.component import CategoricalComponent
from glue.core.link_helpers import JoinLink
from glue_qt.viewers.scatter import ScatterViewer

from tests.catalog.conftest import N, ids_of_survey
from tests.qt.conftest import click_point, members, wait_until


def test_a_click_in_a_linked_catalogue(app, data, scatter, similar):
    from glue_zoobot.qt.gallery.viewer import GalleryViewer
    from glue_zoobot.qt.similar.panel import SimilarPanel

    angle = np.linspace(0, 2 * np.pi, N, endpoint=False)
    spectra = Data(label="spectra", line=np.cos(angle), width=np.sin(angle))
    spectra.add_component(CategoricalComponent(np.array(ids_of_survey())), "objid")
    app.data_collection.append(spectra)
    app.data_collection.add_link(
        JoinLink(cids1=[spectra.id["objid"]], cids2=[data.id["objid"]], data1=spectra, data2=data)
    )
    galleries = [app.new_data_viewer(GalleryViewer, data=data) for _ in range(2)]
    other = app.new_data_viewer(ScatterViewer, data=spectra)
    other.state.x_att, other.state.y_att = spectra.id["line"], spectra.id["width"]
    other.toolbar.active_tool = "zoobot:similar"
    click_point(other, spectra, 20, "line", "width")
    wait_until(lambda: similar.question is not None)
    assert similar.data is data
    assert similar.like == (20,)
    similar.count = 4
    assert members(similar.group) == [18, 19, 21, 22]
    wait_until(lambda: "spectra" in app.findChild(SimilarPanel).footer.text())
    app.findChild(SimilarPanel).like_zone.dropped.emit(spectra, [24])  # joins the question, replaces nothing
    wait_until(lambda: similar.like == (20, 24))
    assert similar.data is data
    similar.find(data, [20])
    for gallery in galleries:
        gallery.state.sort_most_similar_first()
        wait_until(lambda gallery=gallery: gallery.model.rows[:1].tolist() == [20])
    galleries[0].close(warn=False)
    similar.find(data, [40])
    wait_until(lambda: galleries[1].model.rows[:1].tolist() == [40])
