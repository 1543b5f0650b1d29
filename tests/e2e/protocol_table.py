"""The table of `test_protocols`: what is asked, and what comes of it over HTTP/1.1, 2 and 3 alike.

A row is a line of `ROWS`: its name, what the client does, what is expected (`rows.Row`). Besides, all that is observed must
be the same over each protocol. Where it is known not to be, `differs` says what is there instead, and why.
"""

from tests.harness.exchanges.calls import call, called_off, web
from tests.harness.exchanges.calls import late as late_call
from tests.harness.exchanges.malformed import MALFORMED, between
from tests.harness.exchanges.moving import broken, cancelled, goaway, gone, many, unheard, unread
from tests.harness.exchanges.rows import Differs, Row
from tests.harness.exchanges.scripts import ask, continued, duplex, events, late, megabytes, mirrored, refused
from tests.harness.exchanges.site import KINDS
from tests.harness.exchanges.sockets import websocket

H2_AND_H3 = ("h2", "h3")
SUM = ((b"x-sum", b"1"),)

# --- known differences ------------------------------------------------------------------------------

NO_TRAILERS = "Envoy leaves trailers out over HTTP/1.1, as in Istio: recipients may take them for headers"
CRUMBS = "over HTTP/2 and 3 the fields of cookies are crumbs of one (RFC 9113 section 8.2.3)"
H2_DROPS = "Envoy's codec of HTTP/2 drops what of an early answer does not fit into the client's window, and resets; that of HTTP/3 sends it"
H1_REFUSES = "the codec of HTTP/1.1 refuses it before there is a route"
H1_ENDS = "over HTTP/1.1 the end of a connection is the end of a WebSocket; its close frame came before"
CODE_OF_OWN = "Envoy's codec of HTTP/3 resets a malformed request with H3_NO_ERROR here"
REJECTED = "Envoy resets with H3_REQUEST_REJECTED where it resets with INTERNAL_ERROR over HTTP/2; an answer has begun, so nobody asks again"
CLOSED = {
    f"{protocol} {kind}": Differs({"end": "cut", "code": "connect"}, H1_ENDS)
    for protocol in ("h2", "h3")
    for kind in ("http1", "tls1")
}
TOO_LARGE = {"status": 431, "end": "whole", "seen": None, "fields alt-svc": ['h3=":8443"; ma=86400']}
HOST_LEFT_OUT = "over HTTP/2 Envoy leaves a Host beside an authority out; over HTTP/3 it makes one value of both, which is no host"
HOST_ALONE = "over HTTP/2 Envoy takes a Host for the authority that is not there"
DIFFERS_ODDLY = {
    "a host that differs": {"h2": Differs({"refused": False, "taken": True}, HOST_LEFT_OUT)},
    "the same host beside the authority": {"h2": Differs({"refused": False, "taken": True}, HOST_LEFT_OUT)},
    "a host alone": {"h2": Differs({"refused": False, "taken": True}, HOST_ALONE)},
}


def no_trailers(where: str, *names: str, of: str = "trailers") -> dict[str, Differs]:
    return {where: Differs({f"{of} {name}": None for name in names}, NO_TRAILERS)}


def many_fields(count: int) -> tuple[tuple[bytes, bytes], ...]:
    return tuple((b"x-%d" % number, b"1") for number in range(count))


def large_fields(kib: int) -> tuple[tuple[bytes, bytes], ...]:
    return tuple((b"x-%d" % number, b"a" * 1024) for number in range(kib))


# --- messages ---------------------------------------------------------------------------------------

MESSAGES = [
    Row(name="GET", does=ask("/a?b=c&d"), kinds=KINDS, expected={"status": 200, "body": "body of 0 bytes", "seen path": "/a?b=c&d"}),
    Row(name="HEAD", does=ask("/length", method="HEAD"), kinds=KINDS, expected={"status": 200, "body": "", "fields content-length": ["10"]}),
    Row(name="HEAD of what has no length", does=ask("/chunked", method="HEAD"), expected={"status": 200, "body": "", "fields content-length": None}),
    Row(name="HEAD of nothing", does=ask("/empty", method="HEAD"), expected={"status": 200, "body": "", "end": "whole"}),
    Row(name="204", does=ask("/none"), kinds=KINDS, expected={"status": 204, "fields content-length": None, "end": "whole"}),
    Row(name="304 with a length", does=ask("/same"), expected={"status": 304, "body": "", "fields etag": ['"1"'], "fields content-length": ["10"]}),
    Row(name="a body without a length", does=ask("/chunked"), kinds=KINDS, expected={"status": 200, "body": "one two three", "fields content-length": None}),
    Row(name="a body that ends with its connection", does=ask("/close"), expected={"status": 200, "body": "until the end", "end": "whole"}),
    Row(name="an empty body", does=ask("/empty"), expected={"status": 200, "body": "", "fields content-length": None}),
    Row(name="an empty body without a length", does=ask("/empty-chunked"), expected={"status": 200, "body": "", "end": "whole"}),
    Row(name="a range", does=ask("/partial", range="bytes=2-4"), expected={"status": 206, "body": "234", "fields content-range": ["bytes 2-4/10"]}),
    Row(name="a range that is not there", does=ask("/partial", range="bytes=20-"), expected={"status": 416}),
    Row(name="a status nobody knows", does=ask("/status", x_status="299"), expected={"status": 299, "body": "told"}),
    Row(name="a body of a request", does=ask(method="POST", content_length="3", body=[b"abc"]), kinds=KINDS, expected={"status": 200, "seen body": 3, "seen fields content-length": ["3"]}),
    Row(name="chunks of a request", does=ask(method="POST", body=[b"abc", b"def"]), kinds=KINDS, expected={"status": 200, "seen body": 6, "seen fields content-length": None}),
    Row(name="an empty body of a request", does=ask(method="POST", content_length="0"), expected={"status": 200, "seen body": 0, "seen fields content-length": ["0"]}),
    Row(name="no chunk of a request", does=ask(method="POST", body=[]), expected={"status": 200, "seen body": 0}),
    Row(name="a POST without a body", does=ask(method="POST"), expected={"status": 200, "seen body": 0}),
    Row(name="a body of GET", does=ask(content_length="3", body=[b"abc"]), expected={"status": 200, "seen body": 3}),
    Row(name="chunks of GET", does=ask(body=[b"abc"]), expected={"status": 200, "seen body": 3}),
    Row(name="a body of HEAD", does=ask(method="HEAD", content_length="3", body=[b"abc"]), expected={"status": 200, "body": "", "seen body": 3}),
    Row(name="a body of DELETE", does=ask(method="DELETE", content_length="3", body=[b"abc"]), expected={"status": 200, "seen body": 3}),
    Row(name="100 MiB down", does=megabytes(100, up=False), kinds=("http1",), expected={"status": 200, "bytes": 100 << 20, "error": None}),
    Row(name="100 MiB up", does=megabytes(100, up=True), kinds=("http1",), expected={"status": 200, "bytes": 100 << 20, "error": None}),
    Row(name="10 MiB down", does=megabytes(10, up=False), kinds=("http2", "tls2"), expected={"status": 200, "bytes": 10 << 20, "error": None}),
    Row(name="10 MiB up", does=megabytes(10, up=True), kinds=("http2", "tls2"), expected={"status": 200, "bytes": 10 << 20, "error": None}),
    Row(name="early hints", does=ask("/early"), kinds=KINDS, expected={"status": 200, "body": "ok", "interim": [[103, {"link": ["</a.css>; rel=preload"]}]]}),
    Row(name="100-continue", does=continued("/expect"), kinds=KINDS, expected={"status": 200, "interim": [[100, {}]], "seen body": 3}),
    Row(name="417 in place of 100", does=continued("/unexpected"), expected={"status": 417}),
    Row(name="nobody says 100", does=continued("/echo"), kinds=("http1",), expected={"status": 200, "interim": [], "seen body": 3}),
    Row(name="100-continue of what is refused here", does=continued("/denied/echo"), kinds=("http1",), expected={"status": 403, "interim": [], "seen": None}),
    Row(name="trailers of an answer", does=ask("/trailers", te="trailers"), kinds=("http2", "tls2"), expected={"status": 200, "body": "body", "trailers x-sum": ["1"], "trailers x-more": ["2"]}, differs=no_trailers("h1", "x-sum", "x-more")),
    Row(name="trailers of an answer without a body", does=ask("/bare-trailers", te="trailers"), kinds=("http2",), expected={"status": 200, "trailers x-sum": ["1"]}, differs=no_trailers("h1", "x-sum")),
    Row(name="trailers of an answer over HTTP/1.1", does=ask("/trailers", te="trailers"), kinds=("http1",), expected={"status": 200, "body": "body", "trailers x-sum": None}),
    Row(name="trailers of a request", does=ask(method="POST", body=[b"abc"], trailers=SUM), kinds=("http2", "tls2"), expected={"status": 200, "seen body": 3, "seen trailers x-sum": ["1"]}, differs=no_trailers("h1", "x-sum", of="seen trailers")),
    Row(name="trailers of a request without a body", does=ask(method="POST", body=[], trailers=SUM), kinds=("http2",), expected={"status": 200, "seen trailers x-sum": ["1"]}, differs=no_trailers("h1", "x-sum", of="seen trailers")),
    Row(name="trailers of a request to HTTP/1.1", does=ask(method="POST", body=[b"abc"], trailers=SUM), kinds=("http1",), expected={"status": 200, "seen body": 3, "seen trailers x-sum": None}),
]  # fmt: skip

# --- fields -----------------------------------------------------------------------------------------

FIELDS = [
    Row(name="fields of an answer", does=ask("/fields"), kinds=KINDS, expected={"status": 200, "fields set-cookie": ["a=1; path=/", "b=2"], "fields x-twice": ["1", "2"], "fields x-empty": [""], "fields x_under": ["1"], "fields x-large": ["30000 bytes"]}),
    Row(name="fields of one hop in an answer", does=ask("/hops"), kinds=("http1",), expected={"status": 200, "fields keep-alive": None, "fields proxy-connection": None, "fields x-kept": ["1"]}),
    Row(name="fields of one hop in an answer over HTTP/2", does=ask("/hops"), kinds=("http2",), expected={"status": 502}),
    Row(name="an answer with 50 KiB of fields", does=ask("/fat", x_kib="50"), expected={"status": 200}),
    Row(name="an answer with 70 KiB of fields", does=ask("/fat", x_kib="70"), kinds=("http2",), expected={"status": 503}),
    Row(name="cookies in several fields", does=ask(cookie=["a=1", "b=2; c=3"]), expected={"status": 200, "seen fields cookie": ["a=1; b=2; c=3"]}, differs={"h1 http1": Differs({"seen fields cookie": ["a=1", "b=2; c=3"]}, CRUMBS)}),
    Row(name="a field twice", does=ask(x_a=["1", "2"], accept=["a", "b"]), expected={"status": 200, "seen fields x-a": ["1", "2"], "seen fields accept": ["a,b"]}),
    Row(name="te", does=ask(te="trailers"), expected={"status": 200, "seen fields te": ["trailers"]}),
    Row(name="odd names, empty values", does=ask(more=((b"x_a", b"1"), (b"!#$%&'*+-.^`|~", b"2"), (b"x-empty", b""))), expected={"status": 200, "seen fields x_a": ["1"], "seen fields !#$%&'*+-.^`|~": ["2"], "seen fields x-empty": [""]}),
    Row(name="bytes above 127", does=ask(more=((b"x-high", "caf\xe9".encode("latin-1")), (b"x-utf-8", "caf\xe9".encode()))), expected={"status": 200, "seen fields x-high": ["caf\xe9"]}),
    Row(name="what clients say of themselves", does=ask(x_forwarded_for="9.9.9.9", x_forwarded_proto="http", x_request_id="mine", x_envoy_internal="true", x_forwarded_client_cert="me", early_data="1"), expected={"status": 200, "seen fields x-forwarded-proto": ["https"], "seen fields x-forwarded-client-cert": None}),
    Row(name="58 KiB of fields", does=ask(more=large_fields(58)), expected={"status": 200}),
    Row(name="61 KiB of fields", does=ask(more=large_fields(61)), expected=TOO_LARGE),
    Row(name="200 KiB of fields", does=ask(more=tuple((b"x-%d" % n, b"a" * 40_000) for n in range(5))), expected=TOO_LARGE),
    Row(name="95 fields", does=ask(more=many_fields(95)), expected={"status": 200}),
    Row(name="120 fields", does=ask(more=many_fields(120)), expected=TOO_LARGE),
    Row(name="500 fields", does=ask(more=many_fields(500)), expected=TOO_LARGE),
    Row(name="a name in capitals", does=ask(more=((b"X-CaSe", b"1"),)), over=("h1",), expected={"status": 200, "seen fields x-case": ["1"]}),
    Row(name="te of HTTP/1.1", does=ask(te="gzip, trailers"), over=("h1",), expected={"status": 200, "seen fields te": ["trailers"]}),
]  # fmt: skip

# --- methods, hosts and paths -----------------------------------------------------------------------

TARGETS = [
    *(Row(name=method, does=ask(method=method), expected={"status": 200, "seen method": method}) for method in ("PUT", "PATCH", "DELETE", "OPTIONS", "TRACE", "PROPFIND")),
    Row(name="a method nobody knows", does=ask(method="M-X"), over=H2_AND_H3, expected={"status": 200, "seen method": "M-X"}),
    Row(name="OPTIONS *", does=ask("*", method="OPTIONS"), expected={"status": 404, "seen": None}),
    Row(name="CONNECT", does=ask("", method="CONNECT"), expected={"status": 404, "seen": None}, differs={"h1": Differs({"status": 400, "body": "Bad Request", "fields content-length": ["11"], "fields content-type": ["text/plain"]}, H1_REFUSES)}),
    Row(name="an absolute target", does=ask("/a", target="http://http1.kinds.test/a"), over=("h1",), kinds=("http1",), expected={"status": 200, "seen path": "/a", "seen authority": "http1.kinds.test"}),
    Row(name="an absolute path", does=ask("https://http1.kinds.test/a"), over=H2_AND_H3, kinds=("http1",), expected={"end": "cut", "code": "protocol", "seen": None}, differs={"h3": Differs({"code": "none"}, CODE_OF_OWN)}),
    Row(name="a host with a port", does=ask(authority="http1.kinds.test:8443"), kinds=("http1",), expected={"status": 200, "seen authority": "http1.kinds.test:8443"}),
    Row(name="a host in capitals", does=ask(authority="HTTP1.Kinds.test"), kinds=("http1",), expected={"status": 200, "seen authority": "HTTP1.Kinds.test"}),
    Row(name="a host with a dot", does=ask(authority="http1.kinds.test."), kinds=("http1",), expected={"status": 200, "seen authority": "http1.kinds.test"}),
    Row(name="another server's host", does=ask(authority="other.test"), kinds=("http1",), expected={"status": 404, "seen": None}),
    Row(name="a long path", does=ask("/" + "p" * 8000), expected={"status": 200, "seen path": "8001 bytes"}),
    Row(name="odd paths", does=ask("/a//b/../c/%2e%2e/d;x=1/%zz%C3%A9?q=%20+&a=b?c"), expected={"status": 200}),
    Row(name="a fragment", does=ask("/a#b"), expected={"status": 200, "seen path": "/a"}),
    *(Row(name=name, does=between(*odd), over=H2_AND_H3, kinds=("http1",), expected={"refused": True, "others": [200, 200], "taken": False}, differs=DIFFERS_ODDLY.get(name, {})) for name, odd in MALFORMED.items()),
]  # fmt: skip

# --- streams ----------------------------------------------------------------------------------------

STREAMS = [
    Row(name="events come one by one", does=events, kinds=KINDS, expected={"status": 200, "fields content-type": ["text/event-stream"], "end": "whole"}),
    Row(name="a head before its body", does=late, expected={"status": 200, "body": "late"}),
    Row(name="both directions at once", does=duplex, expected={"status": 200, "body": "012", "trailers x-sum": ["1"]}, differs={"http1": Differs({"trailers x-sum": None}, NO_TRAILERS), **no_trailers("h1", "x-sum")}),
    Row(name="500 requests on a connection", does=many, over=H2_AND_H3, expected={"right": 500, "goaway": False}),
    Row(name="a client that does not read", does=unread, expected={"bounded": True, "others": [200] * 3, "seen end": "cut"}),
    Row(name="a backend that does not read", does=unheard, expected={"bounded": True, "others": [200] * 3, "status": 200}),
    Row(name="a backend refuses while the body comes", does=refused("/refuse"), kinds=KINDS, expected={"status": 413, "body": "refused"}),
    Row(name="a backend refuses at length while the body comes", does=refused("/refuse-at-length"), expected={"status": 413, "body": "1000000 bytes", "end": "whole"}, differs={"h2": Differs({"body": "a part", "end": "cut"}, H2_DROPS)}),
    Row(name="a backend asks for a login while the body comes", does=refused("/refuse", status="401"), kinds=("http2",), expected={"status": 401, "body": "refused"}),
    Row(name="a backend refuses and closes", does=refused("/refuse-and-close"), expected={"status": 413, "body": "refused"}),
    Row(name="a backend refuses and wants no more", does=refused("/refuse-and-stop"), kinds=("http2",), expected={"status": 413, "body": "refused"}),
    Row(name="a policy refuses while the body comes", does=refused("/denied/echo"), kinds=("http1",), expected={"status": 403, "body": "RBAC: access denied"}),
    Row(name="no route while the body comes", does=refused("/echo", authority="nobody.kinds.test"), kinds=("http1",), expected={"status": 404}),
    Row(name="a redirect while the body comes", does=refused("/moved/x"), kinds=("http1",), expected={"status": 308}),
    Row(name="an answer of the gateway while the body comes", does=refused("/direct/x"), kinds=("http1",), expected={"status": 418, "body": "short"}),
    Row(name="a fault while the body comes", does=refused("/abort/x"), kinds=("http1",), expected={"status": 418}),
    Row(name="no backend while the body comes", does=refused("/nowhere/x"), kinds=("http1",), expected={"status": 503}),
    Row(name="a client calls off before an answer", does=cancelled("/wait"), kinds=KINDS, expected={"seen end": "cut"}),
    Row(name="a client calls off within an answer", does=cancelled("/begin-and-wait", begun=True), kinds=KINDS, expected={"seen end": "cut"}),
    Row(name="a client calls off within its body", does=cancelled("/echo", upload=True), kinds=KINDS, expected={"seen end": "cut"}),
    Row(name="a client closes its connection", does=gone, expected={"seen end": "cut"}),
    Row(name="a backend resets before an answer", does=ask("/reset"), kinds=KINDS, expected={"status": 503, "end": "whole"}),
    Row(name="a backend refuses a stream", does=ask("/reset-refused"), expected={"status": 503, "end": "whole"}),
    Row(name="a backend resets after the head", does=broken("/reset-after-head"), expected={"status": 200, "body": "", "end": "cut", "code": "internal"}, differs={"h3": Differs({"code": "refused"}, REJECTED), "h1": Differs({"code": None}, H1_ENDS)}),
    Row(name="a backend resets within the body", does=broken("/reset-in-body"), expected={"status": 200, "body": "begun", "end": "cut", "code": "internal"}, differs={"h3": Differs({"code": "refused"}, REJECTED), "h1": Differs({"code": None}, H1_ENDS)}),
    Row(name="a backend resets within chunks", does=broken("/reset-chunked"), expected={"status": 200, "body": "begun", "end": "cut", "code": "internal"}, differs={"h3": Differs({"code": "refused"}, REJECTED), "h1": Differs({"code": None}, H1_ENDS)}),
    Row(name="a backend takes no more on a connection", does=goaway, alone=True, expected={"status": 200, "body": "begun and ended", "end": "whole", "others": [200] * 3}),
]  # fmt: skip

# --- WebSockets, gRPC -------------------------------------------------------------------------------

SOCKETS = [
    Row(name="a WebSocket", does=websocket(), kinds=KINDS, expected={"opened": True, "body": 300_008, "subprotocol": ["chat"], "seen key": True, "seen fields sec-websocket-version": ["13"], "end": "whole"}, differs=CLOSED),
    Row(name="a WebSocket whose client goes away", does=websocket(cancel=True), expected={"opened": True}),
    Row(name="a WebSocket outlasts the timeout of its route", does=websocket("/timeout/socket", wait=0.5), expected={"opened": True, "body": 300_008, "end": "whole"}, differs=CLOSED),
    Row(name="a WebSocket that the backend refuses", does=websocket("/refuse"), expected={"opened": False, "status": 404, "body": "refused"}),
    Row(name="a WebSocket that a policy refuses", does=websocket("/denied/socket"), kinds=("http1",), expected={"opened": False, "status": 403}),
    Row(name="a WebSocket without a backend", does=websocket("/nowhere/socket"), kinds=("http1",), expected={"opened": False, "status": 503}),
    Row(name="a WebSocket that is redirected", does=websocket("/moved/socket"), kinds=("http1",), expected={"opened": False, "status": 308}),
]  # fmt: skip
CALLS = [
    Row(name="gRPC: a call", does=call("Unary", b"hello"), over=H2_AND_H3, kinds=("grpc",), expected={"status": 200, "messages": ["HELLO"], "grpc-status": "0", "x-left": "1", "in trailers": True}),
    Row(name="gRPC: a stream of answers", does=call("Counts", b"5"), over=H2_AND_H3, kinds=("grpc",), expected={"messages": list("01234"), "grpc-status": "0", "x-begun": "1"}),
    Row(name="gRPC: a stream of requests", does=call("Joins", b"a", b"b", b"c"), over=H2_AND_H3, kinds=("grpc",), expected={"messages": ["a+b+c"], "grpc-status": "0"}),
    Row(name="gRPC: both at once", does=call("Answers", b"a", b"b", b"c"), over=H2_AND_H3, kinds=("grpc",), expected={"messages": ["A", "B", "C"], "grpc-status": "0"}),
    Row(name="gRPC: no answers", does=call("Counts", b"0"), over=H2_AND_H3, kinds=("grpc",), expected={"messages": [], "grpc-status": "0"}),
    Row(name="gRPC: a large message", does=call("Large", b""), over=H2_AND_H3, kinds=("grpc",), expected={"messages": ["1000000 bytes"], "grpc-status": "0"}),
    Row(name="gRPC: a server that ends first", does=call("Ends", b"a"), over=H2_AND_H3, kinds=("grpc",), expected={"status": 200, "messages": ["1000000 bytes"], "grpc-status": "0", "end": "whole"}, differs={"h2": Differs({"messages": [], "grpc-status": None, "grpc-message": None, "in trailers": False, "end": "cut", "code": "internal"}, H2_DROPS)}),
    Row(name="gRPC: an error", does=call("Fails", b""), over=H2_AND_H3, kinds=("grpc",), expected={"status": 200, "messages": [], "grpc-status": "9", "grpc-message": "not today: %C3%BC"}),
    Row(name="gRPC: a method nobody knows", does=call("Nothing", b""), over=H2_AND_H3, kinds=("grpc",), expected={"status": 200, "grpc-status": "12"}),
    Row(name="gRPC: a deadline", does=late_call, over=H2_AND_H3, kinds=("grpc",), expected={"status": 200, "late": True}),
    Row(name="gRPC: a call is called off", does=called_off, over=H2_AND_H3, kinds=("grpc",), expected={"first": True, "messages": ["B"], "grpc-status": "0"}),
    Row(name="gRPC: what the gateway refuses", does=call("../denied/x", b""), over=H2_AND_H3, kinds=("grpc",), expected={"status": 200, "grpc-status": "7"}),
    Row(name="gRPC-Web", does=web, kinds=("grpcweb",), expected={"status": 200, "message": "HELLO", "grpc-status": True, "content-type": ["application/grpc-web+proto"]}),
]  # fmt: skip

# --- what VirtualServices say -----------------------------------------------------------------------

RULES = [
    Row(name="a timeout", does=ask("/timeout/wait"), expected={"status": 504}),
    Row(name="a timeout within an answer", does=ask("/timeout/begin-and-wait"), expected={"status": 200, "body": "begun", "end": "cut", "code": "internal"}, differs={"h3": Differs({"code": "refused"}, REJECTED), "h1": Differs({"code": None}, H1_ENDS)}),
    Row(name="a second try", does=ask("/retry/flaky"), kinds=KINDS, expected={"status": 200, "body": "attempt 2", "attempts": 2}),
    Row(name="a second try of a body", does=ask("/retry/flaky", method="POST", body=[b"abc"]), expected={"status": 200, "body": "attempt 2", "attempts": 2, "seen body": 3}),
    Row(name="tries after resets", does=ask("/retry/reset"), expected={"status": 503, "attempts": 3}),
    Row(name="a fault", does=ask("/abort/x"), expected={"status": 418, "seen": None}),
    Row(name="a delay", does=ask("/delay/x", method="POST", body=[b"abc"]), expected={"status": 200, "seen body": 3}),
    Row(name="a copy", does=mirrored, expected={"status": 200, "bodies": [3, 3]}),
    Row(name="a redirect", does=ask("/moved/x?a=b"), expected={"status": 308, "seen": None}),
    Row(name="an answer of the gateway", does=ask("/direct/x"), expected={"status": 418, "body": "short"}),
    Row(name="HEAD of an answer of the gateway", does=ask("/direct/x", method="HEAD"), expected={"status": 418, "body": ""}),
    Row(name="a rewrite", does=ask("/away/x"), expected={"status": 200, "seen path": "/home/x", "seen authority": "other.test"}),
    Row(name="a preflight", does=ask("/shared/x", method="OPTIONS", origin="https://a.test", access_control_request_method="PUT"), expected={"status": 200, "fields access-control-allow-origin": ["https://a.test"], "seen": None}),
    Row(name="changed fields", does=ask("/marked/fields", x_twice=["1", "2"], x_gone="1"), expected={"status": 200, "seen fields x-twice": ["1", "2", "3"], "seen fields x-gone": None, "seen fields x-set": ["1"], "fields x-twice": ["1", "2", "3"], "fields x-set": ["2"], "fields x-empty": None}),
    Row(name="no backend", does=ask("/nowhere/x"), expected={"status": 503, "seen": None}),
    Row(name="what a policy refuses", does=ask("/denied/x"), expected={"status": 403, "seen": None}),
]  # fmt: skip

ROWS = [*MESSAGES, *FIELDS, *TARGETS, *STREAMS, *SOCKETS, *CALLS, *RULES]
