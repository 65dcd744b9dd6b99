"""A person's own file, whatever it is kept in, as statistics of its inputs and outputs."""
