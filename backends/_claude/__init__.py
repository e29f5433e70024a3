"""Parts of backends/claude.py: the wire format, and what a model takes."""
