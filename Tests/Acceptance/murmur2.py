"""The hash by which Java's Kafka clients place a key."""

_MASK = 0xFFFFFFFF
_M = 0x5BD1E995


def murmur2(key):
    """MurmurHash2 with the seed of org.apache.kafka.common.utils.Utils, as an unsigned 32-bit number."""
    length = len(key)
    h = (0x9747B28C ^ length) & _MASK
    whole = length & ~3
    for i in range(0, whole, 4):
        k = int.from_bytes(key[i : i + 4], "little")
        k = (k * _M) & _MASK
        k ^= k >> 24
        k = (k * _M) & _MASK
        h = ((h * _M) & _MASK) ^ k
    rest = length & 3
    if rest == 3:
        h ^= key[whole + 2] << 16
    if rest >= 2:
        h ^= key[whole + 1] << 8
    if rest >= 1:
        h ^= key[whole]
        h = (h * _M) & _MASK
    h ^= h >> 13
    h = (h * _M) & _MASK
    return h ^ (h >> 15)


def partition_of(key, partitions):
    """The partition in which Java's default partitioner puts a record with this key."""
    return (murmur2(key) & 0x7FFFFFFF) % partitions
