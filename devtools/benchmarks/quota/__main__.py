"""python -m devtools.benchmarks.quota [--quick] [--seed N]"""

import sys

from .command import main

sys.exit(main(sys.argv[1:]))
