"""JSON lines on standard output; bound to the node, the request and the case."""

import logging
import sys

import structlog


def configure(node: str, level: str) -> None:
    structlog.configure(
        processors=[
            structlog.contextvars.merge_contextvars,
            structlog.processors.add_log_level,
            structlog.processors.TimeStamper(fmt="iso", utc=True),
            # Without locals: they hold what people wrote.
            structlog.processors.ExceptionRenderer(
                structlog.tracebacks.ExceptionDictTransformer(show_locals=False)
            ),
            structlog.processors.JSONRenderer(ensure_ascii=False),
        ],
        wrapper_class=structlog.make_filtering_bound_logger(logging.getLevelNamesMapping()[level.upper()]),
        logger_factory=structlog.PrintLoggerFactory(sys.stdout),
    )
    logging.basicConfig(
        level=logging.WARNING, stream=sys.stdout, format=f"%(levelname)s {node} %(name)s %(message)s"
    )


def get(name: str) -> structlog.typing.FilteringBoundLogger:
    return structlog.get_logger(part=name)  # bound at first use, after `configure`
