# docker build -t tunebot . && docker run -v tunebot:/data -e OPENAI_API_KEY tunebot
FROM python:3.13-slim

RUN useradd --create-home --uid 10001 tunebot && install -d -o tunebot -g tunebot /data
WORKDIR /app
COPY pyproject.toml README.md LICENSE ./
COPY bot bot
COPY adapters adapters
RUN pip install --no-cache-dir --no-compile '.[local]'

USER tunebot
WORKDIR /data
VOLUME /data
ENV PYTHONUNBUFFERED=1 \
    TUNEBOT_DATABASE=/data/tunebot.db \
    TUNEBOT_DATA_FOLDER=/data
HEALTHCHECK --interval=30s --timeout=10s --start-period=60s CMD ["tunebot", "health"]
# SIGTERM: answers that run get their time to end.
STOPSIGNAL SIGTERM
ENTRYPOINT ["tunebot"]
CMD ["run"]
