"""gunicorn's settings for production; WEB_CONCURRENCY, WEB_THREADS and BIND come from the environment.

gunicorn --config deploy/gunicorn.conf.py
"""

import os

wsgi_app = "service.app:from_env()"
bind = os.environ.get("BIND", "127.0.0.1:8000")

# Threads wait for the database cheaply; one process per core does the rest (WEB_CONCURRENCY, read by gunicorn itself).
worker_class = "gthread"
threads = int(os.environ.get("WEB_THREADS", "8"))
timeout = 30
graceful_timeout = 30
keepalive = 5

# The application logs requests by their routes. gunicorn's line would hold the path, and a feed's path is its password.
accesslog = None
loglevel = "warning"

# Else it opens a socket in HOME, which a locked-down unit does not have.
control_socket_disable = True

# Memory-backed where there is one: on a slow disk the heartbeat file alone can get workers killed.
worker_tmp_dir = "/dev/shm" if os.path.isdir("/dev/shm") else None  # noqa: PTH112, S108
