"""State that processes share through Redis, and their fallbacks while Redis is unavailable.

Members of the group LIVE receive LOST when this process stops receiving the events of others, and
RESTORED when it receives them again. Both have `since`: the Unix time after which events may have been
missed.
"""

LIVE = "live"
LOST = "live.lost"
RESTORED = "live.restored"
