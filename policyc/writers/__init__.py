"""Ruleset to text, with the quoting of each format in one place."""
