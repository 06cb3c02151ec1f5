"""The command line: `python -m aim_lab sweep QUESTIONS` measures a grid of settings, and goes on where it stood."""

from __future__ import annotations

import sys

from aim_core.loading import ModelLoadError
from aim_lab.arguments import arguments


def main(argv: list[str] | None = None) -> int:
    """0, or 1 after a sentence about what a user can mend."""
    options = arguments(argv)
    try:
        return options.run(options)
    except (ModelLoadError, ValueError, OSError) as error:
        print(error, file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        print("Stopped. What was measured is kept: the same command goes on.", file=sys.stderr)
        return 130


if __name__ == "__main__":
    sys.exit(main())
