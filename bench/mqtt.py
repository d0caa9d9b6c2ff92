#!/usr/bin/env python3
"""Runs `weir bench mqtt` against Weir and Mosquitto in turn. Called by scripts/bench, which prepares both."""

import sys

import brokers
import mqtt_rows
import turns

SUITE = turns.Suite(
    name="mqtt", title="MQTT", rows=mqtt_rows.ROWS, variants=mqtt_rows.VARIANTS,
    brokers={"weir": lambda directory, arguments: brokers.Weir(directory, arguments.weir, "mqtt"),
             "mosquitto": lambda directory, arguments: brokers.Mosquitto(directory)},
    peers=[brokers.Mosquitto],
    notes="Mosquitto with max_queued_messages 0 and max_queued_bytes 0 (no limits), max_inflight_messages 1000 and "
          "set_tcp_nodelay. It has its sessions in memory and writes them every half hour (persistence true, the other "
          "settings of persistence as they are by default): what it acknowledges is not on disk. Weir has synced what "
          "goes to a durable session before it acknowledges it.")

if __name__ == "__main__":
    sys.exit(turns.run(SUITE))
