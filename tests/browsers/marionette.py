"""Firefox without geckodriver, which Debian does not have: selenium's commands over Marionette.

Marionette is the part of Firefox that carries out WebDriver; geckodriver only passes commands on to it,
as JSON over TCP: https://firefox-source-docs.mozilla.org/testing/marionette/Protocol.html
"""

from __future__ import annotations

import json
import socket
from typing import Any

from selenium.webdriver.remote.client_config import ClientConfig
from selenium.webdriver.remote.command import Command
from selenium.webdriver.remote.remote_connection import RemoteConnection

# The others that are used have the same name on both sides, but for the capital letter.
NAMES = {
    Command.GET: "Navigate",
    Command.GET_CURRENT_URL: "GetCurrentURL",
    Command.W3C_GET_ACTIVE_ELEMENT: "GetActiveElement",
    Command.CLICK_ELEMENT: "ElementClick",
    Command.SEND_KEYS_TO_ELEMENT: "ElementSendKeys",
    Command.CLEAR_ELEMENT: "ElementClear",
    Command.W3C_EXECUTE_SCRIPT: "ExecuteScript",
    Command.W3C_EXECUTE_SCRIPT_ASYNC: "ExecuteAsyncScript",
    Command.W3C_ACTIONS: "PerformActions",
    Command.GO_BACK: "Back",
    Command.GO_FORWARD: "Forward",
    Command.SCREENSHOT: "TakeScreenshot",
    Command.QUIT: "DeleteSession",
}


class Marionette(RemoteConnection):
    """Sends the commands of one selenium session to a running Firefox."""

    def __init__(self, port: int, *, timeout: float) -> None:
        super().__init__(client_config=ClientConfig(remote_server_addr=f"http://127.0.0.1:{port}"))
        self.connection = socket.create_connection(("127.0.0.1", port), timeout=timeout)
        self.stream = self.connection.makefile("rb")
        self.receive()  # the server's greeting

    def execute(self, command: str, params: dict[str, Any]) -> dict[str, Any]:
        """Send a command; the response is the one of a WebDriver server, or of an error."""
        arguments = {key: value for key, value in params.items() if key != "sessionId"}
        if command == Command.NEW_SESSION:
            arguments = arguments["capabilities"]["alwaysMatch"]
        if command == Command.SCREENSHOT:
            arguments = {"full": False}
        name = NAMES.get(command, command[0].upper() + command[1:])
        message = json.dumps([0, 1, f"WebDriver:{name}", arguments]).encode()
        self.connection.sendall(b"%d:%s" % (len(message), message))
        _, _, error, result = self.receive()
        if error:
            return {"status": 500, "value": json.dumps({"value": error})}
        return result if isinstance(result, dict) and "value" in result else {"value": result}

    def receive(self) -> Any:
        """One message: its length in bytes, a colon, JSON."""
        length = b""
        while (byte := self.stream.read(1)) != b":":
            if not byte:
                raise ConnectionError("Firefox closed the connection")
            length += byte
        return json.loads(self.stream.read(int(length)))

    def close(self) -> None:
        self.stream.close()
        self.connection.close()
