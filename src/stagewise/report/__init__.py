"""The index page and the generated parts of the README."""
