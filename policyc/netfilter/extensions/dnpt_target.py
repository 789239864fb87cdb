"""-j DNPT: the prefix of the destination."""

from __future__ import annotations

from policyc.netfilter import fields
from policyc.netfilter.extensions.prefix_translation import prefix_target
from policyc.netfilter.hooks import Hook

TARGET = prefix_target("DNPT", fields.DST, (Hook.PREROUTING, Hook.OUTPUT))
