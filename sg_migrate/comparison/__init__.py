"""Two things beside each other: schemas, states, and whether what should agree is in step."""
