"""Public clients that pip does not have, run against the emulators: `make check-clients`.

They are not part of the tests because they need Node and its packages.
"""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path
from tempfile import TemporaryDirectory

from tests.emulators.bfl import Bfl

HERE = Path(__file__).resolve().parent


def main() -> None:
    with TemporaryDirectory() as images, Bfl(seconds=2, longest_side=64) as bfl:
        environment = {**os.environ, **bfl.environment(), "CLIENT_IMAGES": images}
        done = subprocess.run(["node", "check.mjs"], cwd=HERE / "bfl", env=environment, check=False)
        if done.returncode:
            sys.exit(done.returncode)
        got = {int(path.name): path.read_bytes() for path in Path(images).iterdir()}
        made = {number: task.pictures[0].content for number, task in enumerate(bfl.tasks)}
        assert got == made, "the client's images are not the emulator's"
        _, edit, two = bfl.tasks
        assert two.request["input_image"] == edit.request["input_image"] != two.request["input_image_2"]
        assert all(task.polls > 1 for task in bfl.tasks), "it did not wait for the result"
        sys.stdout.write(f"ok  {len(got)} images are the emulator's, byte for byte\n")


if __name__ == "__main__":
    main()
