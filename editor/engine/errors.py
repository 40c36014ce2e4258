"""Words between the steps of a run, when somebody else got ahead of it."""


class JobEnded(Exception):
    """The job was ended by somebody else while this run was under way."""


class RouteChanged(Exception):
    """Another run of the job has put it on another route: go on from the row as it is now."""
