"""Sphinx configuration."""

import glue_zoobot

project = "glue-zoobot"
author = "The glue-zoobot developers"
copyright = "2026, the glue-zoobot developers"
version = release = glue_zoobot.__version__

extensions = ["sphinx.ext.autodoc", "sphinx.ext.viewcode", "numpydoc"]
numpydoc_show_class_members = False
autodoc_typehints = "none"
html_theme = "alabaster"
html_theme_options = {
    "description": "Look-alikes among galaxy images, in linked glue views",
    "page_width": "1100px",
}
exclude_patterns = ["_build"]
