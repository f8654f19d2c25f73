"""From raw scans to normalised volumes, and how good they are."""
