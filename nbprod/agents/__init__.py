"""The read-only verbs for coding agents, over the Model Context Protocol."""
