"""Logins with access tokens (OAuth 2) in place of the password."""

import pika
import pytest
from pamqp.commands import Basic, Connection, Exchange, Queue

from harness.management import Management
from harness.tokens import Issuer
from harness.waiting import wait_until
from harness.wire import connected, method_frame, publish_frames, short_string

USER_ID = b"\x00\x10"  # the flags of a message that has a user id alone


@pytest.fixture
def issuer(tmp_path):
    return Issuer(tmp_path)


@pytest.fixture
def server(start_weir, issuer):
    return start_weir(*issuer.settings())


def log_in(server, token, user="whoever", vhost="/"):
    return connected(server.address.but(user=user, password=token, vhost=vhost))


def is_refused(server, token, user="whoever"):
    parameters = pika.ConnectionParameters("127.0.0.1", server.address.port,
                                           credentials=pika.PlainCredentials(user, token))
    with pytest.raises(pika.exceptions.ProbableAuthenticationError) as refused:
        pika.BlockingConnection(parameters)
    return "ACCESS_REFUSED - Login was refused using authentication mechanism PLAIN" in str(refused.value)


@pytest.mark.parametrize("algorithm", ["RS256", "ES256"])
def test_a_token_is_a_password_of_any_user_and_says_itself_whose(server, issuer, algorithm):
    for user in ("", "guest", "someone"):
        with log_in(server, issuer.token(algorithm=algorithm), user) as wire:
            wire.rpc(1, Queue.Declare(queue="q"), Queue.DeclareOk)
            wire.send(publish_frames(1, "", "q", b"of ann", USER_ID + short_string("ann")))
            wire.send_method(1, Basic.Get(queue="q", no_ack=True))
            assert wire.next_content(Basic.GetOk).body == b"of ann"


def test_passwords_go_on_beside_tokens(server):
    with connected(server.address) as wire:
        wire.rpc(1, Queue.Declare(queue="q"), Queue.DeclareOk)


def test_tokens_that_are_expired_or_for_others_or_not_signed_are_refused(server, issuer, tmp_path):
    (tmp_path / "other").mkdir()
    forger = Issuer(tmp_path / "other")
    good = issuer.token()
    unsigned = "eyJhbGciOiJub25lIn0." + good.split(".")[1] + "."
    for bad in (issuer.token(seconds=-1), issuer.token(aud="others"), forger.token(), unsigned, good[:-4] + "AAAA", "x"):
        assert is_refused(server, bad)
    assert good not in server.log() and good.split(".")[1] not in server.log()


def test_scopes_are_permissions(server, issuer):
    with connected(server.address) as wire:
        wire.rpc(1, Exchange.Declare(exchange="news", exchange_type="topic", durable=True), Exchange.DeclareOk)
    with log_in(server, issuer.token("rabbitmq.configure:%2F/own.* rabbitmq.write:%2F/news/eu.*")) as wire:
        wire.rpc(1, Queue.Declare(queue="own.q"), Queue.DeclareOk)
        wire.send(publish_frames(1, "news", "eu.de", b"x"))
        wire.send(method_frame(1, Queue.Declare(queue="other")))
        wire.expect_channel_close(
            1, 403, "ACCESS_REFUSED - configure access to queue 'other' in vhost '/' refused for user 'ann'")
        wire.open_channel(1)
        wire.send(publish_frames(1, "news", "us.ny", b"x"))
        wire.expect_channel_close(1, 403, "ACCESS_REFUSED - write access to topic 'us.ny' in exchange 'news' in vhost '/' "
                                          "refused for user 'ann'")


def test_a_vhost_that_no_scope_names_is_closed(server, issuer):
    parameters = pika.ConnectionParameters("127.0.0.1", server.address.port,
                                           credentials=pika.PlainCredentials("x", issuer.token("rabbitmq.read:shop/*")))
    with pytest.raises(pika.exceptions.ProbableAccessDeniedError, match="access to vhost '/' refused for user 'ann'"):
        pika.BlockingConnection(parameters)


def test_a_connection_ends_with_its_token(server, issuer):
    with log_in(server, issuer.token(seconds=2)) as wire:
        close = wire.next_method(Connection.Close, 0, seconds=10)
        assert (close.reply_code, close.reply_text) == (320, "CONNECTION_FORCED - credential expired")


def test_a_new_token_in_time_lets_it_go_on(server, issuer):
    with log_in(server, issuer.token(seconds=2)) as wire:
        wire.rpc(0, Connection.UpdateSecret(new_secret=issuer.token(seconds=600), reason="renewed"),
                 Connection.UpdateSecretOk)
        with log_in(server, issuer.token(seconds=3)) as other:  # the old one has ended when this one does
            other.next_method(Connection.Close, 0, seconds=10)
        wire.rpc(1, Queue.Declare(queue="q"), Queue.DeclareOk)


def test_a_new_token_of_somebody_else_ends_it(server, issuer):
    with log_in(server, issuer.token()) as wire:
        wire.send(method_frame(0, Connection.UpdateSecret(new_secret=issuer.token(sub="bob"), reason="x")))
        close = wire.next_method(Connection.Close, 0)
        assert (close.reply_code, close.reply_text) == (
            530, "NOT_ALLOWED - New secret was refused by one of the backends")


def test_new_keys_count_as_soon_as_their_file_is_there(server, issuer):
    old = issuer.token()
    issuer.renew()
    wait_until(lambda: "keys of access tokens were read anew" in server.log(), "the new keys")
    with log_in(server, issuer.token()):
        pass
    assert is_refused(server, old)
    issuer.path.write_text("{}")
    wait_until(lambda: "the old keys of access tokens stay" in server.log(), "the refusal of what are no keys")
    with log_in(server, issuer.token()):
        pass


def test_tokens_alone(start_weir, issuer):
    server = start_weir(*issuer.settings("oauth2"))
    assert is_refused(server, "guest", "guest")
    with log_in(server, issuer.token()):
        pass


def test_a_token_opens_the_management_api_as_far_as_it_says(server, issuer):
    def management(scope, **claims):
        return Management(server.ports["admin"], token=issuer.token(scope=scope, **claims))

    watcher = management("rabbitmq.tag:monitoring rabbitmq.configure:*/own.* rabbitmq.read:*/own.* rabbitmq.write:*/own.*")
    assert watcher.get("/whoami") == {"name": "ann", "tags": ["monitoring"], "is_internal_user": False}
    watcher.done("PUT", "/queues/%2F/own.q", {"durable": True})
    assert watcher.refused("PUT", "/queues/%2F/other", {}, 401) == ("not_authorised", "Access refused.")
    assert watcher.refused("GET", "/users", status=401)[1] == "Not administrator user"
    assert management("rabbitmq.read:*/*").refused("GET", "/whoami", status=401)[1] == "Not management user"
    assert management("rabbitmq.tag:administrator", seconds=-1).refused("GET", "/whoami", status=401)[1] == "Login failed"
