"""The grammar's finished LALR tables in a file: written when policyc is built or installed, read at start.

The file belongs to one text of the grammar and one version of lark and Python; with any other it is left aside and the
tables are built. It is a pickle and trusted as much as the code beside it, because it is installed with it.
"""

from __future__ import annotations

import io
import pickle
import sys
from hashlib import sha256
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from policyc.language.grammar import Grammar


def write_tables(path: Path) -> None:
    """Build the grammar and write its tables; raises OSError."""
    from policyc.language.grammar import built_grammar, grammar_text

    grammar = built_grammar()
    saved = io.BytesIO()
    grammar.parser.save(saved)
    path.write_bytes(pickle.dumps((_fingerprint(grammar_text()), grammar.literals, saved.getvalue())))


def read_tables(path: Path, text: str) -> Grammar | None:
    """Return the grammar of a table file, None where there is none or it belongs to another grammar, lark or Python."""
    from lark import Lark

    from policyc.language.grammar import Grammar

    try:
        fingerprint, literals, saved = pickle.loads(path.read_bytes())  # noqa: S301 - installed with the code
    except (OSError, pickle.UnpicklingError, EOFError, ValueError, TypeError):
        return None
    if fingerprint != _fingerprint(text):
        return None
    return Grammar(Lark.load(io.BytesIO(saved)), literals)


def _fingerprint(text: str) -> str:
    import lark

    version = f"{lark.__version__} {sys.version_info[:2]}"
    return sha256(f"{version}\n{text}".encode()).hexdigest()
