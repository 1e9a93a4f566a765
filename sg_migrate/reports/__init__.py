"""How results read: one document model, rendered as text, Markdown, JSON and HTML."""
