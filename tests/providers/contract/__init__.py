"""What every provider adapter must do, tested once for all of them.

The tests run each real adapter against the emulator of its provider, over HTTP on loopback. All they know
of a provider is its `ProviderSpec`, in `tests/providers/<name>/spec.py`. To add a provider:

1. Write its emulator in `tests/emulators/<name>/`: a subclass of `Emulator` that responds as the provider
   does and supports every `Fault` that applies. Add one line to `tests/emulators/registry.py`.
2. Write its spec: the adapter, the emulator, a model, what a request looks like, its error messages, and
   what it supports (uploads, callbacks, cancelling, seeds, masks, samples). Each field is described in
   `contract/spec.py`; a field with a default may be left out. Add one line to `contract/specs.py`.
3. Run `pytest tests/providers/contract -k <name>`. It must pass without a change to the contract.

The contract in short, one file each:

    submission    the request arrives complete, in order and once; the result is returned unchanged
    options       the catalogue's inputs become the provider's fields; what it does not support is not sent
    refusals      a refused submit creates no task, and its kind gives the reason
    faults        a submit without a clear response is UNKNOWN_OUTCOME and is never sent again
    uploads       a failed upload ends the submit before anything is paid
    polling       a poll without a clear response is `Temporary`; only the provider's own status ends a task
    endings       a failed task is final and has a readable message
    downloads     a result is fetched without the key, with a few retries, and within limits
    cancellation  a cancel never raises
    checks        a check distinguishes a valid key from an invalid one by one free request
    secrets       neither key nor prompt in errors, logs or stored state

Behaviour specific to one provider is tested in its own folder. The sandbox, which needs no server and no
key, has its own tests; here it is included in the tests of the registry.
"""
