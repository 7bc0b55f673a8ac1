"""What ./dev bench measures, and against what: see README.md."""
