"""Train models: the loop, its steps, their slices, validation, and interruption by signals."""
