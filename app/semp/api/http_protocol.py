"""uvicorn's HTTP protocol, extended to read requests that offer an upgrade to a protocol the server does not speak.

A server may ignore such an offer (RFC 9110, section 7.8), and clients rely on that: Java's HTTP client offers h2c in its first request.
httptools treats the bytes after the head of such a request as the other protocol, so the request's body would be lost.
"""

from __future__ import annotations

import httptools

from semp.api.giving_up import NoticesLoss


class HttpProtocol(NoticesLoss):
    """A request that offers an upgrade other than to a WebSocket is parsed again without the offer."""

    _offered = False
    """Whether the head just parsed contains such an offer. The application has not seen that request yet."""

    def on_headers_complete(self) -> None:
        self._offered = self.parser.should_upgrade() and not self._should_upgrade()
        if not self._offered:
            super().on_headers_complete()

    def on_message_complete(self) -> None:
        if not self._offered:
            super().on_message_complete()

    def data_received(self, data: bytes) -> None:
        self._unset_keepalive_if_required()
        try:
            self._feed(data)
        except httptools.HttpParserError:
            message = "Invalid HTTP request received."
            self.logger.warning(message)
            self.send_400_response(message)

    def _feed(self, data: bytes) -> None:
        while True:
            try:
                self.parser.feed_data(data)
                return
            except httptools.HttpParserUpgrade as offer:
                if not self._offered:
                    self.handle_websocket_upgrade()
                    return
                data = data[offer.args[0] :]
            head = self._head_without_offer()
            self.parser = httptools.HttpRequestParser(self)
            self.parser.set_dangerous_leniencies(lenient_data_after_close=True)
            self.parser.feed_data(head)

    def _head_without_offer(self) -> bytes:
        lines = [b"%b %b HTTP/%b" % (self.parser.get_method(), self.url, self.parser.get_http_version().encode())]
        for name, value in self.headers:
            if name in (b"upgrade", b"http2-settings"):
                continue
            kept = value
            if name == b"connection":
                options = [option.strip() for option in value.split(b",")]
                kept = b", ".join(option for option in options if option.lower() not in (b"upgrade", b"http2-settings"))
                if not kept:
                    continue
            lines.append(b"%b: %b" % (name, kept))
        return b"\r\n".join([*lines, b"", b""])
