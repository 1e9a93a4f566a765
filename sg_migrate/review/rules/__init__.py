"""The rules of the review, by revision: each file has its rules and one small function for each."""
