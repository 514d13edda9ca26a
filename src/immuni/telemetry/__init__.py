"""Logs that cannot carry a key: one canonical line per request or job, plain values only."""

from immuni.telemetry.logs import Logger, configure_logs, logger, plain_values_only

__all__ = ["Logger", "configure_logs", "logger", "plain_values_only"]
