"""Email addresses, in the one form in which they are stored and compared."""

from __future__ import annotations

from contextlib import suppress

import idna

LONGEST_DOMAIN = 253  # characters, RFC 1035


def normalized(address: str) -> str:
    """The address in lower case, its domain in ASCII: `mei@bücher.example` is `mei@xn--bcher-kva.example`.

    Browsers send the domain of an email field in ASCII, so the same address arrives in both forms. What is
    not a domain stays as it is: whoever validates the address rejects it.
    """
    name, at, domain = address.strip().lower().rpartition("@")
    if not domain.isascii() and len(domain) <= LONGEST_DOMAIN:
        with suppress(UnicodeError):
            domain = idna.encode(domain, uts46=True).decode()
    return f"{name}{at}{domain}"
