"""What happens to values when a field gets another data type."""
