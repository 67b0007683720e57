"""Training of encoders in the window: dialogs, jobs and curves."""
