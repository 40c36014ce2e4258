"""What several processes share through Redis, and what each does by itself while Redis is away.

Everybody who is in the group LIVE is told when events of other processes stop to come (LOST), and
when they come again (RESTORED). Both messages carry `since`, the time in unix seconds from which on
events may have been missed.
"""

LIVE = "live"
LOST = "live.lost"
RESTORED = "live.restored"
