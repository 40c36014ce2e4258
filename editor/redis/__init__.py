"""What processes share through Redis, and what each does by itself while Redis is away.

Members of the group LIVE get LOST when this process stops getting the events of others, and RESTORED
when it gets them again. Both carry `since`: the unix time after which events may have been missed.
"""

LIVE = "live"
LOST = "live.lost"
RESTORED = "live.restored"
