"""One packet's way as an answer for people: the question placed on a host, every outcome, what decided and what would change it.

Above `simulation`, which walks; below `checks` and `report`.
"""
