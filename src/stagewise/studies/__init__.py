"""One module per study: a question, the tables that answer it, its figure and its claims."""
