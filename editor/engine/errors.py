"""Exceptions between the steps of a run: the job's row has changed."""


class JobEnded(Exception):
    """The job was ended elsewhere during this run."""


class RouteChanged(Exception):
    """The job is on another route by now: continue from the current row."""
