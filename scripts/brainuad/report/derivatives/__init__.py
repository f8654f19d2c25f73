"""Results of scans as BIDS derivatives: their names, their sidecars, and what a data set needs."""
