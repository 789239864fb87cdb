"""kube-proxy in iptables mode: what it installs on a node for Services and EndpointSlices, from Kubernetes 1.28 on."""
