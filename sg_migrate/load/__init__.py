"""Records: the warehouse filled from the site, kept current, and proved."""
