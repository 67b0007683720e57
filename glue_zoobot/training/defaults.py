"""Lengths of trainings where nobody says, alike on the command line, in Python and in the window."""

__all__ = ["FINETUNE_EPOCHS", "PATIENCE", "PRETRAIN_EPOCHS"]

# At most. The rate falls to zero over all of them, so more are not only a longer way to the same end; with
# some hundred labels 12 to 20 are enough (benchmarks/README.md), and on a CPU that is bearable.
FINETUNE_EPOCHS = 30
PATIENCE = 10
PRETRAIN_EPOCHS = 50
