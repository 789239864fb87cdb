"""What a finding is: a value with a code, a place and a way out. Rendering is the business of `policyc.report`."""

from policyc.diagnostics.catalogue import CATALOGUE, Entry, entry
from policyc.diagnostics.diagnostic import Diagnostic, InputError, Place, Related, Severity, Witness, diagnose

__all__ = [
    "CATALOGUE",
    "Diagnostic",
    "Entry",
    "InputError",
    "Place",
    "Related",
    "Severity",
    "Witness",
    "diagnose",
    "entry",
]
