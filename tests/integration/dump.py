"""Payloads of DUMP with other bytes: their checksum made right again, so that what reads them has to look."""


def _table():
    rows = []
    for i in range(256):
        for _ in range(8):
            i = i >> 1 ^ (0x95AC9329AC4BC9B5 if i & 1 else 0)
        rows.append(i)
    return rows


TABLE = _table()


def crc64(data):
    crc = 0
    for b in data:
        crc = TABLE[(crc ^ b) & 255] ^ crc >> 8
    return crc


def signed(payload):
    """@payload with the checksum of what it holds now."""
    body = bytes(payload[:-8])
    return body + crc64(body).to_bytes(8, "little")
