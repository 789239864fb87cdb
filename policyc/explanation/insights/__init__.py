"""What a person should learn from a packet's fate: one function for each typical cause, each backed by the walk itself.

Part of `explanation`, above its ways and near misses.
"""
