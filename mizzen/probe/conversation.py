"""What the curl command would print for a request and its answer, and the command to do it again. Pure."""

import shlex

from mizzen.probe.client import USER_AGENT, Answer, Protocol, Request


def curl_command(request: Request, *, ca_file: str = "", cert_file: str = "", key_file: str = "") -> str:
    """The command that makes the same request from a shell; needs a curl with HTTP/3 where that is asked for.

    The files are the places where a user finds what the request holds as PEM.
    """
    words = ["curl", request.protocol.flag]
    if request.scheme == "http" and request.protocol is Protocol.H2:
        words[1] = "--http2-prior-knowledge"
    if request.resolve:
        words += ["--resolve", request.resolve]
    if request.connect_to:
        words += ["--connect-to", request.connect_to]
    if not request.verify:
        words.append("--insecure")
    elif ca_file:
        words += ["--cacert", ca_file]
    if cert_file:
        words += ["--cert", cert_file, "--key", key_file]
    if request.method == "HEAD":
        words.append("--head")
    elif request.method != ("GET" if request.body is None else "POST"):
        words += ["--request", request.method]
    for name, value in request.headers:
        words += ["--header", f"{name}: {value}" if value else f"{name};"]
    if request.body is not None:
        words += ["--data-binary", request.body.decode("utf-8", "replace")]
    return shlex.join([*words, request.url])


def request_text(request: Request) -> str:
    """The request as `curl -v` shows it, line by line with "> " before each."""
    given = {name.lower() for name, _ in request.headers}
    usual = {"https": 443, "http": 80}.get(request.scheme)
    host = request.host if request.port == usual else f"{request.host}:{request.port}"
    own = (("Host", host), ("User-Agent", USER_AGENT), ("Accept", "*/*"))
    headers = [pair for pair in own if pair[0].lower() not in given] + list(request.headers)
    lines = [f"{request.method} {request.path} {request.protocol.value}"]
    lines += [f"{name}: {value}" for name, value in headers]
    return "".join(f"> {line}\n" for line in lines) + ">\n"


def answer_text(answer: Answer) -> str:
    """The answer as `curl -i` shows it: status line, headers, an empty line, the body."""
    lines = []
    if answer.status:
        spoken = answer.protocol.value if answer.protocol else "HTTP"
        lines.append(f"{spoken} {answer.status} {answer.reason}".rstrip())
        lines += [f"{name}: {value}" for name, value in answer.headers]
        lines.append("")
    text = "".join(f"{line}\n" for line in lines) + answer.text
    if text and not text.endswith("\n"):
        text += "\n"
    if answer.error:
        text += f"curl: ({answer.error.code}) {answer.error.text}\n"
    return text


def conversation(request: Request, answer: Answer) -> str:
    """Both halves, one after the other."""
    return request_text(request) + answer_text(answer)
