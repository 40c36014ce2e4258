"""Stored images: checking, storing, linking. Knows files, but no rows of the database."""
