"""What a reader sees: tables, figures and pages, from numbers that are there already."""
