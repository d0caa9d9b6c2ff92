"""What it is: the client libraries by name. Each is imported only when it is asked for."""

from importlib import import_module

KINDS = {
    "pika": ("harness.clients.pika_client", "PikaClient"),
    "py-amqp": ("harness.clients.pyamqp_client", "PyAmqpClient"),
    "aio-pika": ("harness.clients.aio_pika_client", "AioPikaClient"),
    "amqplib": ("harness.clients.line_client", "AmqplibClient"),
    "librabbitmq": ("harness.clients.line_client", "LibrabbitmqClient"),
}


def connect(kind, address, **options):
    module, name = KINDS[kind]
    return getattr(import_module(module), name)(address, **options)
