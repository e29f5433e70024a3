"""The parts of the backend for models in this process. The registry skips a folder whose name starts with "_"."""

from core.hub import HERE

LABEL = HERE
