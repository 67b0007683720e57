"""
Stands in for ``glue_zoobot finetune`` and ``pretrain``: the same events, at will.

``stub_training.py FOLDER WHAT``: four epochs, remembered in ``FOLDER/training/done``, so that a second run
resumes; does WHAT in the second: ``done`` (goes on to the end), ``wait``, ``memory`` or ``die``.
"""

import json
import os
import signal
import sys
import time
from pathlib import Path

CARD = "# made\n\nA galaxy encoder."
COMPARED = {
    "held_out": 40,
    "frozen": [["accuracy", 0.7, 0.6, 0.8], ["balanced accuracy", 0.7, 0.6, 0.8]],
    "tuned": [["accuracy", 0.8, 0.7, 0.9], ["balanced accuracy", 0.8, 0.7, 0.9]],
    "gain": ["balanced accuracy", 0.1, -0.02, 0.2],
}


def say(**event):
    sys.stdout.write(json.dumps(event) + "\n")
    sys.stdout.flush()


def cancelled(*_):
    say(event="cancelled")
    sys.exit(130)


def main(folder, what):
    signal.signal(signal.SIGTERM, cancelled)
    folder = Path(folder)
    memory = folder / "training" / "done"
    done = int(memory.read_text()) if memory.exists() else 0
    say(event="found", images=60, duplicates=[], text="60 images")
    if not done:
        say(event="epoch", epoch=0, held_out_loss=1.0, balanced_accuracy=0.5)
    for epoch in range(done + 1, 5):
        facts = {"stage": "training", "rate": 50.0, "seconds_left": 9.0, "broken": 0, "epochs": 4}
        say(event="progress", done=epoch * 10 - 5, total=40, epoch=epoch, loss=1.0 / epoch, **facts)
        if epoch == 2 and what == "wait":
            time.sleep(60)
        if epoch == 2 and what == "die":
            os.kill(os.getpid(), signal.SIGKILL)
        if epoch == 2 and what == "memory":
            say(event="error", message="The memory of cuda:0 is full at step 12. Take a --batch-size.")
            sys.exit(1)
        memory.write_text(str(epoch))
        loss = abs(epoch - 3) * 0.1 + 0.4
        say(event="epoch", epoch=epoch, loss=1.0 / epoch, held_out_loss=loss, balanced_accuracy=1 - loss)
    (folder / "README.md").write_text(CARD)
    (folder / "config.json").write_text("{}")
    (folder / "comparison.json").write_text(json.dumps(COMPARED))
    (folder / "curves.json").write_text(json.dumps({"curves": [{"epoch": 1, "loss": 1.0}]}))
    (folder / "head").mkdir(exist_ok=True)
    (folder / "head" / "head.json").write_text(json.dumps({"target": "ring"}))
    say(event="done", encoder=str(folder))


if __name__ == "__main__":
    main(*sys.argv[1:])
