"""The ground: frozen models, errors and settings. Imports nothing of ours."""
