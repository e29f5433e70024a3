"""Where the built-in model lies. How it is made is the business of the other modules; importing this costs nothing."""

from pathlib import Path

PATH = Path(__file__).parent / "model"

__all__ = ["PATH"]
