"""How a model is trained: the loop, its steps, the slices it sees, and what ends it."""
