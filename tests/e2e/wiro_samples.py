"""The shell commands that Wiro prints beside its models, unchanged, and a way to run them here."""

from __future__ import annotations

import json
import subprocess
import time
from typing import Any

from tests.patience import PATIENCE

HOST, KEY, SECRET = "https://api.wiro.ai", "{{useSelectedProjectAPIKey}}", "XXXXXXXXX"
TOKEN, TASK = "eDcCm5yyUfIvMFspTwww49OUfgXkQt", "2221"
KILL_TOKEN, KILL_TASK, CANCEL_TASK = "ZpYote30on42O4jjHXNiKmrWAZqbRE", "534574", "634574"

PREPARE = (
    '# Sign up Wiro dashboard and create project\nexport YOUR_API_KEY="{{useSelectedProjectAPIKey}}"; '
    'export YOUR_API_SECRET="XXXXXXXXX"; \n# unix time or any random integer value\n'
    "export NONCE=$(date +%s); \n# hmac-SHA256 (YOUR_API_SECRET+Nonce) with YOUR_API_KEY\n"
    'export SIGNATURE="$(echo -n "${YOUR_API_SECRET}${NONCE}" | openssl dgst -sha256 '
    '-hmac "${YOUR_API_KEY}")";'
)
_HEADERS = (
    '-H "Content-Type: multipart/form-data" -H "x-api-key: ${YOUR_API_KEY}" '
    '-H "x-nonce: ${NONCE}" -H "x-signature: ${SIGNATURE}"'
)
_CALLBACK = (
    '"callbackUrl": "You can provide a callback URL; Wiro will send a POST request to it when the task is '
    'completed."'
)


def _curl(path: str, data: str) -> str:
    return f"""curl -X POST "https://api.wiro.ai/v1/{path}" {_HEADERS} -d '{data}';"""


KONTEXT_MAX = _curl(
    "Run/black-forest-labs/flux-kontext-max",
    '{ "inputImageUrl": "input-depth-to-image-4.jpg", '
    '"prompt": "Enhance the cookie package with clean lighting and a white background, perfect for '
    'e-commerce display.", "promptUpsampling": "false", "safetyTolerance": "2", "aspectRatio": "", '
    f'"seed": "42", "outputFormat": "jpeg", {_CALLBACK} }}',
)
TWO_IMAGES = (
    '{ "inputImageUrl": "flux_kontext_room.jpg", "inputImage2Url": "flux_kontext_dog.jpg", '
    '"prompt": "Add the dog as if it\'s lying on the couch.", "steps": 28, "scale": "2.5", "samples": 1, '
    f'"seed": "0", {_CALLBACK} }}'
)
# Its body has an apostrophe that ends the shell's quotes: it is sent unchanged, from standard input.
TWO_IMAGES_RUN = _curl("Run/wiro/flux_kontext_dev_with_2_image", "").replace("-d '';", "-d @-;")
FLUX_2_PRO = _curl(
    "Run/black-forest-labs/flux-2-pro",
    '{ "inputImage": [ "bfl-flux-2-pro-input-5-1.jpg", "bfl-flux-2-pro-input-5-2.jpg" ], '
    '"prompt": "Place the car in the image 2 to the road on the image 1.", "width": 1024, "height": 1024, '
    f'"safetyTolerance": 2, "seed": 123, "outputFormat": "png", {_CALLBACK} }}',
)
# The shell removes the quotes around the token and sends a bare word with a trailing comma.
DETAIL_UNQUOTED = _curl("Task/Detail", "{ \"tasktoken\": 'eDcCm5yyUfIvMFspTwww49OUfgXkQt', }")
DETAIL_BY_TASK = _curl("Task/Detail", '{ "taskid": "2221" }')
DETAIL_BY_TOKEN = _curl("Task/Detail", '{ "tasktoken": "eDcCm5yyUfIvMFspTwww49OUfgXkQt" }')
KILL_BY_TASK = _curl("Task/Kill", '{ "taskid": "534574" }')
KILL_BY_TOKEN = _curl("Task/Kill", '{ "socketaccesstoken": "ZpYote30on42O4jjHXNiKmrWAZqbRE" }')
CANCEL = _curl("Task/Cancel", '{ "taskid": "634574" }')


class Shell:
    """Runs samples against this portal with this key and secret."""

    def __init__(self, url: str, *, key: str, secret: str) -> None:
        self._url, self._key, self._secret = url, key, secret

    def run(self, command: str, *, stdin: str = "", **instead: str) -> dict[str, Any]:
        """The response to a sample; `instead` are task and token in place of the printed ones."""
        for printed in (TASK, KILL_TASK, CANCEL_TASK):
            command = command.replace(f'"{printed}"', f'"{instead.get("task", printed)}"')
        for printed in (TOKEN, KILL_TOKEN):
            command = command.replace(printed, instead.get("token", printed))
        (answer,) = self.run_all(command, stdin=stdin)
        return answer

    def run_all(self, *commands: str, stdin: str = "") -> list[dict[str, Any]]:
        """The responses to samples that are run with one signature."""
        # The nonce is in whole seconds, so only one run per second is accepted.
        time.sleep(1 - time.time() % 1)
        script = "\necho\n".join([PREPARE, *commands]).replace(HOST, self._url).replace(KEY, self._key)
        done = subprocess.run(
            ["bash", "-c", script.replace(SECRET, self._secret)],
            input=stdin,
            capture_output=True,
            text=True,
            timeout=PATIENCE,
            check=False,
        )
        assert done.returncode == 0, done.stderr
        return [json.loads(line) for line in done.stdout.splitlines() if line]
