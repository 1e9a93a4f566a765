"""The warehouse as Python classes."""
