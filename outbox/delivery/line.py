"""The way to one endpoint: an HTTP request over a guarded, verified and reused connection, and what came back."""

import ssl
import time
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from types import SimpleNamespace

import aiohttp
from yarl import URL

from outbox.delivery import connecting
from outbox.delivery.addresses import RefusedAddressError
from outbox.delivery.connecting import Guard
from outbox.delivery.names import Names
from outbox.delivery.outcome import Outcome, classify, retry_after

_ANSWER_CAP = 16_384
_SHOWN = 500
_SHORTEST_SECRET = 6
"""Characters: a shorter part of a header or query is a word that any text may hold, such as Bearer's `Basic`."""
_HIDDEN = "…"
_CLOSED = (aiohttp.ServerDisconnectedError, aiohttp.ClientOSError, ConnectionError)


def open_session(guard: Guard, *, names: Names | None = None, connect: float = 3.0) -> aiohttp.ClientSession:
    """The client for all endpoints of a scheme: no proxy of the environment's, no cookies, no decompression.

    `connect`: seconds until there is a connection, its name found and with TLS if need be.
    """
    return aiohttp.ClientSession(
        connector=connecting.connector(guard, names or Names()),
        timeout=aiohttp.ClientTimeout(connect=connect),
        cookie_jar=aiohttp.DummyCookieJar(),
        headers={"user-agent": "roomwire", "content-type": "application/json"},
        trust_env=False,
        auto_decompress=False,
        trace_configs=[_notes_reuse()],
    )


@dataclass(frozen=True, slots=True)
class Request:
    """What is asked of the other side."""

    method: str
    url: str
    body: bytes | None
    headers: Mapping[str, str] = field(repr=False)


@dataclass(frozen=True, slots=True)
class Line:
    """The way to one endpoint.

    Attributes:
        session: of the URL's scheme.
        url: where requests go.
        headers: sent with each; their values are secrets, and taken out of whatever the other side says.
        tls: what its certificate is verified against; True for the system's authorities.
        total: seconds that a request may take, with its repetition.
    """

    session: aiohttp.ClientSession
    url: str
    headers: Mapping[str, str] = field(default_factory=dict, repr=False)
    tls: ssl.SSLContext | bool = True
    total: float = 15.0

    async def post(self, body: bytes, headers: Mapping[str, str], *, path: str = "") -> Outcome:
        """POST a body, to a path below the URL. Whatever the other side does is an outcome, never an exception."""
        return await self._ask("POST", path, body, headers)

    async def get(self, path: str) -> Outcome:
        """GET a path below the URL; the outcome is as for `post`."""
        return await self._ask("GET", path, None, {})

    async def _ask(self, method: str, path: str, body: bytes | None, headers: Mapping[str, str]) -> Outcome:
        """Make a request.

        A connection that was kept may be closed by the other side just as it is used again: then, and only then,
        the request is made again, over the next one or a new one.
        """
        request = Request(method, self.url + path, body, {**self.headers, **headers})
        deadline = time.monotonic() + self.total
        while True:
            trace = SimpleNamespace(reused=False)
            try:
                return await self._once(request, trace, deadline - time.monotonic())
            except (aiohttp.ClientError, OSError, TimeoutError, ValueError) as failure:
                if trace.reused and isinstance(failure, _CLOSED) and time.monotonic() < deadline:
                    continue
                return Outcome("outage", error=self._shown(_said(failure)), forbidden=_is_refused(failure))

    async def _once(self, request: Request, trace: SimpleNamespace, seconds: float) -> Outcome:
        async with self.session.request(
            request.method,
            request.url,
            data=request.body,
            headers=request.headers,
            allow_redirects=False,
            ssl=self.tls,
            timeout=aiohttp.ClientTimeout(total=seconds, connect=self.session.timeout.connect),
            trace_request_ctx=trace,
        ) as response:
            answer = await _answer(response)
            verdict = classify(response.status)
            asked = retry_after(response.headers.get("retry-after"), datetime.now(UTC))
            error = None if verdict == "delivered" else f"HTTP {response.status}"
            return Outcome(verdict, response.status, error, asked, self._shown(answer) if answer else None)

    def _secrets(self) -> list[str]:
        """Header values and the query, whole and in parts: who refuses a token may say which. Longest first."""
        url = URL(self.url)
        whole = [url.raw_query_string, url.query_string, *self.headers.values()]
        words = [*url.query.values(), *(word for value in self.headers.values() for word in value.split())]
        secrets = {one for one in whole if one} | {word for word in words if len(word) >= _SHORTEST_SECRET}
        return sorted(secrets, key=len, reverse=True)

    def _shown(self, text: str) -> str:
        """What an operator may see, and what PostgreSQL's text can hold: no NUL and no lone surrogates."""
        for secret in self._secrets():
            text = text.replace(secret, _HIDDEN)
        return text[:_SHOWN].replace("\0", "\N{REPLACEMENT CHARACTER}").encode(errors="replace").decode()


async def _answer(response: aiohttp.ClientResponse) -> str | None:
    """The beginning of the answer. The status stands, whatever becomes of its body."""
    read = b""
    try:
        while len(read) < _ANSWER_CAP and (chunk := await response.content.read(_ANSWER_CAP - len(read))):
            read += chunk
    except (aiohttp.ClientError, OSError, TimeoutError):
        response.close()
    if len(read) >= _ANSWER_CAP:
        response.close()
    return read.decode(errors="replace") if read else None


def _is_refused(failure: Exception) -> bool:
    """Whether nothing was sent because of where it would have gone; the client itself takes no `127.1`."""
    match failure:
        case aiohttp.ClientConnectorError(os_error=RefusedAddressError()) | aiohttp.InvalidURL():
            return True
    return False


def _said(failure: Exception) -> str:
    """What it says, in one line."""
    match failure:
        case aiohttp.ClientConnectorError(os_error=RefusedAddressError()):
            return str(failure.os_error)
        case aiohttp.ClientConnectorError():
            said = f"cannot connect to {failure.host}:{failure.port}: {failure.os_error}"
        case aiohttp.ClientResponseError():
            said = failure.message
        case aiohttp.InvalidURL():
            said = f"the host {failure.description or 'is not valid'}"
        case _:
            said = str(failure)
    return " ".join(f"{type(failure).__name__}: {said}".split())


def _notes_reuse() -> aiohttp.TraceConfig:
    async def note(_session: object, context: SimpleNamespace, _params: object) -> None:
        context.trace_request_ctx.reused = True

    config = aiohttp.TraceConfig()
    config.on_connection_reuseconn.append(note)
    return config
