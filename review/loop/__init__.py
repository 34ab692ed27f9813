"""The loop: what people decided, measured, and what may be learnt from it. Nothing is used before it is adopted."""
