# The app in a container, as locked: CPU by default; pass another torch index for a GPU.
#   docker build -t aim-explorer .
#   docker run --read-only --tmpfs /tmp:size=4g,mode=1777 --cap-drop ALL --security-opt no-new-privileges \
#     -p 7860:7860 aim-explorer
ARG BASE=docker.io/library/python:3.12.12-slim-bookworm
FROM $BASE
ARG TORCH_INDEX=https://download.pytorch.org/whl/cpu

# Letters of the Chinese page's figures, and a first process that ends the others.
RUN apt-get update -qq \
 && apt-get install -y -qq --no-install-recommends fonts-wqy-microhei tini \
 && rm -rf /var/lib/apt/lists/*
RUN useradd --create-home --uid 1000 user

# Torch as locked from that index; the rest as locked, file by file as hashed; then what that build of torch asks for
# itself (GPU libraries, if any), where nothing that is there now may be replaced.
COPY requirements.lock requirements-hashed.lock /opt/
RUN python3 -m venv /opt/venv && cd /opt \
 && venv/bin/pip install --no-cache-dir --no-deps --index-url "$TORCH_INDEX" -c requirements.lock torch torchvision \
 && venv/bin/pip install --no-cache-dir --no-deps --require-hashes -r requirements-hashed.lock \
 && venv/bin/pip freeze > installed.txt \
 && venv/bin/pip install --no-cache-dir -c installed.txt torch torchvision \
 && venv/bin/pip check

# The code is root's, and the app runs as one who may write to /tmp and its own home only.
COPY . /app
RUN chmod -R a+rX,go-w /app && /opt/venv/bin/python -m compileall -q /app/aim_core /app/page /app/visual
WORKDIR /app
USER user
ENV PATH=/opt/venv/bin:$PATH \
    HOME=/home/user \
    GRADIO_ANALYTICS_ENABLED=False \
    GRADIO_SERVER_NAME=0.0.0.0 \
    GRADIO_TEMP_DIR=/tmp/gradio \
    MPLCONFIGDIR=/tmp/matplotlib \
    PYTHONDONTWRITEBYTECODE=1 \
    PYTHONUNBUFFERED=1

EXPOSE 7860
HEALTHCHECK --interval=30s --timeout=10s --start-period=120s \
  CMD ["python", "-c", "from urllib.request import urlopen; urlopen('http://127.0.0.1:7860/health', timeout=8)"]
ENTRYPOINT ["tini", "--"]
CMD ["python", "app.py"]
