"""Runs that are trained for the studies of practice, with what the laws say of them beside."""
