"""`check --kernel`: what the kernel of this machine says of a ruleset, as diagnostics at the source's lines."""

from __future__ import annotations

from policyc.diagnostics import Diagnostic, Place, diagnose
from policyc.kernel.loading import Backend, Refusal, load
from policyc.kernel.namespace import Namespace
from policyc.kernel.processes import MissingProgram
from policyc.netfilter.ruleset import Ruleset


def kernel_check(ruleset: Ruleset, backends: tuple[Backend, ...] = tuple(Backend)) -> list[Diagnostic]:
    """Load the ruleset into throw-away namespaces with each backend that is installed; return what was refused.

    A rule that both backends refuse is reported once. Raises NotPrivileged, and MissingProgram where no backend is there.
    """
    found: dict[tuple[object, ...], Diagnostic] = {}
    missing: MissingProgram | None = None
    asked = 0
    for backend in backends:
        try:
            with Namespace() as namespace:
                for refusal in load(ruleset, backend, namespace):
                    finding = _diagnostic(refusal, backend)
                    found.setdefault((finding.code, finding.place, finding.span), finding)
            asked += 1
        except MissingProgram as error:
            missing = error
    if not asked and missing is not None:
        raise missing
    return sorted(found.values(), key=lambda finding: finding.sort_key)


def _diagnostic(refusal: Refusal, backend: Backend) -> Diagnostic:
    chain = refusal.chain.name if refusal.chain else ""
    place = Place(refusal.table.family, refusal.table.name, chain, refusal.number)
    span = refusal.rule.span if refusal.rule else refusal.table.span
    said = f"iptables-{backend.value} says: {refusal.message}"
    if refusal.lacks_module:
        return diagnose(
            "kernel-lacks-module", f"this kernel has no module for a part of the rule ({said})", span, place=place,
            help="the rule may be right on the host it is for; load the module there",
        )  # fmt: skip
    what = f"the rule `{refusal.rule.text}`" if refusal.rule else f"the table {refusal.table.name}"
    return diagnose("kernel-refuses", f"the kernel refuses {what} ({said})", span, place=place)
