"""A host as values: interfaces, addresses, routes and their lookup, sysctls, ipset members. Nothing about rules."""
