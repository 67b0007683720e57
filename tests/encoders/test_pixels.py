from __future__ import annotations

import numpy as np
import pytest
import torch
from PIL import Image

from glue_zoobot.encoders import EncoderSpec, find
from glue_zoobot.encoders.pixels import as_batch, central_square, resize, to_input
from glue_zoobot.errors import EncoderError

ZOOBOT = find("convnext_nano")
GREY = find("greyscale-convnext_nano")


def spec(**fields):
    return EncoderSpec(name="x", family="timm", architecture="resnet18", weights="me/x", width=512, **fields)


def noise(height, width, seed=0):
    return np.random.default_rng(seed).integers(0, 256, (height, width, 3), dtype=np.uint8)


@pytest.mark.parametrize("side", [64, 120, 224, 300, 424])
def test_zoobot_keeps_the_central_part_of_every_frame(side):
    rows, columns = central_square(side, side, 1 / 1.2)
    assert rows == columns
    assert (rows.stop - rows.start) / side == pytest.approx(1 / 1.2, abs=1 / side)
    assert rows.start == side - rows.stop


@pytest.mark.parametrize(("height", "width"), [(1, 1), (2, 2), (3, 500), (500, 3), (1, 7)])
def test_the_smallest_frames_leave_a_square(height, width):
    rows, columns = central_square(height, width, 0.5)
    assert rows.stop - rows.start == columns.stop - columns.start >= 1


def test_a_wide_picture_gives_its_central_square():
    picture = noise(100, 200)
    assert torch.equal(resize(picture, spec()), resize(picture[:, 50:150], spec()))


def test_mirrored_pictures_give_mirrored_inputs():
    picture = noise(211, 211)
    mirrored = resize(picture[:, ::-1], ZOOBOT)
    difference = mirrored.int() - resize(picture, ZOOBOT).flip(-1).int()
    assert difference.abs().max() <= 1


@pytest.mark.parametrize("interpolation", ["bilinear", "bicubic"])
def test_scaling_is_antialiased(interpolation):
    picture = noise(424, 424)
    ours = resize(picture, spec(interpolation=interpolation, input_size=100)).permute(1, 2, 0).numpy()
    filters = {"bilinear": Image.Resampling.BILINEAR, "bicubic": Image.Resampling.BICUBIC}
    reference = np.asarray(Image.fromarray(picture).resize((100, 100), filters[interpolation]))
    assert np.abs(ours.astype(int) - reference).max() <= 1


def test_small_pictures_are_enlarged():
    seen = resize(noise(20, 20), ZOOBOT)
    assert seen.shape == (3, 224, 224)
    assert seen.dtype is torch.uint8


def test_a_picture_of_the_right_size_is_untouched():
    picture = noise(224, 224)
    assert np.array_equal(resize(picture, spec()).permute(1, 2, 0).numpy(), picture)


def test_the_callers_picture_is_never_written_to():
    picture = noise(224, 224)
    picture.flags.writeable = False
    resize(picture, spec()).zero_()
    assert picture.any()


def test_zoobot_sees_zero_to_one():
    black, white = np.zeros((64, 64, 3), np.uint8), np.full((64, 64, 3), 255, np.uint8)
    numbers = to_input(as_batch([black, white], ZOOBOT), ZOOBOT)
    assert numbers[0].unique().tolist() == [0.0]
    assert numbers[1].unique().tolist() == [1.0]


def test_mean_and_std_apply_per_channel():
    one = spec(mean=(0.0, 0.5, 1.0), std=(1.0, 0.5, 0.25))
    numbers = to_input(as_batch(np.full((1, 9, 9, 3), 255, np.uint8), one), one)
    assert numbers[0, :, 0, 0].tolist() == [1.0, 1.0, 0.0]


def test_grey_is_the_mean_of_the_colours():
    picture = np.zeros((64, 64, 3), np.uint8)
    picture[..., 0] = 90
    seen = resize(picture, GREY)
    assert seen.unique().tolist() == [30]
    numbers = to_input(seen[None], GREY)
    assert numbers.shape == (1, 1, 224, 224)
    assert numbers.unique().tolist() == pytest.approx([30 / 255])


@pytest.mark.parametrize(
    "picture",
    [
        np.zeros((64, 64), np.uint8),
        np.zeros((64, 64, 4), np.uint8),
        np.zeros((64, 64, 3), np.float32),
        np.zeros((3, 64, 64), np.uint8),
        np.zeros((0, 64, 3), np.uint8),
    ],
)
def test_other_shapes_and_types_are_refused_by_name(picture):
    with pytest.raises(EncoderError, match=r"uint8 \(H, W, 3\)") as caught:
        resize(picture, ZOOBOT)
    assert str(picture.shape) in str(caught.value)


def test_batches_of_floats_are_refused():
    with pytest.raises(EncoderError, match="uint8"):
        as_batch(torch.zeros(2, 3, 224, 224), ZOOBOT)


def test_pictures_of_different_sizes_make_one_batch():
    batch = as_batch([noise(64, 64), noise(300, 200), resize(noise(9, 9), ZOOBOT)], ZOOBOT)
    assert batch.shape == (3, 3, 224, 224)
    assert as_batch([], ZOOBOT).shape == (0, 3, 224, 224)
