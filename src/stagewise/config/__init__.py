"""The typed configuration: models, loading, sentences for mistakes."""
