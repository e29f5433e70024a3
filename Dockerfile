# Switchboard for everyone who does not use a Space. For a machine with an NVIDIA card:
#   docker build --build-arg TORCH=https://download.pytorch.org/whl/cu130 -t switchboard .
# How to run it, and behind what: docs/deploy.md.
FROM python:3.12-slim

ARG TORCH=https://download.pytorch.org/whl/cpu

ENV PYTHONUNBUFFERED=1 PIP_NO_CACHE_DIR=1 PIP_DISABLE_PIP_VERSION_CHECK=1 \
    GRADIO_SERVER_NAME=0.0.0.0 GRADIO_SERVER_PORT=7860 GRADIO_ANALYTICS_ENABLED=False \
    HOME=/home/app HF_HOME=/data/models SWITCHBOARD_DATA=/data/state

RUN useradd --create-home --uid 1000 app && mkdir /data && chown app /data
WORKDIR /app
# The libraries change less often than the code, so they are a layer of their own; PyTorch comes in the build asked for.
COPY requirements.txt .
RUN pip install "torch>=2.8,<2.14" --index-url "$TORCH" && pip install -r requirements.txt
# Owned by root: the app cannot change its own code.
COPY . .

# By number, so that a host that wants no root can tell.
USER 1000
VOLUME /data
EXPOSE 7860
HEALTHCHECK --start-period=60s --interval=30s --timeout=5s CMD ["python", "-c", \
    "import os, urllib.request; urllib.request.urlopen(f\"http://127.0.0.1:{os.environ.get('PORT') or 7860}/gradio_api/app_id\", timeout=4)"]
CMD ["python", "app.py"]
