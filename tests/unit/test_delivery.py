"""The state machine of live delivery (see tests/delivery_machine.py) on a log in memory."""

from __future__ import annotations

from hypothesis import HealthCheck, settings

from tests.delivery_machine import Delivery

Delivery.TestCase.settings = settings(
    max_examples=60, stateful_step_count=40, deadline=None, suppress_health_check=[HealthCheck.too_slow, HealthCheck.filter_too_much]
)
TestDelivery = Delivery.TestCase
