"""Calls the door for BFL's clients by blackforest, once; see test_bfl_clients.py.

Runs in a virtual environment of its own. Reads from standard input: base_url, api_key, model, inputs,
retries. Writes what came of it as JSON, into the file that its argument names: the client prints.
"""

from __future__ import annotations

import json
import sys
from pathlib import Path

from blackforest import BFLClient  # type: ignore[import-not-found]
from blackforest.client import BFLError  # type: ignore[import-not-found]
from blackforest.types.general.client_config import ClientConfig  # type: ignore[import-not-found]


def main() -> None:
    reported = json.load(sys.stdin)
    client = BFLClient(reported["api_key"], base_url=reported["base_url"])
    config = ClientConfig(sync=True, polling_interval=1, max_retries=reported["retries"])
    try:
        answer = client.generate(reported["model"], reported["inputs"], config)
        outcome = {"id": answer.id, "result": answer.result}
    except BFLError as error:
        outcome = {"error": str(error)}
    Path(sys.argv[1]).write_text(json.dumps(outcome))


if __name__ == "__main__":
    main()
