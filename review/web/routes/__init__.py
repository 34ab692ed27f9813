"""The pages, a file a subject; each file has its `pages`."""
