"""Write a small data set in IDX files; image i of class i % 10 is all i."""
import gzip
import pathlib
import struct
import sys

folder = pathlib.Path(sys.argv[1])
folder.mkdir(parents=True)


def write(name, shape, body):
    header = bytes([0, 0, 8, len(shape)]) + struct.pack(f">{len(shape)}I", *shape)
    (folder / name).write_bytes(gzip.compress(header + body))


for split, count in (("train", 200), ("t10k", 12)):
    images = b"".join(bytes([i]) * 784 for i in range(count))
    write(f"{split}-images-idx3-ubyte.gz", (count, 28, 28), images)
    labels = bytes(i % 10 for i in range(count))
    write(f"{split}-labels-idx1-ubyte.gz", (count,), labels)
