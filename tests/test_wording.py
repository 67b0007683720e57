"""Numbers of things are said in the right number."""

from __future__ import annotations

import pytest

from glue_zoobot.wording import counted


@pytest.mark.parametrize(
    ("number", "thing", "said"),
    [
        (1, "galaxy", "1 galaxy"),
        (0, "galaxy", "0 galaxies"),
        (1234, "image", "1,234 images"),
        (2, "embedded galaxy", "2 embedded galaxies"),
        (2, "class", "2 classes"),
    ],
)
def test_singular_and_plural(number, thing, said):
    assert counted(number, thing) == said
