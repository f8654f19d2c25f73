"""How a method is trained: the loop, its steps, the slices it sees, and what ends it."""
