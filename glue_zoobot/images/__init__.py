"""Where a galaxy's picture is, and how a row becomes RGB pixels."""

from glue_zoobot.images.catalogue import Catalogue
from glue_zoobot.images.opening import open_catalogue
from glue_zoobot.images.source import ImageSource, Picture
from glue_zoobot.images.spec import SourceSpec
from glue_zoobot.images.surveying import Survey, survey

__all__ = ["Catalogue", "ImageSource", "Picture", "SourceSpec", "Survey", "open_catalogue", "survey"]
