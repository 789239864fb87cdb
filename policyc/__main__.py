"""The `policyc` program: `--version` is answered before anything is imported, all else goes to `policyc.cli`."""

from __future__ import annotations

import sys


def main() -> None:
    """Run the command line and exit with its code."""
    if sys.argv[1:] == ["--version"]:
        from policyc import __version__

        print(f"policyc {__version__}")
        return
    from policyc.cli.main import run

    sys.exit(run(sys.argv[1:]))


if __name__ == "__main__":
    main()
