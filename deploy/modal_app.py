"""Switchboard on Modal, in one file: `modal deploy deploy/modal_app.py`. docs/deploy.md says what to set first.

The app runs as anywhere else, in a container with a volume for what is kept; Modal forwards its port.
"""

from __future__ import annotations

import os
import subprocess
from pathlib import Path

import modal

ROOT = Path(__file__).parent.parent
UNWANTED = [".git", ".venv", ".env", ".gradio", "data", "tests", "bench", "**/__pycache__", ".*_cache", "starter/runs"]

image = (
    modal.Image.debian_slim(python_version="3.12")
    .pip_install("torch>=2.8,<2.14", index_url="https://download.pytorch.org/whl/cpu")
    .pip_install_from_requirements(str(ROOT / "requirements.txt"))
    .add_local_dir(ROOT, "/app", ignore=UNWANTED)
)
app = modal.App("switchboard")


@app.function(
    image=image,
    secrets=[modal.Secret.from_name("switchboard")],  # the keys, and either accounts or SWITCHBOARD_VISITOR_KEYS
    volumes={"/data": modal.Volume.from_name("switchboard", create_if_missing=True)},
    max_containers=1,  # a page's session lives in the memory of one process
    scaledown_window=600,
    cpu=2,
    memory=4096,
)
@modal.concurrent(max_inputs=200)
@modal.web_server(7860, startup_timeout=120)
def serve() -> None:
    """Start the app; Modal waits until its port answers."""
    settings = {
        "GRADIO_SERVER_NAME": "0.0.0.0",  # noqa: S104  only Modal's proxy reaches the container
        "GRADIO_SERVER_PORT": "7860",
        "SWITCHBOARD_PUBLIC": "1",
        "SWITCHBOARD_DATA": "/data/state",
        "SWITCHBOARD_HOSTS": os.environ.get("SWITCHBOARD_HOSTS", "*.modal.run"),
        "HF_HOME": "/data/models",
        "FORWARDED_ALLOW_IPS": "*",
    }
    subprocess.Popen(["python", "app.py"], cwd="/app", env={**os.environ, **settings})  # noqa: S607
