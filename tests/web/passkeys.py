"""A passkey in software, for tests: registered for a person, and used with or without their verification."""

from __future__ import annotations

import json
import secrets
from typing import Any

from allauth.account.utils import user_pk_to_url_str
from allauth.mfa.models import Authenticator
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.hashes import SHA256
from fido2.cose import ES256
from fido2.utils import sha256, websafe_encode
from fido2.webauthn import (
    AttestationObject,
    AttestedCredentialData,
    AuthenticatorData,
    CollectedClientData,
)

from editor.models import User

HOST = "testserver"
_FLAG = AuthenticatorData.FLAG


class Passkey:
    def __init__(self, user: User) -> None:
        self.user, self.id = user, secrets.token_bytes(16)
        self.key = ec.generate_private_key(ec.SECP256R1())
        public = ES256.from_cryptography_key(self.key.public_key())
        data = AuthenticatorData.create(
            sha256(HOST.encode()),
            _FLAG.UP | _FLAG.UV | _FLAG.AT,
            0,
            AttestedCredentialData.create(b"\0" * 16, self.id, public),
        )
        response = {"attestationObject": AttestationObject.create("none", data, {})}
        credential = self._credential("webauthn.create", b"challenge", **response)
        Authenticator.objects.create(
            user=user,
            type=Authenticator.Type.WEBAUTHN,
            data={"name": "Security key", "credential": credential},
        )

    def sign(self, options: dict[str, Any], *, verified: bool) -> str:
        """The key's response to the options of a sign-in. `verified`: by a PIN or a fingerprint."""
        flags = _FLAG.UP | _FLAG.UV if verified else _FLAG.UP
        data = AuthenticatorData.create(sha256(HOST.encode()), flags, 1)
        client = _client_data("webauthn.get", options["challenge"])
        signature = self.key.sign(data + client.hash, ec.ECDSA(SHA256()))
        response = {
            "authenticatorData": data,
            "signature": signature,
            "userHandle": user_pk_to_url_str(self.user).encode(),
        }
        return json.dumps(self._credential("webauthn.get", options["challenge"], **response))

    def _credential(self, type: str, challenge: Any, **response: bytes) -> dict[str, Any]:
        encoded = {name: websafe_encode(value) for name, value in response.items()}
        return {
            "id": websafe_encode(self.id),
            "rawId": websafe_encode(self.id),
            "type": "public-key",
            "response": {"clientDataJSON": websafe_encode(_client_data(type, challenge)), **encoded},
            "clientExtensionResults": {},
        }


def _client_data(type: str, challenge: Any) -> CollectedClientData:
    return CollectedClientData.create(type=type, challenge=challenge, origin=f"https://{HOST}")
