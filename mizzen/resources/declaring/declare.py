"""The words in which resources are declared: what a dataclass field is called in YAML, and its limits.

A declaration is a frozen dataclass whose fields are named as in the API, in snake case. The decoder, the
schemas and the table of fields are all derived from it. Metadata goes into `Annotated`:

    port: Annotated[int | None, Range(1, 65535), "the port that clients dial"] = None

A plain text in `Annotated` is the field's documentation. Two field names are set by the decoder and never
read from YAML: `at` (the path of the element) and, on whole resources, `meta` and `ref`.
"""

from collections.abc import Mapping
from dataclasses import field
from datetime import datetime, timedelta
from enum import Enum
from typing import Annotated, ClassVar

from mizzen.errors import ResourceRef
from mizzen.lazy import dataclass


@dataclass(frozen=True, slots=True)
class Key:
    """The name in YAML where it is not the camelCase of the field's name, and names also accepted."""

    name: str
    also: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Range:
    """The least and greatest number that is allowed, both inclusive."""

    low: float
    high: float


@dataclass(frozen=True, slots=True)
class Text:
    """A number or a boolean is as good as a text here (environment variables, labels of an operator)."""


@dataclass(frozen=True, slots=True)
class HeaderText:
    """The text becomes the value of a header: no control characters, and not longer than Envoy takes."""


@dataclass(frozen=True, slots=True)
class Least:
    """The shortest duration that validation lets pass: said here for the schemas, told by the validators."""

    duration: timedelta


class Unknown(Enum):
    """What is said of a field that is not declared."""

    REFUSE = "refuse"  # an error, as an API server says it of Istio's kinds
    WARN = "warn"  # it may exist, but does nothing here
    PASS = "pass"  # there are more fields than take part; only a slip of upper and lower case is told


UInt32 = Annotated[int, Range(0, 2**32 - 1)]
Int32 = Annotated[int, Range(-(2**31), 2**31 - 1)]
LooseText = Annotated[str, Text()]
Duration = Annotated[timedelta, Least(timedelta(milliseconds=1))]


@dataclass(frozen=True, slots=True, kw_only=True)
class Metadata:
    """What every object of Kubernetes has."""

    name: str
    namespace: str = ""
    labels: Mapping[str, str] = field(default_factory=dict)
    annotations: Mapping[str, str] = field(default_factory=dict)
    creation_timestamp: datetime | None = None
    deletion_timestamp: datetime | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Resource:
    """What every top-level object has."""

    meta: Metadata
    ref: ResourceRef

    @property
    def name(self) -> str:
        return self.meta.name

    @property
    def namespace(self) -> str:
        return self.meta.namespace

    @property
    def key(self) -> tuple[str, str]:
        """(namespace, name)"""
        return (self.meta.namespace, self.meta.name)


@dataclass(frozen=True, slots=True, kw_only=True)
class Element:
    """A part of an object that a problem may point at."""

    # Groups of fields (as in YAML) of which validation lets one alone be given.
    AT_MOST_ONE: ClassVar[tuple[tuple[str, ...], ...]] = ()
    # Fields that were taken out of the API -> what to do instead. They are told, and cost nothing.
    RETIRED: ClassVar[Mapping[str, str]] = {}
    # The same, of fields that may have guarded something: they are errors.
    SUCCEEDED: ClassVar[Mapping[str, str]] = {}

    # Where it is written ("spec.http[0].match[1]"); not part of what it says.
    at: str = field(default="", compare=False, repr=False)
