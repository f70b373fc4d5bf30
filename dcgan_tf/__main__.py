"""The command line, as `python -m dcgan_tf`."""

import sys

from dcgan_tf.cli import main

sys.exit(main())
