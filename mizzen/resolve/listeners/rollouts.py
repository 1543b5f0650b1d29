"""How the announcement of a server comes and goes, as HTTP3Policies say (`announcement`)."""

from datetime import timedelta

from mizzen.model.announcement import IMMEDIATE, Rollout, Stage, StepBack
from mizzen.resolve.context import Context
from mizzen.resolve.gateways.servers import MergedServer
from mizzen.resolve.http3_policies import chosen, of_server
from mizzen.resources.mizzen.announcement import AnnouncementSettings, AnnouncementStepBack

# What a gradual rollout begins with where nobody says it: ages, and how long each lasts.
_GRADUAL = (
    (timedelta(seconds=60), timedelta(minutes=10)),
    (timedelta(minutes=5), timedelta(hours=1)),
    (timedelta(hours=1), timedelta(hours=24)),
)
_NOTHING = AnnouncementSettings()
_USUAL = Rollout()


def rollout(ctx: Context, server: MergedServer) -> tuple[Rollout, str]:
    """That of a server, and the public address through which it must be proven too; "": none."""
    found = chosen(of_server(ctx, server.gateway, server.server), lambda spec: spec.announcement)
    settings = found.value if found is not None else _NOTHING
    drain = ctx.proxy.config.drain_duration
    made = Rollout(
        stages=_stages(settings),
        step_back=_step_back(settings),
        drain=drain if drain is not None and drain > timedelta(0) else _USUAL.drain,
    )
    return made, settings.public_address


def _stages(settings: AnnouncementSettings) -> tuple[Stage, ...]:
    if settings.stages:
        stages = tuple(Stage(max_age=one.max_age, duration=one.duration) for one in settings.stages)
        return (*stages[:-1], Stage(max_age=stages[-1].max_age))
    last = Stage(max_age=settings.max_age) if settings.max_age is not None else IMMEDIATE[0]
    if settings.rollout != "Gradual":
        return (last,)
    before = (Stage(max_age=age, duration=duration) for age, duration in _GRADUAL if age < last.max_age)
    return (*before, last)


def _step_back(settings: AnnouncementSettings) -> StepBack | None:
    """With a gradual rollout it is judged, else only where somebody says how."""
    wanted = settings.step_back
    if wanted is None:
        return StepBack() if settings.rollout == "Gradual" else None
    return _judged(wanted) if wanted.enabled is not False else None


def _judged(wanted: AnnouncementStepBack) -> StepBack:
    usual = StepBack()
    return StepBack(
        interval=wanted.interval or usual.interval,
        bad=wanted.bad_intervals or usual.bad,
        good=wanted.good_intervals or usual.good,
        pause=wanted.pause or usual.pause,
        min_requests=wanted.min_requests or usual.min_requests,
        min_connections=wanted.min_connections or usual.min_connections,
        errors_above_tcp=_share(wanted.errors_above_tcp, usual.errors_above_tcp),
        handshake_failures=_share(wanted.handshake_failures, usual.handshake_failures),
        abnormal_closes=_share(wanted.abnormal_closes, usual.abnormal_closes),
        round_trip=wanted.round_trip,
    )


def _share(percent: float | None, usual: float) -> float:
    return percent / 100 if percent is not None else usual
