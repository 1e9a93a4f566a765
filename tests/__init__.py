"""The tests of sg_migrate."""
