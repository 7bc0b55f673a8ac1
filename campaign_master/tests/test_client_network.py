"""What only a real connection shows: time, size, reuse, certificates, proxies."""

import datetime
import gzip
import os
import ssl
import tempfile
import threading
import time
from pathlib import Path
from unittest.mock import patch

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from odoo.addons.campaign_master.client import (
    CampaignMasterClient,
    CampaignMasterConfigurationError,
    CampaignMasterConnectionError,
    CampaignMasterRefusedError,
    CampaignMasterResponseError,
    MemoryLedger,
    transport,
)

from .client_common import (
    EXAMPLES,
    LIST,
    PASSWORD,
    TOKEN,
    USERNAME,
    RawServer,
    SocketCase,
    http_answer,
    page_of,
)

LISTS = http_answer(page_of(LIST))
KEPT_LISTS = http_answer(page_of(LIST), connection=b"keep-alive")
# Calls of each kind: how often a failure is tried, and whether it may have changed something.
KINDS = (
    ("lists", 3, False),
    ("update_campaign", 3, True),
    ("add_recipients", 1, True),
    ("authenticate", 1, False),
)


class TestConnection(SocketCase):
    def test_one_connection_for_many_calls(self):
        self.ledger = MemoryLedger()

        def answer(head, connection):
            login = b"/authenticate" in head
            kept_token = http_answer({"token": TOKEN}, connection=b"keep-alive")
            connection.sendall(kept_token if login else KEPT_LISTS)
            return True

        server = self.serve(answer)
        for _i in range(3):
            self.assertEqual(len(list(self.client.lists())), 1)
        self.assertEqual((len(server.heads), server.connections), (4, 1))

    def test_an_answer_that_ends_with_the_connection(self):
        data = LISTS.partition(b"\r\n\r\n")[2]
        self.serve(lambda _head, connection: connection.sendall(b"HTTP/1.0 200 OK\r\n\r\n" + data))
        self.assertEqual(len(list(self.client.lists())), 1)

    def test_an_answer_in_chunks(self):
        data = LISTS.partition(b"\r\n\r\n")[2]
        chunks = b"".join(b"1\r\n%c\r\n" % byte for byte in data) + b"0\r\n\r\n"
        head = b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n"
        self.serve(lambda _head, connection: connection.sendall(head + chunks))
        self.assertEqual(len(list(self.client.lists())), 1)

    def test_the_headers_of_the_login_keep_their_names(self):
        server = self.serve(
            lambda _head, connection: connection.sendall(http_answer({"token": TOKEN})),
            client_id="client",
            client_secret="secret 1",
        )
        self.client.authenticate()
        [head] = server.heads
        for line in (b"username: ann", b"client_id: client", b"client_secret: secret 1"):
            self.assertIn(b"\r\n%s\r\n" % line, head)

    def test_a_password_that_no_header_can_carry_logs_in_over_a_real_connection(self):
        server = self.serve(
            lambda _head, connection: connection.sendall(http_answer({"token": TOKEN}))
        )
        for password in ("пароль", "x\r\nX-Evil: 1", " x", "x\x00", "\ud800"):
            with (
                self.subTest(password=password),
                CampaignMasterClient(server.url, "ann", password) as client,
            ):
                client.authenticate()
                self.assertNotIn(b"password", server.heads[-1])
                self.assertNotIn(b"X-Evil", server.heads[-1])

    def test_nobody_listens(self):
        server = self.serve(None)
        server.stop()
        for name, _sent, _unknown in KINDS:
            self.assertFails(
                CampaignMasterConnectionError,
                EXAMPLES[name].make,
                "unreachable",
                call=EXAMPLES[name].name,
                outcome_unknown=False,
            )
        self.assertEqual(self.ledger.calls, 0)

    def test_no_such_host(self):
        self.client = self.make_client("https://no-such-host.invalid")
        self.assertFails(CampaignMasterConnectionError, EXAMPLES["lists"].make, "unreachable")

    def test_reset_before_an_answer(self):
        server = self.serve(lambda _head, _connection: None)
        for name, sent, unknown in KINDS:
            self.assertFails(
                CampaignMasterConnectionError,
                EXAMPLES[name].make,
                "connection_lost",
                outcome_unknown=unknown,
            )
            self.assertEqual(len(server.heads), sent)
            server.heads.clear()

    def test_a_body_that_is_cut(self):
        server = self.serve(lambda _head, connection: connection.sendall(LISTS[:-5]))
        for name, sent, unknown in KINDS:
            self.assertFails(
                CampaignMasterConnectionError,
                EXAMPLES[name].make,
                "connection_lost",
                outcome_unknown=unknown,
            )
            self.assertEqual(len(server.heads), sent)
            server.heads.clear()

    def test_a_refusal_that_is_cut_is_a_refusal(self):
        cut = http_answer({"message": "Not like this."}, b"400 Bad Request")[:-5]
        self.serve(lambda _head, connection: connection.sendall(cut))
        self.assertFails(CampaignMasterRefusedError, EXAMPLES["add_recipients"].make)

    def test_not_http_at_all(self):
        for noise in (b"SSH-2.0-OpenSSH_9.2\r\n", b"\x00" * 100, b"HTTP/1.1 abc\r\n\r\n"):
            self.serve(lambda _head, connection, noise=noise: connection.sendall(noise))
            self.assertFails(CampaignMasterConnectionError, EXAMPLES["lists"].make)


class TestTime(SocketCase):
    """No server holds a worker for longer than the client says."""

    def drip(self, data):
        """Answer with one byte in 20 milliseconds."""

        def answer(_head, connection):
            for byte in data:
                connection.sendall(bytes([byte]))
                if self.server.stopping.wait(0.02):
                    break

        return answer

    def assertSoon(self, make, seconds=2, **attributes):
        started = time.monotonic()
        self.assertFails(CampaignMasterConnectionError, make, "timeout", **attributes)
        self.assertLess(time.monotonic() - started, seconds)

    def test_no_answer(self):
        self.serve(lambda _head, _connection: self.server.stopping.wait(10), timeout=0.2)
        for name, sent, unknown in KINDS:
            self.assertSoon(EXAMPLES[name].make, outcome_unknown=unknown)
            self.assertEqual(len(self.pauses), sent - 1)
            self.pauses.clear()

    def test_a_header_that_drips(self):
        head = b"HTTP/1.1 200 OK\r\n" + b"X-A: b\r\n" * 90
        self.serve(self.drip(head))
        with patch.object(self.client._session, "_seconds", 0.5):
            self.assertSoon(EXAMPLES["lists"].make)
        self.assertEqual(len(self.server.heads), 1)

    def test_a_body_that_drips(self):
        self.serve(self.drip(http_answer(b" " * 10_000)))
        with patch.object(self.client._session, "_seconds", 1):
            self.assertSoon(EXAMPLES["lists"].make, 3)

    def test_a_wait_within_an_answer(self):
        def answer(_head, connection):
            connection.sendall(LISTS[:-5])
            self.server.stopping.wait(10)

        self.serve(answer, timeout=(5, 0.2), retries=0)
        self.assertSoon(EXAMPLES["lists"].make)

    def test_the_next_call_has_the_whole_time_again(self):
        def answer(_head, connection):
            time.sleep(0.2)
            connection.sendall(KEPT_LISTS)
            return True

        self.serve(answer)
        with patch.object(self.client._session, "_seconds", 0.5):
            for _i in range(4):
                list(self.client.lists())
        self.assertEqual(self.server.connections, 1)

    def test_without_a_read_timeout_the_deadline_holds(self):
        self.serve(lambda _head, _connection: self.server.stopping.wait(10), timeout=(5, None))
        with patch.object(self.client._session, "_seconds", 0.3):
            self.assertSoon(EXAMPLES["lists"].make)

    def test_no_time_left_to_read(self):
        self.serve(lambda _head, connection: connection.sendall(LISTS))
        with patch.object(self.client._session, "_seconds", 0):
            self.assertSoon(EXAMPLES["lists"].make)

    def test_threads_have_deadlines_of_their_own(self):
        """A short call beside a long one does not end it."""

        def answer(_head, connection):
            time.sleep(0.4)
            connection.sendall(LISTS)

        slow = RawServer(answer)
        self.addCleanup(slow.stop)
        slow_client = self.make_client(slow.url)
        found = []
        thread = threading.Thread(target=lambda: found.extend(slow_client.lists()))
        thread.start()
        self.serve(lambda _head, _connection: self.server.stopping.wait(10), retries=0)
        with patch.object(self.client._session, "_seconds", 0.1):
            self.assertSoon(EXAMPLES["lists"].make)
        thread.join(5)
        self.assertEqual(len(found), 1)


class TestSize(SocketCase):
    def test_too_large(self):
        self.serve(lambda _head, connection: connection.sendall(http_answer(b" " * 10_000)))
        with patch.object(transport, "MAX_BYTES", 9_999):
            for name, _sent, unknown in KINDS:
                self.assertFails(
                    CampaignMasterResponseError,
                    EXAMPLES[name].make,
                    "too_large",
                    outcome_unknown=unknown,
                )
                self.assertEqual(len(self.server.heads), 1, "It is not tried again")
                self.server.heads.clear()
        with patch.object(transport, "MAX_BYTES", 10_000):
            self.assertFails(CampaignMasterResponseError, EXAMPLES["lists"].make, "not_json")

    def test_packed_answers_are_unpacked(self):
        body = gzip.compress(LISTS.partition(b"\r\n\r\n")[2])
        packed = http_answer(body, headers=b"Content-Encoding: gzip\r\n")
        self.serve(lambda _head, connection: connection.sendall(packed))
        self.assertEqual(len(list(self.client.lists())), 1)

    def test_a_bomb_is_not_unpacked_to_its_end(self):
        bomb = gzip.compress(b" " * 50_000_000)
        packed = http_answer(bomb, headers=b"Content-Encoding: gzip\r\n")
        self.serve(lambda _head, connection: connection.sendall(packed))
        self.assertFails(CampaignMasterResponseError, EXAMPLES["lists"].make, "too_large")

    def test_broken_packing(self):
        packed = http_answer(b"not gzip", headers=b"Content-Encoding: gzip\r\n")
        self.serve(lambda _head, connection: connection.sendall(packed))
        self.assertFails(CampaignMasterConnectionError, EXAMPLES["lists"].make, "connection_lost")


class TestWhereTheTokenGoes(SocketCase):
    """Neither redirects, nor proxies, nor a .netrc, nor a stranger's certificate lead it away."""

    def spy(self):
        stranger = RawServer(lambda _head, connection: connection.sendall(LISTS))
        self.addCleanup(stranger.stop)
        return stranger

    def test_a_redirect_is_not_followed(self):
        stranger = self.spy()
        location = b"Location: %s/\r\n" % stranger.url.encode()
        for target in (location, b"Location: http://[\r\n", b"Location: \xff\xfe\r\n"):
            for status in (b"302 Found", b"307 Temporary Redirect"):
                moved = http_answer(b"x" * 100, status, target)
                self.serve(lambda _head, connection, moved=moved: connection.sendall(moved))
                self.assertFails(
                    CampaignMasterResponseError, EXAMPLES["add_recipients"].make, "redirect"
                )
        self.assertEqual(stranger.heads, [])

    def test_no_proxy_for_the_loopback(self):
        stranger = self.spy()
        self.serve(lambda _head, connection: connection.sendall(LISTS))
        proxies = dict.fromkeys(("http_proxy", "HTTP_PROXY", "all_proxy"), stranger.url)
        with patch.dict(os.environ, proxies | {"no_proxy": ""}):
            self.assertEqual(len(list(self.client.lists())), 1)
        self.assertEqual(stranger.heads, [])

    def test_a_proxy_for_others_gets_a_tunnel_and_no_token(self):
        proxy = RawServer(
            lambda _head, connection: connection.sendall(b"HTTP/1.1 403 Forbidden\r\n\r\n")
        )
        self.addCleanup(proxy.stop)
        self.client = self.make_client("https://api.example.com", retries=0)
        with patch.dict(os.environ, {"https_proxy": proxy.url, "no_proxy": ""}):
            self.assertFails(
                CampaignMasterConnectionError,
                EXAMPLES["add_recipients"].make,
                "unreachable",
                outcome_unknown=False,
            )
        self.assertTrue(proxy.heads[0].startswith(b"CONNECT api.example.com:443 HTTP/1."))
        self.assertNotIn(b"Authorization", proxy.heads[0])

    def test_a_netrc_does_not_replace_the_token(self):
        with tempfile.TemporaryDirectory() as folder:
            netrc = Path(folder, "netrc")
            netrc.write_text("machine 127.0.0.1 login eve password x\n")
            with patch.dict(os.environ, {"NETRC": str(netrc)}):
                self.ledger = MemoryLedger()
                self.serve(
                    lambda _head, connection: connection.sendall(http_answer({"token": "t"}))
                )
                # as if the server were not on the loopback: there, the environment counts
                self.client._session._transport._session.trust_env = True
                self.assertFails(CampaignMasterResponseError, EXAMPLES["lists"].make)
        login, call = self.server.heads
        self.assertNotIn(b"Authorization", login)
        self.assertIn(b"Authorization: Bearer t", call)

    def test_a_certificate_must_be_good(self):
        with tempfile.TemporaryDirectory() as folder:
            context, certificate = make_certificate(folder)
            self.serve(lambda _head, connection: connection.sendall(LISTS), context)
            self.assertFails(
                CampaignMasterConnectionError,
                EXAMPLES["add_recipients"].make,
                "tls",
                outcome_unknown=False,
            )
            self.assertEqual(self.server.heads, [])
            self.assertEqual(self.ledger.calls, 0)
            # the same one, when the machine trusts it
            self.client._session._transport._session.trust_env = True
            with patch.dict(os.environ, {"REQUESTS_CA_BUNDLE": certificate}):
                self.assertEqual(len(list(self.client.lists())), 1)

    def test_plain_http_is_for_this_machine(self):
        for url in (
            "http://127.0.0.1:8080",
            "http://127.1.2.3",
            "http://localhost:8080/api/",
            "http://LOCALHOST",
            "http://[::1]:80",
            "https://api.example.com",
            " https://api.example.com:8443/v1/// ",
        ):
            with self.subTest(url):
                client = self.make_client(url)
                self.assertTrue(url.strip().startswith(client._session.url))
                self.assertNotEqual(client._session.url[-1], "/")
        secret = "hunter2"
        for url in (
            "",
            None,
            False,
            "   ",
            "api.example.com",
            "//api.example.com",
            "ftp://api.example.com",
            "file:///etc/passwd",
            "http://api.example.com",
            "http://10.0.0.1",
            "http://127.0.0.1.example.com",
            "http://localhost.example.com",
            "http://①27.0.0.1",
            "http://0",
            "http://",
            "https://",
            "https://:443",
            "https://api.example.com:0",
            "https://api.example.com:99999",
            "https://api.example.com:x",
            "https://[::1",
            f"https://ann:{secret}@api.example.com",
            f"https://{secret}@api.example.com",
            f"https://api.example.com/?token={secret}",
            f"https://api.example.com/#{secret}",
            "https://api.example.com\\@evil.example.com",
            "https://api.exa mple.com",
            "https://api.example.com\r\nX: y",
            "https://api.example.com/\x00",
            "https://äpi.example.com",
        ):
            with self.subTest(url):
                with self.assertRaises(CampaignMasterConfigurationError) as caught:
                    self.make_client(url)
                self.assertEqual(caught.exception.code, "bad_address")
                self.assertNotIn(secret, str(caught.exception))

    def test_a_login_is_needed(self):
        for username, password in (("", PASSWORD), (USERNAME, ""), (False, False)):
            with self.assertRaises(CampaignMasterConfigurationError) as caught:
                type(self.client)("https://api.example.com", username, password)
            self.assertEqual(caught.exception.code, "no_login")


def make_certificate(folder):
    """A self-signed certificate of 127.0.0.1.

    :return: a server's context, and the certificate's path
    """
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "127.0.0.1")])
    now = datetime.datetime.now(datetime.timezone.utc)
    address = x509.IPAddress(transport.ipaddress.ip_address("127.0.0.1"))
    certificate = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(1)
        .not_valid_before(now - datetime.timedelta(days=1))
        .not_valid_after(now + datetime.timedelta(days=1))
        .add_extension(x509.SubjectAlternativeName([address]), critical=False)
        .add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
        .sign(key, hashes.SHA256())
    )
    path = Path(folder, "server.pem")
    path.write_bytes(
        key.private_bytes(
            serialization.Encoding.PEM,
            serialization.PrivateFormat.PKCS8,
            serialization.NoEncryption(),
        )
        + certificate.public_bytes(serialization.Encoding.PEM)
    )
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(path)
    return context, str(path)
