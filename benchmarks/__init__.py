"""Measurements of quality and speed. Each is a command; results stand in docs/benchmarks.md as measured."""
