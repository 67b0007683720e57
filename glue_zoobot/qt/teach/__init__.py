"""The Teach panel: its pages, dialogs and plots."""
