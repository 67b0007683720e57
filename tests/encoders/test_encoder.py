from __future__ import annotations

import pickle

import numpy as np
import pytest
import torch

from glue_zoobot.encoders import Encoder, find, finite_rows, load

from .conftest import random_network


@pytest.fixture(scope="module")
def encoder(tiny_directory):
    return load(str(tiny_directory), device="cpu")


def same(one, two):
    return np.abs(one - two).max() <= 1e-5 * np.linalg.norm(two, axis=-1).max()


def test_embedding_depends_on_the_picture_alone(encoder, pictures):
    # the network has batch normalisation, which would mix a batch if it were not in evaluation mode
    together = encoder.embed(pictures)
    assert same(encoder.embed(pictures[::-1])[::-1], together)
    assert same(np.concatenate([encoder.embed(pictures[i : i + 1]) for i in range(12)]), together)
    assert same(np.concatenate([encoder.embed(pictures[:5]), encoder.embed(pictures[5:])]), together)


def test_embedding_again_gives_the_same(encoder, pictures):
    assert np.array_equal(encoder.embed(pictures), encoder.embed(pictures))


def test_different_pictures_differ(encoder, pictures):
    vectors = encoder.embed(pictures)
    assert len(np.unique(vectors.round(6), axis=0)) == 12


def test_pictures_resized_beforehand_give_the_same(encoder, pictures):
    ready = torch.stack([encoder.resize(picture) for picture in pictures])
    assert np.array_equal(encoder.embed(ready), encoder.embed(pictures))
    assert np.array_equal(encoder.embed(list(ready)), encoder.embed(pictures))


@pytest.mark.parametrize("name", ["convnext_nano", "greyscale-convnext_nano", "resnet50.a1_in1k"])
def test_view_is_what_the_network_is_fed(name, pictures):
    spec = find(name)
    encoder = Encoder(spec, torch.nn.Identity())
    view = encoder.view(pictures[0])
    assert view.shape == (spec.input_size, spec.input_size, 3)
    assert view.dtype == np.uint8
    fed = encoder.preprocess(pictures[:1])[0]
    mean, std = (torch.tensor(values).view(-1, 1, 1) for values in (spec.mean, spec.std))
    shown = ((fed * std + mean) * 255).permute(1, 2, 0).numpy()
    np.testing.assert_allclose(np.broadcast_to(shown, view.shape), view, atol=1e-3)


def test_an_empty_batch_gives_no_rows(encoder):
    assert encoder.embed(np.empty((0, 64, 64, 3), np.uint8)).shape == (0, encoder.width)


def test_a_grey_encoder_does_not_touch_later_colour_ones(tmp_path, tiny_directory, pictures):
    from timm.models import save_for_hf

    save_for_hf(random_network("test_efficientnet", channels=1), tmp_path / "grey", safe_serialization=True)
    before = load(str(tiny_directory), device="cpu").embed(pictures)
    grey = load(tmp_path / "grey", device="cpu")
    assert grey.spec.channels == 1
    assert grey.embed(pictures).shape == before.shape
    assert np.array_equal(load(str(tiny_directory), device="cpu").embed(pictures), before)


def test_rows_that_are_not_finite_can_be_told(pictures):
    class Overflowing(torch.nn.Module):
        def forward(self, inputs):
            vectors = inputs.mean((2, 3))
            vectors[1, 0], vectors[2, 0] = torch.nan, torch.inf
            return vectors

    encoder = Encoder(find("convnext_nano").replace(width=3), Overflowing())
    assert finite_rows(encoder.embed(pictures[:4])).tolist() == [True, False, False, True]


def test_precision_can_be_changed_and_taken_back(tiny_directory, pictures):
    encoder = load(str(tiny_directory), device="cpu")
    exact = encoder.embed(pictures)
    encoder.set_precision("bfloat16")
    rounded = encoder.embed(pictures)
    assert rounded.dtype == np.float32
    assert not np.array_equal(rounded, exact)
    encoder.set_precision("float32")
    assert np.array_equal(encoder.embed(pictures), exact)


def test_a_description_travels_to_another_process(encoder, pictures):
    there = load(pickle.loads(pickle.dumps(encoder.spec)), device=encoder.device)
    assert np.array_equal(there.embed(pictures), encoder.embed(pictures))


def test_mobilenet_trained_in_tensorflow_gives_the_trained_features(shared_weights):
    torchvision = pytest.importorskip("torchvision")
    from safetensors.torch import load_file
    from torch.nn import functional

    path = shared_weights / "mobilenet_v2_imagenet_torchvision.safetensors"
    reference = torchvision.models.mobilenet_v2(weights=None)
    reference.load_state_dict(load_file(path))
    reference.eval()
    for layer in reference.modules():
        if isinstance(layer, torch.nn.Conv2d) and layer.stride == (2, 2):
            layer.padding = (0, 0)
            layer.register_forward_pre_hook(
                lambda _, arguments: (functional.pad(arguments[0], (0, 1, 0, 1)),)
            )
    picture = np.random.default_rng(0).integers(0, 256, (1, 224, 224, 3), dtype=np.uint8)
    with torch.inference_mode():
        inputs = torch.from_numpy(picture).permute(0, 3, 1, 2) / 127.5 - 1
        expected = reference.features(inputs).mean((2, 3)).numpy()
    encoder = load(path, device="cpu")
    assert encoder.spec.licence == "Apache-2.0"
    np.testing.assert_allclose(encoder.embed(picture), expected, atol=2e-4)
