"""The Interest panel: its pages and plots."""
