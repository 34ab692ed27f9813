"""The command line: `contract-agent`. Stands on top; nothing imports it."""
