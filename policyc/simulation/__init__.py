"""One packet on its way through a ruleset and a host, as the kernel would carry it: above `netfilter`, below `checks`."""
