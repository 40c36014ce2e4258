# The portal with web, worker and the embedded PostgreSQL in one container; its data is in /data.
#   docker build -t atelier .
#   docker run -p 8000:8000 -v atelier-data:/data atelier
# Many containers: give all of them DATABASE_URL, REDIS_URL and STORAGE_BUCKET, and part web from
# worker by the commands `python manage.py portal --no-worker` and `python manage.py worker`.
FROM python:3.13-slim

RUN useradd --system --uid 10001 --home-dir /app portal \
    && install -d -o portal -g portal -m 0700 /data

WORKDIR /app
COPY requirements.txt ./
RUN pip install --no-cache-dir --disable-pip-version-check -r requirements.txt
COPY . .

ENV PYTHONUNBUFFERED=1 HOST=0.0.0.0 PORT=8000 DATA_DIR=/data
# The settings want a secret and a data folder even here; both are thrown away.
RUN SECRET_KEY=build DATA_DIR=/tmp/build python manage.py collectstatic --noinput --verbosity 0 \
    && rm -rf /tmp/build

USER portal
VOLUME /data
EXPOSE 8000
HEALTHCHECK --interval=30s --timeout=5s --start-period=30s \
    CMD python -c "import urllib.request as web; web.urlopen('http://127.0.0.1:$PORT/healthz', timeout=4)"
CMD ["python", "manage.py", "portal"]
