"""One verb a file, imported when it is called."""
