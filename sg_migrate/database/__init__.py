"""One real database: connecting, comparing, taking over, what stands in its way."""
