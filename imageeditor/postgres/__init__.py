"""The embedded PostgreSQL server, used if DATABASE_URL is not set.

`launcher` starts, joins, watches and stops it; `places` decides where its files live and which
account runs it; `backend` is the Django database engine that uses it. Only `backend` knows Django.
"""
