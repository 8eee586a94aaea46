"""What every test starts from."""

import os

# Before any test module is imported: no test may fetch a data set.
os.environ["ACTLAB_OFFLINE"] = "1"
