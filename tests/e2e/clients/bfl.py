"""Calls the BFL-compatible API once with blackforest; see test_bfl_clients.py.

Runs in a virtual environment of its own. Reads from standard input: base_url, api_key, model, inputs,
retries. Writes the outcome as JSON to the file named by its argument, as the client itself prints.
"""

from __future__ import annotations

import json
import sys
from pathlib import Path

from blackforest import BFLClient  # type: ignore[import-not-found]
from blackforest.client import BFLError  # type: ignore[import-not-found]
from blackforest.types.general.client_config import ClientConfig  # type: ignore[import-not-found]


def main() -> None:
    options = json.load(sys.stdin)
    client = BFLClient(options["api_key"], base_url=options["base_url"])
    config = ClientConfig(sync=True, polling_interval=1, max_retries=options["retries"])
    try:
        answer = client.generate(options["model"], options["inputs"], config)
        outcome = {"id": answer.id, "result": answer.result}
    except BFLError as error:
        outcome = {"error": str(error)}
    Path(sys.argv[1]).write_text(json.dumps(outcome))


if __name__ == "__main__":
    main()
