"""netavark, the network stack of podman: what it installs for containers on bridge networks."""
