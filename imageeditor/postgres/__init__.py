"""The PostgreSQL server that the portal brings along, for when DATABASE_URL names no other.

`launcher` starts, joins, watches and stops it; `places` decides where its files live and which
account runs it; `backend` is the Django database engine that uses it. Only `backend` knows Django.
"""
