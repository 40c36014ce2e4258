"""httpx.get and others with a timeout for busy machines: their default is five seconds."""

from __future__ import annotations

from functools import partial

import httpx

from tests.patience import PATIENCE

get = partial(httpx.get, timeout=PATIENCE)
post = partial(httpx.post, timeout=PATIENCE)
put = partial(httpx.put, timeout=PATIENCE)
request = partial(httpx.request, timeout=PATIENCE)
