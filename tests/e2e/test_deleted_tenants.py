"""What becomes of connections when their virtual host, or their user, is deleted."""

from pamqp.commands import Basic, Connection, Queue

from harness.management import segment
from harness.wire import connected

EVERYTHING = {"configure": ".*", "write": ".*", "read": ".*"}


def closed_with(wire):
    close = wire.find_method(Connection.Close, 0)
    return close.reply_code, close.reply_text


def test_connections_of_a_deleted_vhost_are_closed_and_no_others(weir, admin, name):
    vhost = segment(name("shop"))
    admin.done("PUT", f"/vhosts/{vhost}")
    admin.done("PUT", f"/permissions/{vhost}/guest", EVERYTHING)
    inside = [connected(weir.address.but(vhost=name("shop"))) for _ in range(4)]  # on every shard
    inside[0].rpc(1, Queue.Declare(queue="q", durable=True), Queue.DeclareOk)
    for wire in inside:
        wire.rpc(1, Basic.Consume(queue="q"), Basic.ConsumeOk)
    with connected(weir.address) as other:
        admin.done("DELETE", f"/vhosts/{vhost}")
        for wire in inside:
            assert closed_with(wire) == (320, f"CONNECTION_FORCED - vhost '{name('shop')}' is deleted")
            wire.drop()
        other.rpc(1, Queue.Declare(queue=name(), exclusive=True), Queue.DeclareOk)


def test_connections_of_a_deleted_user_are_closed(weir, admin, name):
    user = segment(name("ann"))
    admin.done("PUT", f"/users/{user}", {"password": "secret", "tags": ""})
    admin.done("PUT", f"/permissions/%2F/{user}", EVERYTHING)
    wires = [connected(weir.address.but(user=name("ann"), password="secret")) for _ in range(2)]
    admin.done("DELETE", f"/users/{user}")
    for wire in wires:
        assert closed_with(wire) == (320, f"CONNECTION_FORCED - user '{name('ann')}' is deleted")
        wire.drop()
