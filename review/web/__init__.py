"""The web side of the review: what guards it, its pages by file, their words, templates and static files."""
