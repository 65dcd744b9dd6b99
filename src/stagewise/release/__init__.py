"""What leaves the project: the page, generated documents, comparison with the reference, archive."""
