"""All packets at once: sets of packets as decision diagrams, walked through chains and hooks as the simulator walks one."""
