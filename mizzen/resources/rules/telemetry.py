"""What is refused in a Telemetry, and what has no effect in it."""

from mizzen.resources.declaring.findings import Findings
from mizzen.resources.formats import cel, checks
from mizzen.resources.formats.access_log import wrong_format
from mizzen.resources.istio.telemetry import (
    AccessLogging,
    CustomTag,
    Metrics,
    ProviderRef,
    Telemetry,
    Tracing,
)
from mizzen.resources.rules import shared_rules
from mizzen.resources.yaml.places import child

LONGEST_TAG = 256  # characters of a tag's name: Envoy has no limit, and nobody writes more


def validate_telemetry(telemetry: Telemetry, found: Findings) -> None:
    spec = telemetry.spec
    if spec.selector is not None:
        shared_rules.selector(spec.selector.match_labels, f"{spec.selector.at}.matchLabels", found)
    if spec.selector is not None and (spec.target_ref or spec.target_refs):
        found.error("VAL-002", spec.selector.at, "a selector and targetRefs exclude each other")
    for logging in spec.access_logging:
        _access_logging(logging, found)
    for tracing in spec.tracing:
        _tracing(tracing, found)
    if len(spec.tracing) > 1 and all(one.match is None for one in spec.tracing):
        message = "of several entries for the same traffic, the last one that says something counts"
        found.warning("VAL-104", f"{spec.at}.tracing[1]", message)
    for metrics in spec.metrics:
        _metrics(metrics, found)
    if spec.metrics:
        found.warning(
            "VAL-103",
            f"{spec.at}.metrics",
            "these metrics (istio_requests_total ...) are made by a filter that only Istio's own Envoy has",
            "Envoy's own metrics are served at /stats/prometheus of port 15090.",
        )
    if not (spec.access_logging or spec.tracing or spec.metrics):
        found.warning("VAL-103", spec.at or "spec", "it says nothing of logs, traces or metrics")


def _providers(providers: tuple[ProviderRef, ...], found: Findings) -> None:
    for provider in providers:
        if not provider.name:
            found.error("VAL-001", f"{provider.at}.name", "a provider must have a name")


def _access_logging(logging: AccessLogging, found: Findings) -> None:
    _providers(logging.providers, found)
    if logging.filter is None:
        return
    expression, at = logging.filter.expression, f"{logging.filter.at}.expression"
    if wrong := cel.wrong_expression(expression):
        hint = "Write it in CEL: \"response.code >= 400 && !(request.path == '/healthz')\"."
        found.error("VAL-005", at, f"Envoy does not take the expression: {wrong}", hint)
    elif unknown := cel.unknown_roots(expression):
        known = ", ".join(sorted(cel.ATTRIBUTES))
        message = f"{', '.join(unknown)}: there is no such attribute, so the filter lets nothing through"
        found.warning("VAL-104", at, message, f"The attributes are those of {known}.")


def _tracing(tracing: Tracing, found: Findings) -> None:
    _providers(tracing.providers, found)
    if len(tracing.providers) > 1:
        found.warning(
            "VAL-103", f"{tracing.at}.providers[1]", "of several providers only the first one counts"
        )
    percent = tracing.random_sampling_percentage
    if percent is not None and not 0.0 <= percent <= 100.0:
        found.error("VAL-003", f"{tracing.at}.randomSamplingPercentage", "a percentage is 0 to 100")
    for name, tag in (tracing.custom_tags or {}).items():
        custom_tag(name, tag, child(f"{tracing.at}.customTags", name), found)


def custom_tag(name: str, tag: CustomTag, at: str, found: Findings) -> None:
    """A tag of spans, of a Telemetry or of the mesh."""
    if not name or len(name) > LONGEST_TAG:
        found.error("VAL-001", at, f"a tag has a name of up to {LONGEST_TAG} characters")
    given = [one for one in (tag.literal, tag.environment, tag.header, tag.formatter) if one is not None]
    if len(given) != 1:
        found.error("VAL-002", at, "a tag is one of literal, environment, header and formatter")
    if tag.literal is not None and not tag.literal.value:
        found.error("VAL-001", f"{at}.literal.value", "a literal tag needs a value")
    if tag.environment is not None and not tag.environment.name:
        found.error(
            "VAL-001", f"{at}.environment.name", "a tag of the environment needs the name of a variable"
        )
    if tag.header is not None and (wrong := checks.matched_header(tag.header.name)):
        found.error("VAL-006", f"{at}.header.name", wrong)
    if tag.formatter is not None and (
        wrong := wrong_format(tag.formatter.value) if tag.formatter.value else "it is empty"
    ):
        found.error("VAL-005", f"{at}.formatter.value", f"Envoy does not take the format: {wrong}")


def _metrics(metrics: Metrics, found: Findings) -> None:
    _providers(metrics.providers, found)
    for override in metrics.overrides:
        if override.match is not None and override.match.metric and override.match.custom_metric:
            found.error("VAL-002", override.match.at, "metric and customMetric exclude each other")
        for name, tag in override.tag_overrides.items():
            at = child(f"{override.at}.tagOverrides", name)
            if tag.operation == "UPSERT" and not tag.value:
                found.error("VAL-001", at, "UPSERT needs a value")
            if tag.operation == "REMOVE" and tag.value:
                found.error("VAL-002", at, "REMOVE takes no value")
