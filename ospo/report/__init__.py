"""Reports: the same records, shown to a person."""
