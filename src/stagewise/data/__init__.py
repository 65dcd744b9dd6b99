"""Kinds of data: their fields in the configuration, and how each is drawn or read."""
