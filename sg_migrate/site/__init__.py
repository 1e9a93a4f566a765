"""The site: reading a ShotGrid schema from anywhere, and keeping it as a snapshot."""
