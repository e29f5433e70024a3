"""The small models that come with the app, so that every task works offline, and the code that makes them.

`python -m core.pipelines.builtin.shapes.train` and `python -m core.pipelines.builtin.heads sentiment|entities`.
"""

from pathlib import Path

FOLDER = Path(__file__).parent

__all__ = ["FOLDER"]
