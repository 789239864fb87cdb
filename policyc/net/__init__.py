"""Values with algebra: address, port and name sets, protocols. They know nothing about rules."""
