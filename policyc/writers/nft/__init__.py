"""Ruleset to native nftables text; `text` is where to begin."""

from policyc.writers.nft.text import Translation, nft_text, nft_translation

__all__ = ["Translation", "nft_text", "nft_translation"]
