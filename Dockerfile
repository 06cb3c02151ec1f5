# The app in a container, as locked: CPU by default; pass another torch index for a GPU.
#   docker build -t aim-explorer .
#   docker run -p 7860:7860 aim-explorer
FROM python:3.12-slim
ARG TORCH_INDEX=https://download.pytorch.org/whl/cpu

# Letters of the Chinese page's figures.
RUN apt-get update -qq \
 && apt-get install -y -qq --no-install-recommends fonts-wqy-microhei \
 && rm -rf /var/lib/apt/lists/*
RUN useradd --create-home --uid 1000 user
USER user
ENV HOME=/home/user \
    PATH=/home/user/.local/bin:$PATH \
    GRADIO_ANALYTICS_ENABLED=False \
    GRADIO_SERVER_NAME=0.0.0.0 \
    PYTHONUNBUFFERED=1
WORKDIR /home/user/app

# The locked torch from that index first; then the rest, where the build that is there now may not be replaced.
COPY --chown=user requirements.lock .
RUN pip install --no-cache-dir --user --no-deps --index-url "$TORCH_INDEX" -c requirements.lock torch torchvision \
 && pip freeze --user > torch.txt \
 && pip install --no-cache-dir --user -c torch.txt -r requirements.lock
COPY --chown=user . .

EXPOSE 7860
CMD ["python", "app.py"]
