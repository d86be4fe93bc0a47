"""Which addresses only this machine can reach."""

LOOPBACK = ("127.0.0.1", "localhost", "::1")
