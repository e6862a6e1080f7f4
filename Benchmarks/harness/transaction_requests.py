"""Where the time of transactions goes, request by request, as librdkafka tells it (`debug: protocol`)."""

import math
import re

from systems import WorkerRun, log_time
from traffic import percentiles, steady

_LINE = re.compile(r": (Sent|Received) (AddPartitionsToTxn|AddOffsetsToTxn|TxnOffsetCommit|Produce|EndTxn)(?:Request|Response) "
                   r"\(.*?(?:rtt ([0-9.]+)ms)?\)$")


def requests(bench, prepared, results, seconds, rate=1_000, name="requests"):
    """w5, exactly-once, with a line of the log for each request: the requests that a transaction waits for."""
    questions = prepared.workload.fresh("questions-steady")
    run = WorkerRun(bench, prepared.workload, "exactly-once", prepared.state, questions=questions,
                    properties={"debug": "protocol"}, level="debug")
    try:
        run.commit_tables()
        run.start()
        run.wait_caught_up()
        times = steady(bench, run, prepared, questions, rate, int(rate * seconds))
        run.stop()
        for label, per_transaction, values in parts(run.lines()):
            results.add(name, label, run.mode, {"per_transaction": per_transaction} | _milliseconds(values))
        results.add(name, "event produced to record received", run.mode, percentiles(times))
    finally:
        run.close()
        prepared.workload.drop(questions)


def parts(lines):
    """(part, how many of them a transaction has, milliseconds of each), in the order of a transaction's life."""
    found = {}
    transactions = 0
    began = last_answer = ended = None
    for line in lines:
        match = _LINE.search(line["message"])
        if not match:
            continue
        direction, request, rtt = match.groups()
        now = log_time(line) * 1e3
        if direction == "Sent":
            if began is None:
                began = now
                if ended is not None:
                    found.setdefault("from EndTxn's answer to the next request", []).append(now - ended)
            if request == "EndTxn" and last_answer is not None:
                found.setdefault("from the last of these answers to EndTxn", []).append(now - last_answer)
        else:
            if rtt is not None:
                found.setdefault(request, []).append(float(rtt))
            last_answer = now
            if request == "EndTxn" and began is not None:
                transactions += 1
                found.setdefault("the transaction's requests in all", []).append(now - began)
                ended, began, last_answer = now, None, None
    order = ["from EndTxn's answer to the next request", "AddPartitionsToTxn", "Produce", "AddOffsetsToTxn", "TxnOffsetCommit",
             "from the last of these answers to EndTxn", "EndTxn", "the transaction's requests in all"]
    return [(part, len(found[part]) / max(1, transactions), found[part]) for part in order if part in found]


def _milliseconds(values):
    values = sorted(values)
    return {f"p{percent}_ms": values[min(len(values) - 1, math.ceil(len(values) * percent / 100) - 1)] for percent in (50, 99)}
