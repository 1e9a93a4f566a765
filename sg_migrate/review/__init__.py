"""The review: what a revision does and what it risks, for the person who merges it."""
