"""Views of galaxies: what each augmentation changes, and what it leaves alone."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from glue_zoobot.errors import EncoderError
from glue_zoobot.images import rgb
from glue_zoobot.images.simulated import SimulatedGalaxies
from glue_zoobot.training import augment
from glue_zoobot.training.augment import NAMES, Augmentations, plain_view, random_view
from glue_zoobot.training.loop import generator
from glue_zoobot.training.stretch import COMPOSITES

SDSS = COMPOSITES["sdss"]


@pytest.fixture(scope="module")
def frames():
    source = SimulatedGalaxies(n=6, size=64)
    return torch.stack([torch.from_numpy(source.read(i)).permute(2, 0, 1) for i in range(6)])


@pytest.mark.parametrize("preset", ["sdss", "legacy"])
def test_colours_are_those_of_the_preset_and_can_be_undone(preset):
    composite = COMPOSITES[preset]
    flux = np.random.default_rng(0).exponential(0.01, (3, 16, 16)).astype(np.float32)
    scaled = torch.from_numpy(flux)[None] * torch.tensor(composite.scales)[:, None, None]
    colours = composite.to_colours(scaled)
    np.testing.assert_allclose(colours[0], np.clip(rgb.PRESETS[preset][1](flux), 0, 1), atol=1e-6)
    unsaturated = (colours < 1).all(1)[0]
    assert unsaturated.float().mean() > 0.9
    back = composite.to_flux(colours)[0]
    torch.testing.assert_close(back[:, unsaturated], scaled[0][:, unsaturated], rtol=1e-4, atol=1e-6)


def test_nothing_switched_on_is_the_plain_view(frames):
    none = Augmentations().only()
    view = random_view(frames, 48, 0.8, SDSS, none, generator("cpu", 0))
    torch.testing.assert_close(view, plain_view(frames, 48, 0.8, SDSS), atol=1e-5, rtol=0)
    whole = plain_view(frames, 64, 1.0, SDSS)
    torch.testing.assert_close(whole, frames / 255)


@pytest.mark.parametrize("name", NAMES)
def test_each_augmentation_alone_changes_the_view(frames, name):
    view = random_view(frames, 48, 0.8, SDSS, Augmentations().only(name), generator("cpu", 1))
    assert view.shape == (6, 3, 48, 48)
    assert view.min() >= 0
    assert view.max() <= 1
    assert (view - plain_view(frames, 48, 0.8, SDSS)).abs().amax() > 0.01


def test_same_numbers_same_views(frames):
    one, two, other = (
        random_view(frames, 48, 0.8, SDSS, Augmentations(), generator("cpu", n)) for n in (3, 3, 4)
    )
    assert torch.equal(one, two)
    assert not torch.equal(one, other)


def test_rotations_and_flips_are_rigid():
    turns = augment.orientation(200, True, True, generator("cpu", 0))
    torch.testing.assert_close(turns @ turns.mT, torch.eye(2).expand(200, 2, 2), atol=1e-5, rtol=0)
    assert 60 < (torch.linalg.det(turns) < 0).sum() < 140
    assert (torch.linalg.det(augment.orientation(50, True, False, generator("cpu", 0))) > 0).all()


def test_jitter_and_zoom_stay_within_their_limits():
    shift = augment.jitter(1000, 0.03, generator("cpu", 0))
    assert 0.05 < shift.abs().max() <= 0.06  # the frame is 2 wide
    fields = augment.zoom(1000, 1.3, generator("cpu", 0))
    assert fields.min() >= 1 / 1.3 - 1e-6
    assert fields.max() <= 1.3 + 1e-6


def test_seeing_is_a_gaussian_that_keeps_the_flux():
    star = torch.zeros(2, 1, 31, 31)
    star[:, :, 15, 15] = 1.0
    blurred = augment.seeing(star, torch.tensor([0.0, 2.0]))
    torch.testing.assert_close(blurred[0], star[0])
    assert blurred[1].sum() == pytest.approx(1, abs=1e-5)
    offsets = torch.arange(31.0) - 15
    variance = (blurred[1, 0].sum(0) * offsets**2).sum()
    assert variance.sqrt() == pytest.approx(2, rel=0.03)


def test_dust_dims_blue_more_than_red_and_acts_on_flux(frames):
    fluxes = SDSS.to_flux(frames[:1] / 255).half()
    only_dust = Augmentations(dust="uniform").only("dust")
    reddened = random_view(fluxes, 64, 1.0, SDSS, only_dust, generator("cpu", 5))
    before, after = SDSS.to_flux(frames[:1] / 255), SDSS.to_flux(reddened)
    ratio = [(after[0, band].sum() / before[0, band].sum()).item() for band in range(3)]
    ebv = -2.5 * np.log10(ratio) / [1.698, 2.285, 3.303]
    assert 0 < ebv[0] < 0.5
    np.testing.assert_allclose(ebv, ebv[0], rtol=0.02)


def test_an_unknown_augmentation_is_named():
    with pytest.raises(EncoderError, match="'shear'"):
        Augmentations().without(["shear"])
