"""-j SNPT: the prefix of the source."""

from __future__ import annotations

from policyc.netfilter import fields
from policyc.netfilter.extensions.prefix_translation import prefix_target
from policyc.netfilter.hooks import Hook

TARGET = prefix_target("SNPT", fields.SRC, (Hook.INPUT, Hook.POSTROUTING))
