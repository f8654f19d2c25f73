"""The networks, without losses, data or files."""
