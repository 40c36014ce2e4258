"""One word between the steps of a run."""


class Ended(Exception):
    """The job was ended by somebody else while this run was under way."""
