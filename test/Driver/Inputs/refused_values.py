"""refused_values.py FOLDER: four images of 6x6, and four with a NaN in one."""
import sys

import numpy as np

images = np.random.default_rng(0).random((4, 1, 6, 6), dtype=np.float32)
np.save(f"{sys.argv[1]}/x.npy", images)
images[1, 0, 2, 3] = np.nan
np.save(f"{sys.argv[1]}/nan.npy", images)
