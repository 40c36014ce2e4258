"""What every provider adapter must do, tested once, over all of them.

The tests run each real adapter against the emulator of its provider, over HTTP on loopback. They know
a provider only by its `ProviderSpec`, in `tests/providers/<name>/spec.py`. To add a provider:

1. Write its emulator in `tests/emulators/<name>/`: a subclass of `Emulator` that answers as the provider
   does and obeys every `Fault` that applies. One line in `tests/emulators/registry.py`.
2. Write its spec: the adapter, the emulator, a model, what a request looks like, what people read when
   it fails, and what it can do (uploads, callbacks, cancelling, seeds, masks, samples). Each field is
   described in `contract/spec.py`; a field with a default may be left out. One line in
   `contract/specs.py`.
3. Run `pytest tests/providers/contract -k <name>`. It must pass without a change to the contract.

The contract in short, a file each:

    submission    what was asked for arrives, whole and in order, once; the result comes back as it is
    options       the catalogue's inputs become the provider's fields; what it cannot do is not sent
    refusals      a refused submit makes no task, and its kind tells why
    faults        a submit without a clear answer is UNKNOWN_OUTCOME and is never sent again
    uploads       an upload that fails ends the submit before anything is paid
    polling       a poll without a clear answer is `Temporary`; only the provider's own word ends a task
    endings       a task that ends badly is over, in words for people
    downloads     a result is fetched without the key, a few times if need be, and within limits
    cancellation  a cancel never raises
    checks        a check tells a right key from a wrong one, by one request that costs nothing
    secrets       neither key nor prompt in errors, logs or stored state

What one provider alone does is tested in its own folder. The sandbox, which needs no server and no key,
has its own tests; here it takes part in what the registry promises.
"""
