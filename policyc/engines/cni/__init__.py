"""The CNI plugins that install rules: bridge, ptp, portmap and firewall, with addresses from host-local and static."""
