"""The rules of the review, by subject: each file has its rules and one small function for each."""
