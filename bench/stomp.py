#!/usr/bin/env python3
"""Runs `weir bench stomp` against Weir, RabbitMQ's plugin and ActiveMQ in turn. Called by scripts/bench, which prepares
all."""

import sys

import brokers
import stomp_rows
import turns

SUITE = turns.Suite(
    name="stomp", title="STOMP", rows=stomp_rows.ROWS, variants=stomp_rows.VARIANTS,
    brokers={"weir": lambda directory, arguments: brokers.Weir(directory, arguments.weir, "stomp"),
             "rabbitmq": lambda directory, arguments: brokers.RabbitMq(directory, plugin="stomp"),
             "activemq": lambda directory, arguments: brokers.ActiveMq(directory)},
    peers=[brokers.RabbitMq, brokers.ActiveMq],
    notes="RabbitMQ with its STOMP plugin, whose queues are classic and durable. ActiveMQ Classic with the configuration "
          "of Debian's package: KahaDB, which syncs before it answers, and 512 MiB of heap.")

if __name__ == "__main__":
    sys.exit(turns.run(SUITE))
