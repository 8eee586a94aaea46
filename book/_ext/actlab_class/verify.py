"""``python3 verify.py`` says whether this copy of the bundle is whole.

It compares every file with SHA256SUMS and names what is missing, half copied or different. Needs
nothing but Python (3.6 or newer).
"""

import hashlib
import os
import sys

SUMS = "SHA256SUMS"


def digest(path):
    """The SHA-256 of a file."""
    found = hashlib.sha256()
    with open(path, "rb") as file:
        for block in iter(lambda: file.read(1 << 20), b""):
            found.update(block)
    return found.hexdigest()


def known(root):
    """File -> (size in bytes, SHA-256), as the bundle was made."""
    wanted = {}
    with open(os.path.join(root, SUMS), encoding="utf-8") as lines:
        size = 0
        for line in lines:
            if line.startswith("# "):
                size = int(line[2:])
            elif line.strip():
                checksum, name = line.rstrip("\n").split("  ", 1)
                wanted[name] = (size, checksum)
    return wanted


def problems(root):
    """What is wrong with this copy, one sentence for each file."""
    try:
        wanted = known(root)
    except (OSError, ValueError):
        return [f"{SUMS} is missing or damaged: copy the whole folder again."]
    found = []
    for name, (size, checksum) in sorted(wanted.items()):
        path = os.path.join(root, *name.split("/"))
        if not os.path.isfile(path):
            found.append(f"{name} is missing: copy it again.")
        elif os.path.getsize(path) < size:
            found.append(
                f"{name} is only half copied ({os.path.getsize(path)} of {size} bytes): "
                "copy it again."
            )
        elif digest(path) != checksum:
            found.append(f"{name} is not the file that was packed: copy it again.")
    return found


def main(root):
    """Say what is wrong; the exit status."""
    found = problems(root)
    for sentence in found:
        print(sentence)
    if not found:
        print(f"All {len(known(root))} files are as they were packed.")
    return 1 if found else 0


if __name__ == "__main__":
    sys.exit(main(os.path.dirname(os.path.abspath(__file__))))
