"""Rating galaxies by interest: one state that windows follow, and what it is made of."""

from glue_zoobot.catalog.interest.best import GROUP_LABEL, RANK, RATING, SCORE
from glue_zoobot.catalog.interest.state import MODES, Interest, interest_of

__all__ = ["GROUP_LABEL", "MODES", "RANK", "RATING", "SCORE", "Interest", "interest_of"]
