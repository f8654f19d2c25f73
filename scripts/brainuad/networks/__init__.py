"""The networks, forward only: they know no losses, no data and no files."""
