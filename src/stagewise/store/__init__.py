"""Files that appear whole or not at all, schemas, and the tables of a run."""
