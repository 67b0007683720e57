"""The Galaxy Gallery: a grid of galaxy pictures linked to glue's other views."""
