"""The warehouse: how a site's schema becomes SQL tables."""
