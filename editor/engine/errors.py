"""Exceptions between the steps of a run, when another process got ahead of it."""


class JobEnded(Exception):
    """The job was ended elsewhere during this run."""


class RouteChanged(Exception):
    """Another run of the job moved it to another route: continue from the current row."""
