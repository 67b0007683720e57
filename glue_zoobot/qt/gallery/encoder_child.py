"""
Shows what an encoder sees, in a process of its own.

``python -m glue_zoobot.qt.gallery.encoder_child SPEC``, where SPEC is JSON of `EncoderSpec.to_dict`.
Reads JSON lines ``number``, ``shape``, ``pixels`` (base64 of uint8); writes for each a line ``seen`` with
``number`` and ``png`` (base64), or ``error`` with ``number`` and ``message``.
"""

from __future__ import annotations

import base64
import contextlib
import io
import json
import sys
from typing import TYPE_CHECKING, Any

import numpy as np

from glue_zoobot.errors import ZoobotError

if TYPE_CHECKING:
    from glue_zoobot.encoders import EncoderSpec

__all__ = ["main"]


def main(argument: str) -> int:
    """Answer requests until there are no more."""
    from glue_zoobot.encoders import EncoderSpec

    spec = EncoderSpec.from_dict(json.loads(argument))
    for line in sys.stdin:
        request = json.loads(line)
        try:
            answer = {"event": "seen", "png": _seen(request, spec)}
        except ZoobotError as error:
            answer = {"event": "error", "message": str(error)}
        sys.stdout.write(json.dumps({**answer, "number": request["number"]}) + "\n")
        sys.stdout.flush()
    return 0


def _seen(request: dict[str, Any], spec: EncoderSpec) -> str:
    from PIL import Image

    from glue_zoobot.encoders.pixels import resize

    pixels = np.frombuffer(base64.b64decode(request["pixels"]), np.uint8).reshape(request["shape"])
    stream = io.BytesIO()
    Image.fromarray(resize(pixels, spec).permute(1, 2, 0).numpy()).save(stream, "png")
    return base64.b64encode(stream.getvalue()).decode()


if __name__ == "__main__":
    with contextlib.suppress(BrokenPipeError):  # the window that asked is gone
        sys.exit(main(sys.argv[1]))
