"""The way of a contract: read, chunk, retrieve, extract, check, flag."""
