"""What the config means: typed blocks, their defaults and limits, and what must fit together."""
