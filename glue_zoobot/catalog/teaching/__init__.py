"""Teaching a class or a quantity: one state that windows follow, and what it is made of."""

from glue_zoobot.catalog.teaching.state import MODES, TaughtClass, Teaching, known_targets, teaching_of

__all__ = ["MODES", "TaughtClass", "Teaching", "known_targets", "teaching_of"]
