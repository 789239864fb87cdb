"""Docker Engine: what dockerd installs for its networks, containers and published ports, from 20.10 on."""
