"""Results stay visible where glue would draw a density map."""

from __future__ import annotations

import numpy as np
from glue.core import Data
from glue.core.subset import ElementSubsetState, RangeSubsetState
from glue_qt.viewers.scatter import ScatterViewer


def test_only_our_results_are_markers_in_a_large_catalogue(app):
    n = 100_001
    rank = np.full(n, np.nan, dtype=np.float32)
    rank[:100] = np.arange(100)
    rng = np.random.default_rng(0)
    data = Data(x=rng.normal(size=n), y=rng.normal(size=n), similarity_rank=rank, label="large")
    app.data_collection.append(data)
    viewer = app.new_data_viewer(ScatterViewer, data=data)
    app.data_collection.new_subset_group("users", ElementSubsetState([1, 2, 3], data=data))
    state = RangeSubsetState(0.5, 50.5, att=data.id["similarity_rank"])
    app.data_collection.new_subset_group("Similar galaxies", state)
    density = {layer.layer.label: layer.density_map for layer in viewer.state.layers}
    assert density == {"large": True, "users": True, "Similar galaxies": False}
