"""What the browser's dialog for passkeys needs, and what it returns; static/js/passkeys.js is between them.

allauth keeps the challenge in the session, and checks the result in its forms.
"""

from __future__ import annotations

import uuid
from typing import Any

from allauth.account.internal.stagekit import get_pending_stage
from allauth.mfa.webauthn.internal import auth
from django.http import HttpRequest

from editor.errors import InvalidInput, NotFound
from editor.models import User
from editor.operations.second_factors import NewPasskey
from editor.web.forms.second_factor import FirstPasskeyForm

# In the session: the id that an account will have if it is created with a passkey.
FUTURE_ID = "passkey_user"
FAILED = "The passkey could not be created. Try again, or choose a password."


def options(request: HttpRequest, purpose: str) -> dict[str, Any]:
    """Options for `navigator.credentials`, as {"create": …} or {"get": …}. Raises NotFound."""
    if purpose == "sign-in":
        return {"get": auth.begin_authentication(None)["publicKey"]}
    if purpose == "sign-up":
        future = User(pk=uuid.uuid4(), email=request.GET.get("email", "")[:254])
        request.session[FUTURE_ID] = future.pk.hex
        return {"create": auth.begin_registration(future, True)["publicKey"]}
    user = request.user if isinstance(request.user, User) else None
    if purpose == "add" and user:
        return {"create": auth.begin_registration(user, True)["publicKey"]}
    stage = get_pending_stage(request)
    user = user or (stage.login.user if stage else None)
    if purpose == "confirm" and user:
        return {"get": auth.begin_authentication(user)["publicKey"]}
    raise NotFound("Start again from the sign-in page.")


def read(request: HttpRequest, email: str) -> NewPasskey:
    """The passkey that was made for a new account. Raises InvalidInput."""
    future = User(pk=uuid.UUID(request.session.get(FUTURE_ID, uuid.uuid4().hex)), email=email)
    form = FirstPasskeyForm(request.POST, user=future)
    if not form.is_valid():
        raise InvalidInput(FAILED)
    request.session.pop(FUTURE_ID, None)
    data = form.cleaned_data
    return NewPasskey(user_id=future.pk, name=data["name"][:100], credential=data["credential"])
