"""When a mode counts as learned."""

LEARNED_SHARE = 0.5
"""Share of its target that a mode must reach.

Training locates this crossing, measurement reads it, stages are counted by it. The forecasts and the
offsets in `theory/` are derived for one half.
"""
