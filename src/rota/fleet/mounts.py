"""On which kind of file system a path lies."""

from __future__ import annotations

from pathlib import Path

#: Those that several machines see at once, as the kernel names them (proc(5), /proc/filesystems).
SHARED = frozenset(
    ["nfs", "nfs4", "cifs", "smb3", "lustre", "gpfs", "beegfs", "ceph", "glusterfs", "afs", "9p", "virtiofs",
     "orangefs", "panfs", "wekafs", "gfs2", "ocfs2", "pvfs2"]
)  # fmt: skip


def file_system(path: Path) -> str:
    """The type of the file system that holds a path (proc(5), /proc/self/mounts); "" when that cannot be said."""
    wanted = path.resolve()
    best, kind = -1, ""
    for line in Path("/proc/self/mounts").read_text(errors="replace").splitlines():
        _, mount, this, *_ = line.split()
        where = Path(mount.replace("\\040", " "))
        if wanted.is_relative_to(where) and len(where.parts) >= best:
            best, kind = len(where.parts), this
    return kind


def is_shared(kind: str) -> bool:
    """Whether other machines may see it too. Of those that a program serves (fuse), only sshfs surely stays here."""
    return kind in SHARED or (kind.startswith("fuse.") and kind not in ("fuse.sshfs", "fuse.portal", "fuse.lxcfs"))
