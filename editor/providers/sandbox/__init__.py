"""The built-in provider: needs no key, reads plain instructions and does them with Pillow."""
