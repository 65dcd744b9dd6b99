"""One module per table: what it is made from (`READS`) and the function `table` that makes it."""
