#!/usr/bin/env python3
"""Runs `weir bench amqp` against Weir and RabbitMQ in turn. Called by scripts/bench, which prepares both."""

import sys

import brokers
import rows
import turns

SUITE = turns.Suite(
    name="amqp", title="AMQP 0-9-1", rows=rows.ROWS, variants=rows.VARIANTS,
    brokers={"weir": lambda directory, arguments: brokers.Weir(directory, arguments.weir),
             "rabbitmq": lambda directory, arguments: brokers.RabbitMq(directory)},
    peers=[brokers.RabbitMq])

if __name__ == "__main__":
    sys.exit(turns.run(SUITE))
