"""What each kind of model takes, a file of its name; a kind that has none here checks itself."""
