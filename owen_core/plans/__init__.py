"""Plans of the deterministic concepts, by the kind of coalitions that they need."""
