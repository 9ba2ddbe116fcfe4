"""archives.py FOLDER: .npy and .npz files with one thing wrong in each."""
import pathlib
import struct
import sys
import zipfile
import zlib

import numpy as np

out = pathlib.Path(sys.argv[1])
out.mkdir(parents=True, exist_ok=True)
array = np.array([[1, 2, 3, 4]], np.float32)
np.save(out / "b.npy", np.array([10, 20, 30, 40], np.float32))


def save_npy(name, header, version=1):
    text = header.encode() + b" " * (117 - len(header)) + b"\n"
    (out / name).write_bytes(b"\x93NUMPY" + bytes([version, 0]) +
                             struct.pack("<H", len(text)) + text +
                             array.tobytes())


good = "{'descr': '<f4', 'fortran_order': False, 'shape': (1, 4), }"
save_npy("list.npy", "[1, 4]")
save_npy("colon.npy", good.replace("'descr':", "'descr'"))
save_npy("keys.npy", "{'descr': '<f4', 'shape': (1, 4), }")
save_npy("record.npy", good.replace("'<f4'", "[('x', '<f4')]"))
save_npy("order.npy", good.replace("False", "Maybe"))
save_npy("text.npy", good.replace("<f4", "<U4"))
save_npy("version.npy", good, version=9)

# One array, deflated; offsets of what is changed in it.
np.savez_compressed(out / "good.npz", a=array)
bytes_ = bytearray((out / "good.npz").read_bytes())
entry = zipfile.ZipFile(out / "good.npz").infolist()[0]
directory = bytes_.rfind(b"PK\x01\x02")
end = bytes_.rfind(b"PK\x05\x06")
data = 30 + struct.unpack_from("<H", bytes_, 26)[0] + \
    struct.unpack_from("<H", bytes_, 28)[0]


def save_npz(name, changes):
    changed = bytearray(bytes_)
    for offset, form, value in changes:
        struct.pack_into(form, changed, offset, value)
    (out / name).write_bytes(changed)


save_npz("encrypted.npz", [(directory + 8, "<H", 1)])
save_npz("method.npz", [(directory + 10, "<H", 12)])
save_npz("stored.npz", [(directory + 10, "<H", 0)])
save_npz("impossible.npz", [(directory + 24, "<I", 0x7fffffff)])
save_npz("header.npz", [(0, "<I", 0)])
save_npz("directory.npz", [(directory, "<I", 0)])
save_npz("outside.npz", [(end + 16, "<I", len(bytes_))])
save_npz("locator.npz", [(end + 16, "<I", 0xffffffff)])
save_npz("checksum.npz", [(directory + 16, "<I", entry.CRC ^ 1)])
save_npz("damaged.npz", [(data, "<B", 0xff)])
save_npz("early.npz", [(directory + 20, "<I", entry.compress_size - 8)])
