"""A proxy between worker and brokers that treats chosen requests badly: it holds them, cuts their connection and
delivers them late, drops them, or answers them as Kafka would.

A client that begins at the proxy stays behind it: the brokers' addresses in answers are replaced by the proxy's own.
"""

import contextlib
import socket
import struct
import threading
import time

PRODUCE, FETCH, LIST_OFFSETS, METADATA = 0, 1, 2, 3
OFFSET_COMMIT, OFFSET_FETCH, FIND_COORDINATOR = 8, 9, 10
INIT_PRODUCER_ID, ADD_PARTITIONS_TO_TXN, ADD_OFFSETS_TO_TXN, END_TXN, TXN_OFFSET_COMMIT = 22, 24, 25, 26, 28

HOST = "127.0.0.1"


def _listen():
    listener = socket.create_server((HOST, 0))
    return listener, listener.getsockname()[1]


def _read_exactly(connection, count):
    data = bytearray()
    while len(data) < count:
        piece = connection.recv(count - len(data))
        if not piece:
            return None
        data += piece
    return bytes(data)


def _read_frame(connection):
    size = _read_exactly(connection, 4)
    if size is None:
        return None
    body = _read_exactly(connection, struct.unpack(">i", size)[0])
    return None if body is None else size + body


def api_of(frame):
    return struct.unpack_from(">h", frame, 4)[0]


class Rule:
    """The proxy's treatment of some requests. By itself nothing."""

    def matches(self, api):
        """Whether this request is the rule's. Called once for each request, until one rule takes it."""
        return False

    def treat(self, frame, upstream, cut):
        """In place of handing the request on. upstream: the broker's port. cut: ends the connection."""

    def reply(self, api, frame):
        """The answer to this request in place of the broker's, which never sees it; None: the broker's."""

    def altered(self, api, frame):
        """The broker's answer to a request of this kind as the client is to see it."""
        return frame

    def note_answer(self, api):
        """An answer has passed."""

    def delay(self, api):
        """Seconds that a request waits before it is handed on, and those behind it on its connection."""
        return 0


class Slow(Rule):
    """Requests of a kind take longer."""

    def __init__(self, api, seconds):
        self._api, self._seconds = api, seconds

    def delay(self, api):
        return self._seconds if api == self._api else 0


class Late(Rule):
    """One request of a kind is held back, its connection is cut, and it is delivered later, by a connection of its own.

    nth: which of its kind, counted from when this is set. held: seconds before the cut. after: (api, count): delivered
    when so many answers of that kind have passed since; at the latest after `patience` seconds.
    """

    def __init__(self, api, nth=1, held=0.3, after=(PRODUCE, 1), patience=5.0):
        self.api, self.nth, self.held, self.after, self.patience = api, nth, held, after, patience
        self.frame = None
        self.answer = None
        self.is_delivered = threading.Event()
        self._left = after[1]
        self._due = threading.Event()

    def matches(self, api):
        if self.frame is not None or api != self.api:
            return False
        self.nth -= 1
        return self.nth == 0

    def note_answer(self, api):
        if self.frame is not None and api == self.after[0] and self._left > 0:
            self._left -= 1
            if self._left == 0:
                self._due.set()

    def treat(self, frame, upstream, cut):
        self.frame = frame
        threading.Thread(target=self._deliver, args=(upstream, cut), daemon=True).start()

    def _deliver(self, upstream, cut):
        time.sleep(self.held)
        cut()
        self._due.wait(self.patience)
        with contextlib.suppress(OSError), socket.create_connection((HOST, upstream), timeout=10) as connection:
            connection.sendall(self.frame)
            self.answer = _read_frame(connection)
        self.is_delivered.set()


class Silence(Rule):
    """Requests of these kinds go nowhere and get no answer, until `end()`. None: all kinds."""

    def __init__(self, apis=None):
        self._apis = apis
        self._ended = threading.Event()
        self.swallowed = 0

    def matches(self, api):
        return not self._ended.is_set() and (self._apis is None or api in self._apis)

    def treat(self, frame, upstream, cut):
        self.swallowed += 1

    def end(self):
        self._ended.set()


class Refusal(Rule):
    """Requests that produce to a topic are refused with an error code of Kafka's where their batch holds certain bytes,
    as a broker refuses a batch for one of its records. The batches must not be compressed.

    count: how many are refused; None: all.
    """

    def __init__(self, topic, code, holding=b"", count=None):
        self._topic, self._code, self._holding, self._count = topic.encode(), code, holding, count
        self.refused = 0

    def reply(self, api, frame):
        if api != PRODUCE or self._holding not in frame or self.refused == self._count:
            return None
        version, correlation = struct.unpack_from(">hi", frame, 6)
        places = list(_produced(frame))
        if not any(topic == self._topic for topic, _ in places):
            return None
        assert 3 <= version <= 7 and len(places) == 1, "librdkafka produces to one partition a request"
        (topic, partition), self.refused = places[0], self.refused + 1
        body = struct.pack(">iih", correlation, 1, len(topic)) + topic
        body += struct.pack(">iihqq", 1, partition, self._code, -1, -1)
        body += (struct.pack(">q", -1) if version >= 5 else b"") + struct.pack(">i", 0)
        return struct.pack(">i", len(body)) + body


def _produced(frame):
    """The places that a Produce request (versions 3 to 8) writes to."""
    at = 12

    def take(format):
        nonlocal at
        (value,) = struct.unpack_from(format, frame, at)
        at += struct.calcsize(format)
        return value

    def skip(count):
        nonlocal at
        at += max(count, 0)

    skip(take(">h"))  # the client's id
    skip(take(">h"))  # the transactional id
    skip(6)  # acks, timeout
    for _ in range(take(">i")):
        name = take(">h")
        topic = frame[at : at + name]
        skip(name)
        for _ in range(take(">i")):
            yield topic, take(">i")
            skip(take(">i"))


class FencedInstance(Rule):
    """A TxnOffsetCommit with one partition of a topic is refused once, as Kafka refuses a static member's that has not
    joined yet while the group remembers the member of an earlier process."""

    CODE = 82

    def __init__(self, topic):
        self._topic = topic.encode()
        self.refused = 0

    def reply(self, api, frame):
        if api != TXN_OFFSET_COMMIT or self.refused:
            return None
        version, correlation = struct.unpack_from(">hi", frame, 6)
        self.refused += 1
        if version < 3:
            body = struct.pack(">iiih", correlation, 0, 1, len(self._topic)) + self._topic
            body += struct.pack(">iih", 1, 0, self.CODE)
        else:
            # From 3 on lengths are one more in one byte, and tagged fields (none) end every structure.
            body = struct.pack(">ibibb", correlation, 0, 0, 2, len(self._topic) + 1) + self._topic
            body += struct.pack(">bihbbb", 2, 0, self.CODE, 0, 0, 0)
        return struct.pack(">i", len(body)) + body


class Unstable(Rule):
    """OffsetFetch requests for stable offsets are answered as a group coordinator does that has not applied the end of
    a transaction yet (UNSTABLE_OFFSET_COMMIT), from when this is set until `end()`; notes the TxnOffsetCommits that
    come meanwhile."""

    CODE = 88

    def __init__(self):
        self._ended = threading.Event()
        self.answered = 0
        self.commits = 0

    def end(self):
        self._ended.set()

    def reply(self, api, frame):
        if self._ended.is_set():
            return None
        self.commits += api == TXN_OFFSET_COMMIT
        if api != OFFSET_FETCH:
            return None
        version, correlation = struct.unpack_from(">hi", frame, 6)
        assert version == 7, "librdkafka asks for stable offsets with version 7"
        # `require_stable` is the last field, and no tagged field follows it.
        if not frame[-2]:
            return None
        # Lengths are one more in one byte, and tagged fields (none) end every structure.
        places = _asked(frame)
        body = struct.pack(">ibib", correlation, 0, 0, len(places) + 1)
        for topic, partitions in places:
            body += struct.pack(">b", len(topic) + 1) + topic + struct.pack(">b", len(partitions) + 1)
            for partition in partitions:
                body += struct.pack(">iqibhb", partition, -1, -1, 1, self.CODE, 0)
            body += b"\0"
        body += struct.pack(">hb", 0, 0)
        self.answered += 1
        return struct.pack(">i", len(body)) + body


class Forgotten(Unstable):
    """OffsetFetch requests are answered as a coordinator may that resigns: the group has committed nothing."""

    CODE = 0


def _asked(frame):
    """The places that an OffsetFetch request (version 7) asks for: [(topic, partitions)]."""
    at = 12

    def take(count):
        nonlocal at
        piece = frame[at : at + count]
        at += count
        return piece

    take(struct.unpack(">h", take(2))[0])  # the client's id
    take(1)  # tagged fields
    take(take(1)[0] - 1)  # the group
    places = []
    for _ in range(take(1)[0] - 1):
        topic = take(take(1)[0] - 1)
        places.append((topic, [struct.unpack(">i", take(4))[0] for _ in range(take(1)[0] - 1)]))
        take(1)
    return places


class Quota(Rule):
    """Answers to fetching and producing say that a quota has delayed them."""

    def __init__(self, milliseconds):
        self._milliseconds = struct.pack(">i", milliseconds)

    def altered(self, api, frame):
        if api == FETCH:
            return frame[:8] + self._milliseconds + frame[12:]
        return frame[:-4] + self._milliseconds if api == PRODUCE else frame


class Proxy:
    """Listens once for each broker. upstream: the brokers' ports on this machine."""

    def __init__(self, upstream):
        self._ports = {}
        self._listeners = []
        self._connections = set()
        self._rules = []
        self._lock = threading.Lock()
        self._closed = False
        for port in upstream:
            listener, own = _listen()
            self._listeners.append(listener)
            self._ports[port] = own
        for listener, port in zip(self._listeners, self._ports, strict=True):
            threading.Thread(target=self._accept, args=(listener, port), daemon=True).start()

    @classmethod
    def before(cls, cluster):
        """A proxy before every broker of the cluster."""
        brokers = cluster.admin.list_topics(timeout=10).brokers.values()
        assert all(broker.host == HOST for broker in brokers), "the proxy needs brokers on 127.0.0.1"
        return cls([broker.port for broker in brokers])

    @property
    def bootstrap_servers(self):
        return ",".join(f"{HOST}:{port}" for port in self._ports.values())

    def add(self, rule):
        with self._lock:
            self._rules.append(rule)
        return rule

    def close(self):
        self._closed = True
        for listener in self._listeners:
            listener.close()
        self.cut_all()

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.close()

    def cut_all(self):
        with self._lock:
            connections = list(self._connections)
        for connection in connections:
            _cut(connection)

    # --- Connections -----------------------------------------------------------------------------------------

    def _accept(self, listener, port):
        while not self._closed:
            try:
                client, _ = listener.accept()
            except OSError:
                return
            try:
                broker = socket.create_connection((HOST, port), timeout=10)
            except OSError:
                client.close()
                continue
            broker.settimeout(None)
            for connection in (client, broker):
                connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            with self._lock:
                self._connections |= {client, broker}
            apis, sending = {}, threading.Lock()
            threading.Thread(target=self._requests, args=(client, broker, port, apis, sending), daemon=True).start()
            threading.Thread(target=self._answers, args=(client, broker, apis, sending), daemon=True).start()

    def _requests(self, client, broker, port, apis, sending):
        def cut():
            _cut(client)
            _cut(broker)

        with contextlib.suppress(OSError):
            while (frame := _read_frame(client)) is not None:
                api, correlation = api_of(frame), struct.unpack_from(">i", frame, 8)[0]
                with self._lock:
                    rule = next((rule for rule in self._rules if rule.matches(api)), None)
                    replies = (rule.reply(api, frame) for rule in self._rules)
                    reply = None if rule else next((reply for reply in replies if reply), None)
                if rule:
                    rule.treat(frame, port, cut)
                    continue
                if reply:
                    with sending:
                        client.sendall(reply)
                    continue
                if pause := max((rule.delay(api) for rule in self._rules), default=0):
                    time.sleep(pause)
                apis[correlation] = api
                broker.sendall(frame)
        cut()

    def _answers(self, client, broker, apis, sending):
        with contextlib.suppress(OSError):
            while (frame := _read_frame(broker)) is not None:
                api = apis.pop(struct.unpack_from(">i", frame, 4)[0], None)
                if api in (METADATA, FIND_COORDINATOR):
                    frame = self._readdressed(frame)
                with self._lock:
                    for rule in self._rules:
                        rule.note_answer(api)
                        frame = rule.altered(api, frame)
                with sending:
                    client.sendall(frame)
        _cut(client)
        _cut(broker)
        with self._lock:
            self._connections -= {client, broker}

    def _readdressed(self, frame):
        """Every form of the answers has a broker's port right behind its host."""
        for port, own in self._ports.items():
            frame = frame.replace(HOST.encode() + struct.pack(">i", port), HOST.encode() + struct.pack(">i", own))
        return frame


def _cut(connection):
    with contextlib.suppress(OSError):
        connection.shutdown(socket.SHUT_RDWR)
    connection.close()
