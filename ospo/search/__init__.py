"""Search: retrievers, metrics, and the judge that turns a ranking into a value."""
