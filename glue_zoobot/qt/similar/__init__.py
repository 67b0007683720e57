"""The panel of similar galaxies and its dialogs."""
