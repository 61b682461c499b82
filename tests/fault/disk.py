"""What a disk may hold after a power cut: reckoned from a trace of recorder.c.

Only what was synced is sure. Of the rest any page of any write, any change of length and any change of a directory may have
reached the disk or not, each for itself and in any order; a rename is there whole or not at all.
"""
import os
import struct

HEAD = struct.Struct("=c3xII4xQQ")
PAGE = 4096


class File:
    def __init__(self, data=b""):
        self.synced = bytearray(data)
        self.pending = []  # (serial, "w", offset, data) or (serial, "t", length)

    def sync(self, before):
        for change in self.pending:
            if change[0] < before:
                apply(self.synced, change)
        self.pending = [c for c in self.pending if c[0] >= before]

    def after_cut(self, rnd, keep):
        """@keep: the part of what was not synced that is there."""
        data, dropped, full = bytearray(self.synced), False, bytearray(self.synced)
        for change in self.pending:
            apply(full, change)
            for piece in pieces(change):
                if rnd.random() < keep:
                    apply(data, piece)
                else:
                    dropped = True
        if dropped and len(data) < len(full) and rnd.random() < 0.3:
            data.extend(bytes(len(full) - len(data)))  # its length was written, its pages were not
        return bytes(data)


def apply(data, change):
    if change[1] == "t":
        length = change[2]
        del data[length:]
        data.extend(bytes(length - len(data)))
        return
    offset, new = change[2], change[3]
    data.extend(bytes(max(0, offset - len(data))))
    data[offset : offset + len(new)] = new


def pieces(change):
    if change[1] == "t":
        yield change
        return
    serial, kind, offset, data = change
    while data:
        n = PAGE - offset % PAGE
        yield (serial, kind, offset, data[:n])
        offset, data = offset + n, data[n:]


class Directory:
    def __init__(self):
        self.synced = {}  # name: File or Directory
        self.pending = []  # (serial, {name: File, Directory or None})

    def now(self):
        entries = dict(self.synced)
        for _, change in self.pending:
            update(entries, change)
        return entries

    def sync(self, before):
        for serial, change in self.pending:
            if serial < before:
                update(self.synced, change)
        self.pending = [c for c in self.pending if c[0] >= before]


def update(entries, change):
    for name, what in change.items():
        if what is None:
            entries.pop(name, None)
        else:
            entries[name] = what


class Disk:
    """The directory @folder as it is now, all of it synced."""

    def __init__(self, folder):
        self.inodes = {}
        self.top = self.read(folder)
        self.begun = {}  # (thread, inode or directory): serial of the sync that it began
        self.serial = 0

    def read(self, folder):
        d = Directory()
        for entry in os.scandir(folder):
            if entry.is_dir(follow_symlinks=False):
                d.synced[entry.name] = self.read(entry.path)
            elif entry.is_file(follow_symlinks=False):
                with open(entry.path, "rb") as f:
                    d.synced[entry.name] = self.inodes[entry.inode()] = File(f.read())
        return d

    def place(self, path):
        """(directory, last name) of a path, as it is called now."""
        *above, last = path.split("/")
        d = self.top
        for name in above:
            d = d.now()[name]
        return d, last

    def find(self, path):
        if path == ".":
            return self.top
        d, last = self.place(path)
        return d.now().get(last)

    def feed(self, trace):
        """Take the records of the file @trace."""
        with open(trace, "rb") as f:
            data = f.read()
        at = 0
        while at + HEAD.size <= len(data):
            op, names, size, inode, where = HEAD.unpack_from(data, at)
            at += HEAD.size
            if at + names + size > len(data):
                break
            name = os.fsdecode(data[at : at + names])
            self.record(op.decode(), name, data[at + names : at + names + size], inode, where)
            at += names + size

    def record(self, op, path, data, inode, where):
        self.serial += 1
        if op == "m":
            d, name = self.place(path)
            d.pending.append((self.serial, {name: Directory()}))
        elif op == "c":
            d, name = self.place(path)
            self.inodes[inode] = File()
            d.pending.append((self.serial, {name: self.inodes[inode]}))
        elif op == "w":
            self.inodes[inode].pending.append((self.serial, "w", where, data))
        elif op == "t":
            self.inodes[inode].pending.append((self.serial, "t", where))
        elif op == "u":
            d, name = self.place(path)
            d.pending.append((self.serial, {name: None}))
        elif op == "r":
            (a, was), (b, name) = self.place(path), self.place(os.fsdecode(data))
            what = a.now().get(was)
            if a is b:
                a.pending.append((self.serial, {was: None, name: what}))
            else:
                # Both or neither, as one transaction of the file system: here as soon as the new place is synced.
                b.pending.append((self.serial, {name: what}))
                a.pending.append((self.serial, {was: None}))
        elif op == "b":
            self.begun[where, inode] = self.serial
        elif op == "s":
            target = self.inodes.get(inode) if inode in self.inodes and not isinstance(self.find(path), Directory) else self.find(path)
            if target is not None:
                target.sync(self.begun[where, inode])
        else:
            raise ValueError(op)

    def cut(self, folder, rnd):
        """Make @folder, which is not there, what the disk may hold."""
        keep = rnd.choice((0.0, 0.5, 0.9, rnd.random()))
        self.write(self.top, folder, rnd, keep)

    def write(self, d, folder, rnd, keep):
        os.mkdir(folder)
        entries = dict(d.synced)
        for _, change in d.pending:
            if rnd.random() < keep:
                update(entries, change)
        for name, what in entries.items():
            path = os.path.join(folder, name)
            if isinstance(what, Directory):
                self.write(what, path, rnd, keep)
            else:
                with open(path, "wb") as f:
                    f.write(what.after_cut(rnd, keep))
