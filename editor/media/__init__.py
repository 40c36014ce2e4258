"""Checking, storing and linking images. Handles files, but no rows of the database."""
