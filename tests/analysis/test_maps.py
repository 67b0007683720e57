"""Maps: the same seed gives the same map, and says how it was made."""

import json

import numpy as np
import pytest

from glue_zoobot.analysis.maps import make_map, pca_map, umap_map
from glue_zoobot.analysis.principal import principal_axes
from glue_zoobot.errors import AnalysisError


@pytest.fixture
def two_clouds():
    rng = np.random.default_rng(1)
    matrix = rng.standard_normal((300, 12)).astype(np.float32)
    matrix[150:, 3] += 20
    return matrix


def test_pca_agrees_with_scikit_learn(two_clouds):
    from sklearn.decomposition import PCA

    positions, provenance = pca_map(two_clouds, n_components=3)
    expected = PCA(3, svd_solver="full").fit(two_clouds)
    np.testing.assert_allclose(np.abs(positions), np.abs(expected.transform(two_clouds)), atol=1e-3)
    np.testing.assert_allclose(
        provenance["explained_variance_ratio"], expected.explained_variance_ratio_, atol=1e-3
    )
    assert positions.dtype == np.float32


def test_broken_rows_have_no_place(two_clouds):
    two_clouds[7] = np.nan
    positions, _ = make_map(two_clouds, "pca")
    assert np.isnan(positions[7]).all()
    assert np.isfinite(np.delete(positions, 7, axis=0)).all()


def test_umap_of_a_subset_places_the_rest(two_clouds):
    two_clouds[7] = np.nan
    positions, provenance = umap_map(two_clouds, subset=120)
    again, _ = make_map(two_clouds, "umap", subset=120)
    np.testing.assert_array_equal(positions, again)
    assert provenance["fitted_to"] == 120
    assert json.loads(json.dumps(provenance)) == provenance
    assert np.flatnonzero(np.isnan(positions[:, 0])).tolist() == [7]
    positions = np.delete(positions, 7, axis=0)
    centre = positions[:149].mean(axis=0), positions[149:].mean(axis=0)
    nearer = np.linalg.norm(positions - centre[0], axis=1) < np.linalg.norm(positions - centre[1], axis=1)
    assert nearer[:149].mean() > 0.95
    assert nearer[149:].mean() < 0.05


def test_too_few_or_unknown(two_clouds):
    with pytest.raises(AnalysisError, match="two galaxies"):
        pca_map(two_clouds[:1])
    with pytest.raises(AnalysisError, match="at least four"):
        umap_map(two_clouds[:3])
    with pytest.raises(AnalysisError, match="pca, umap"):
        make_map(two_clouds, "tsne")


def test_axes_of_many_rows_come_from_a_fixed_sample(monkeypatch, two_clouds):
    monkeypatch.setattr("glue_zoobot.analysis.principal.FIT_ROWS", 200)
    first = principal_axes(two_clouds, 2, random_state=5)
    np.testing.assert_array_equal(first.axes, principal_axes(two_clouds, 2, random_state=5).axes)
    assert np.abs(first.axes[0, 3]) > 0.99
