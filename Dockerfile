# The image of every pool: web, worker and beat differ by their command (compose.yaml).
# It has not been built on the machine this was written on, which has no Docker.

FROM node:22-slim AS pages
WORKDIR /milepost
COPY package.json package-lock.json .npmrc ./
RUN npm ci --ignore-scripts

FROM python:3.11-slim
WORKDIR /milepost
ENV PYTHONUNBUFFERED=1 PYTHONDONTWRITEBYTECODE=1 PIP_NO_CACHE_DIR=1 HOST=0.0.0.0 \
    PROMETHEUS_MULTIPROC_DIR=/tmp/metrics
COPY requirements.txt ./
RUN pip install --require-hashes -r requirements.txt
COPY --from=pages /milepost/node_modules node_modules
COPY . .
# The key is for this step only: each container is given its own.
RUN SECRET_KEY=only-to-collect-files python manage.py basemap \
    && SECRET_KEY=only-to-collect-files python manage.py collectstatic --noinput --verbosity 0 \
    && useradd --create-home milepost && chown -R milepost var && install -d -o milepost /tmp/metrics
USER milepost
VOLUME /milepost/var/media
EXPOSE 8000
CMD ["python", "-m", "config.serve"]
