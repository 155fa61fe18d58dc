"""The one exception tree: each error has a message for a person and a code for `--json`.

A message says what happened, why, and what to type next, in one to three lines.
"""

from __future__ import annotations

from typing import ClassVar


class RotaError(Exception):
    """Something went wrong that a person can be told about."""

    code: ClassVar[str] = "failed"
    exit_code: ClassVar[int] = 1
    http_status: ClassVar[int] = 500


class BadRequest(RotaError):
    """What was asked for makes no sense here: nothing was changed."""

    code = "bad_request"
    exit_code = 2
    http_status = 422


class NoDaemon(RotaError):
    """No daemon answers in the state folder."""

    code = "no_daemon"
    exit_code = 3
    http_status = 503


class NotAllowed(RotaError):
    """The caller may not do this to that job, GPU or setting."""

    code = "not_allowed"
    exit_code = 4
    http_status = 403


class NoSuchThing(RotaError):
    """There is no job, GPU or file of that name."""

    code = "no_such_thing"
    exit_code = 5
    http_status = 404


class NotNow(RotaError):
    """It makes sense in general, but not in the present state of the job or GPU."""

    code = "not_now"
    exit_code = 1
    http_status = 409


class StoreUnavailable(RotaError):
    """The record could not be written: nothing was acknowledged and nothing was changed."""

    code = "store_unavailable"
    http_status = 503


class NotLeader(RotaError):
    """Another daemon writes the record: this one may neither write nor act."""

    code = "standby"
    exit_code = 3
    http_status = 503


class EngineUnavailable(RotaError):
    """Where turns run cannot be reached."""

    code = "engine_unavailable"
    http_status = 503


class ForecastUnavailable(RotaError):
    """No forecast can be made now: what was known before is still shown, with its age."""

    code = "forecast_unavailable"
    http_status = 503


class BadSettings(BadRequest):
    """The settings file has a mistake; the message names the line or key."""

    code = "bad_settings"


class TransitionNotAllowed(RotaError):
    """A state machine was asked for a step it does not have: a defect in Rota, never a user's mistake."""

    code = "transition_not_allowed"


class AlreadyRunning(RotaError):
    """Another daemon holds this state folder."""

    code = "already_running"
