"""kill -9 of the real process while messages are moved: each is where it was or where it goes, or both."""

import threading

import pytest
from pamqp.commands import Basic, Queue

from harness.management import Management
from harness.waiting import wait_until
from harness.wire import PERSISTENT, connected
from ledger import settled_ready_count

COUNT = 30_000
STEP = 300  # messages that one call moves
CYCLES = 5


def fill(server):
    with connected(server.address, confirms=True) as wire:
        for queue in ("from", "to"):
            wire.rpc(1, Queue.Declare(queue=queue, durable=True), Queue.DeclareOk)
        for number in range(COUNT):
            wire.publish(1, "", "from", b"%d" % number, PERSISTENT)
        confirmed = 0
        while confirmed < COUNT:
            ack = wire.next_method(Basic.Ack)
            confirmed = ack.delivery_tag if ack.multiple else confirmed + 1


def move_until_killed(server, moved):
    """Calls until it is done, or until the broker is gone; `moved` has what was told."""
    admin = Management(server.ports["admin"])
    token = None
    try:
        while True:
            answer = admin.request("POST", "/queues/%2F/from/move",
                                   {"to": {"queue": "to"}, "token": token, "max_messages": STEP})
            if answer.status != 200:
                return
            moved.append(answer.json["moved"])
            token = answer.json["token"]
            if answer.json["done"]:
                return
    except OSError:
        return
    except Exception as error:  # the answer was cut off
        moved.append(repr(error))


def drained(server, queue):
    with connected(server.address) as wire:
        count = settled_ready_count(wire, queue)
        wire.rpc(1, Basic.Consume(queue=queue, consumer_tag="c", no_ack=True), Basic.ConsumeOk)
        return [int(wire.next_content().body) for _ in range(count)]


@pytest.mark.seconds(60 + 30 * CYCLES)
def test_a_move_that_is_killed_loses_nothing(start_weir, dice):
    server = start_weir()
    cut_off = 0
    for _ in range(CYCLES):
        fill(server)
        moved = []
        mover = threading.Thread(target=move_until_killed, args=(server, moved))
        mover.start()
        steps = dice.randrange(1, COUNT // STEP // 2)
        wait_until(lambda: len(moved) >= steps or not mover.is_alive(), "some was moved")
        killer = threading.Timer(dice.uniform(0.0, 0.02), server.kill)
        killer.start()
        killer.join()
        mover.join()
        server.start()
        left, there = drained(server, "from"), drained(server, "to")
        assert set(left) | set(there) == set(range(COUNT)), "a message is nowhere"
        told = [number for number in moved if isinstance(number, int)]
        assert len(set(there)) >= told[-1], "what was told to be moved is not there"
        twice = len(left) + len(there) - COUNT
        assert twice <= 3 * STEP, "what was settled is there again"
        cut_off += 1 if left else 0
        print(f"{len(left)} left, {len(there)} moved, {twice} twice; told {told[-1]}")
    assert cut_off > 0, "no move was cut off"
    assert server.stop() == 0
