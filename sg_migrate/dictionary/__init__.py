"""The dictionary: what every table and column of a warehouse means."""
