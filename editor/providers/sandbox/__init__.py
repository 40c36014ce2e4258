"""The built-in provider: needs no key, parses plain instructions and runs them with Pillow."""
