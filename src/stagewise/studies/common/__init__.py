"""What studies share: how one is declared, judged and drawn, and summaries that several read."""
