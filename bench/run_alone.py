"""Run one function of the bench in this process (started by measuring.in_own_process).

stdin: pickle of (module, function, arguments). The last line of stdout is its result, as JSON.
"""

import importlib
import json
import pickle
import sys


def main() -> None:
    module, function, arguments = pickle.load(sys.stdin.buffer)
    returned = getattr(importlib.import_module(module), function)(**arguments)
    print(json.dumps(returned, default=lambda row: row.record()))


if __name__ == "__main__":
    main()
