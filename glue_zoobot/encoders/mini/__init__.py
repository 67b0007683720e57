"""
`mini`: the small galaxy encoder that ships with the package (weights, configuration, model card).

``recipes/train_mini.py`` makes the files beside this module; ``README.md`` says from what, and how good they
are.
"""

from __future__ import annotations

import hashlib

__all__ = ["held_out"]


def held_out(object_id: str) -> bool:
    """
    Whether a galaxy was kept out of training, and so may be used to measure `mini`.

    One galaxy in five, by a hash of its identifier: the split depends on neither order nor random numbers.

    Parameters
    ----------
    object_id : str
        The SDSS DR7 ``objID`` where there is one (a galaxy may be in two sets), else the name of the image.

    Returns
    -------
    bool
        True when the galaxy belongs to the measuring part.
    """
    return int(hashlib.sha256(object_id.encode()).hexdigest(), 16) % 5 == 0
