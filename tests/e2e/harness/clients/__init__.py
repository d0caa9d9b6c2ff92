"""What it is: one interface over several client libraries, so that a scenario runs over each of them unchanged."""

from harness.clients.base import ChannelFailed, ConnectionFailed, Delivery, Refused, Returned
from harness.clients.kinds import KINDS, connect

__all__ = ["KINDS", "ChannelFailed", "ConnectionFailed", "Delivery", "Refused", "Returned", "connect"]
