"""
A look ahead, run in a child process: what an encoder sees of a few galaxies, and how fast it is here.

``python -m glue_zoobot.qt.probe REQUEST``, where REQUEST is JSON: ``source`` (of `SourceSpec.to_dict`),
``encoder``, ``device``. Writes JSON lines: ``devices``, one ``view`` per galaxy, then ``rate`` or ``note``.
"""

from __future__ import annotations

import base64
import contextlib
import io
import json
import sys
import tempfile
import threading
import time
from typing import TYPE_CHECKING, Any

from glue_zoobot.errors import ImageError, ZoobotError

if TYPE_CHECKING:
    import numpy as np

    from glue_zoobot.encoders import EncoderSpec
    from glue_zoobot.images import ImageSource

__all__ = ["main"]

N_VIEWS = 4
_SAMPLE = 256  # most images of the speed test
_SECONDS = 4.0  # longest time of the speed test
_EDGE = 224  # largest edge of a preview picture, pixels


def main(argument: str) -> int:
    """Answer one request; the exit code is 1 if it cannot be answered."""
    request = json.loads(argument)
    try:
        _answer(request)
    except ZoobotError as error:
        _say(event="error", message=str(error))
        return 1
    return 0


def _answer(request: dict[str, Any]) -> None:
    from glue_zoobot.encoders import find, is_cached
    from glue_zoobot.images import SourceSpec, open_catalogue

    spec = find(request["encoder"])
    catalogue = open_catalogue(SourceSpec.from_dict(request["source"]))
    _say(event="devices", devices=_devices())
    _show_views(catalogue.source, spec)
    if is_cached(spec):
        rate = _measure(catalogue.source, spec, request["device"])
        if rate is not None:
            _say(event="rate", rate=rate)
    else:
        size = f" ({spec.size_mb:,.0f} MB)" if spec.size_mb else ""
        _say(event="note", text=f"The weights{size} will be downloaded first; the speed is not known before.")


def _devices() -> list[str]:
    import torch

    cuda = [f"cuda:{number}" for number in range(torch.cuda.device_count())]
    mps = ["mps"] if torch.backends.mps.is_available() else []
    return [*cuda, *mps, "cpu"]


def _show_views(source: ImageSource, spec: EncoderSpec) -> None:
    """Write the picture and the exact input of galaxies from all over the catalogue."""
    from glue_zoobot.encoders.pixels import resize

    shown = 0
    for row in _spread(len(source), 5 * N_VIEWS):
        try:
            image = source.read(row)
        except ImageError:
            continue
        seen = resize(image, spec).permute(1, 2, 0).numpy()
        _say(event="view", object_id=str(source.object_ids[row]), image=_png(image), seen=_png(seen))
        shown += 1
        if shown == N_VIEWS:
            return


def _measure(source: ImageSource, spec: EncoderSpec, device: str) -> float | None:
    """Embed a sample with the real job, into a folder that is thrown away; images per second."""
    from glue_zoobot.embedding import EmbeddingStore, Plan, Progress, run
    from glue_zoobot.encoders import load

    encoder = load(spec, device)
    plan = Plan.freeze(source.object_ids[_spread(len(source), _SAMPLE)])
    enough, moments = threading.Event(), [(time.perf_counter(), 0)]

    def note(progress: Progress) -> None:
        moments.append((time.perf_counter(), progress.done))
        if moments[-1][0] - moments[0][0] > _SECONDS:
            enough.set()

    with tempfile.TemporaryDirectory(prefix="glue-zoobot-", ignore_cleanup_errors=True) as folder:
        store = EmbeddingStore.create(folder, plan, encoder.spec)
        run(plan, store, source, encoder, progress=note, cancelled=enough)
    # The first report ends the choice of precision and batch size, which happens once a job.
    first, last = moments[min(1, len(moments) - 1)], moments[-1]
    if last[1] == first[1]:
        first = moments[0]
    return (last[1] - first[1]) / (last[0] - first[0]) if last[1] > first[1] else None


def _spread(total: int, wanted: int) -> list[int]:
    """Return up to `wanted` different rows from all over the catalogue, ascending."""
    return sorted({total * number // wanted for number in range(wanted)}) if total else []


def _png(image: np.ndarray) -> str:
    from PIL import Image

    picture = Image.fromarray(image)
    picture.thumbnail((_EDGE, _EDGE))
    stream = io.BytesIO()
    picture.save(stream, "png")
    return base64.b64encode(stream.getvalue()).decode()


def _say(**event: Any) -> None:
    sys.stdout.write(json.dumps(event) + "\n")
    sys.stdout.flush()


if __name__ == "__main__":
    with contextlib.suppress(BrokenPipeError):  # the window that asked is gone
        sys.exit(main(sys.argv[1]))
