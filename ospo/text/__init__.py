"""Text as players: segments, what a coalition of them says, and where tokens fall."""
