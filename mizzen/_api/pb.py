"""Envoy's messages under short names. Written by scripts/generate_api.py: do not edit.

The one module that makes generated code. `from mizzen._api import pb`, then `pb.Listener`,
`pb.RouteConfiguration`, `pb.DeltaDiscoveryRequest`, `pb.Duration`. A name that several packages share begins
with the package it comes from. Importing it makes every type known that may sit in an Any; the class of a
message is made when it is asked for first. (The modules that protoc writes make all of them when they are
imported: 100 ms and 2 MB for each process.)
"""

from pathlib import Path
from typing import TYPE_CHECKING

from google.protobuf import descriptor_pb2, descriptor_pool, message_factory
from google.protobuf.any_pb2 import Any as Any
from google.protobuf.duration_pb2 import Duration as Duration
from google.protobuf.empty_pb2 import Empty as Empty
from google.protobuf.internal.enum_type_wrapper import EnumTypeWrapper
from google.protobuf.struct_pb2 import ListValue as ListValue
from google.protobuf.struct_pb2 import Struct as Struct
from google.protobuf.struct_pb2 import Value as Value
from google.protobuf.timestamp_pb2 import Timestamp as Timestamp
from google.protobuf.wrappers_pb2 import BoolValue as BoolValue
from google.protobuf.wrappers_pb2 import BytesValue as BytesValue
from google.protobuf.wrappers_pb2 import DoubleValue as DoubleValue
from google.protobuf.wrappers_pb2 import FloatValue as FloatValue
from google.protobuf.wrappers_pb2 import Int32Value as Int32Value
from google.protobuf.wrappers_pb2 import Int64Value as Int64Value
from google.protobuf.wrappers_pb2 import StringValue as StringValue
from google.protobuf.wrappers_pb2 import UInt32Value as UInt32Value
from google.protobuf.wrappers_pb2 import UInt64Value as UInt64Value
from google.rpc.status_pb2 import Status as Status

_pool = descriptor_pool.Default()
for _file in descriptor_pb2.FileDescriptorSet.FromString(
    Path(__file__).with_name("descriptors.binpb").read_bytes()
).file:
    _pool.AddSerializedFile(_file.SerializeToString())

if TYPE_CHECKING:
    from mizzen._api.envoy.admin.v3.certs_pb2 import Certificate as Certificate
    from mizzen._api.envoy.admin.v3.certs_pb2 import CertificateDetails as CertificateDetails
    from mizzen._api.envoy.admin.v3.certs_pb2 import Certificates as Certificates
    from mizzen._api.envoy.admin.v3.certs_pb2 import SubjectAlternateName as SubjectAlternateName
    from mizzen._api.envoy.admin.v3.clusters_pb2 import ClusterStatus as ClusterStatus
    from mizzen._api.envoy.admin.v3.clusters_pb2 import Clusters as Clusters
    from mizzen._api.envoy.admin.v3.clusters_pb2 import HostHealthStatus as HostHealthStatus
    from mizzen._api.envoy.admin.v3.clusters_pb2 import HostStatus as HostStatus
    from mizzen._api.envoy.admin.v3.config_dump_pb2 import BootstrapConfigDump as BootstrapConfigDump
    from mizzen._api.envoy.admin.v3.config_dump_pb2 import ConfigDump as ConfigDump
    from mizzen._api.envoy.admin.v3.config_dump_pb2 import SecretsConfigDump as SecretsConfigDump
    from mizzen._api.envoy.admin.v3.config_dump_shared_pb2 import ClientResourceStatus as ClientResourceStatus
    from mizzen._api.envoy.admin.v3.config_dump_shared_pb2 import ClustersConfigDump as ClustersConfigDump
    from mizzen._api.envoy.admin.v3.config_dump_shared_pb2 import EcdsConfigDump as EcdsConfigDump
    from mizzen._api.envoy.admin.v3.config_dump_shared_pb2 import EndpointsConfigDump as EndpointsConfigDump
    from mizzen._api.envoy.admin.v3.config_dump_shared_pb2 import ListenersConfigDump as ListenersConfigDump
    from mizzen._api.envoy.admin.v3.config_dump_shared_pb2 import RoutesConfigDump as RoutesConfigDump
    from mizzen._api.envoy.admin.v3.config_dump_shared_pb2 import ScopedRoutesConfigDump as ScopedRoutesConfigDump
    from mizzen._api.envoy.admin.v3.config_dump_shared_pb2 import UpdateFailureState as UpdateFailureState
    from mizzen._api.envoy.admin.v3.init_dump_pb2 import UnreadyTargetsDumps as UnreadyTargetsDumps
    from mizzen._api.envoy.admin.v3.listeners_pb2 import ListenerStatus as ListenerStatus
    from mizzen._api.envoy.admin.v3.listeners_pb2 import Listeners as Listeners
    from mizzen._api.envoy.admin.v3.memory_pb2 import Memory as Memory
    from mizzen._api.envoy.admin.v3.metrics_pb2 import SimpleMetric as SimpleMetric
    from mizzen._api.envoy.admin.v3.server_info_pb2 import CommandLineOptions as CommandLineOptions
    from mizzen._api.envoy.admin.v3.server_info_pb2 import ServerInfo as ServerInfo
    from mizzen._api.envoy.config.accesslog.v3.accesslog_pb2 import AccessLog as AccessLog
    from mizzen._api.envoy.config.accesslog.v3.accesslog_pb2 import AccessLogFilter as AccessLogFilter
    from mizzen._api.envoy.config.accesslog.v3.accesslog_pb2 import AndFilter as AndFilter
    from mizzen._api.envoy.config.accesslog.v3.accesslog_pb2 import ComparisonFilter as ComparisonFilter
    from mizzen._api.envoy.config.accesslog.v3.accesslog_pb2 import DurationFilter as DurationFilter
    from mizzen._api.envoy.config.accesslog.v3.accesslog_pb2 import ExtensionFilter as ExtensionFilter
    from mizzen._api.envoy.config.accesslog.v3.accesslog_pb2 import GrpcStatusFilter as GrpcStatusFilter
    from mizzen._api.envoy.config.accesslog.v3.accesslog_pb2 import HeaderFilter as HeaderFilter
    from mizzen._api.envoy.config.accesslog.v3.accesslog_pb2 import LogTypeFilter as LogTypeFilter
    from mizzen._api.envoy.config.accesslog.v3.accesslog_pb2 import MetadataFilter as MetadataFilter
    from mizzen._api.envoy.config.accesslog.v3.accesslog_pb2 import NotHealthCheckFilter as NotHealthCheckFilter
    from mizzen._api.envoy.config.accesslog.v3.accesslog_pb2 import OrFilter as OrFilter
    from mizzen._api.envoy.config.accesslog.v3.accesslog_pb2 import ResponseFlagFilter as ResponseFlagFilter
    from mizzen._api.envoy.config.accesslog.v3.accesslog_pb2 import RuntimeFilter as RuntimeFilter
    from mizzen._api.envoy.config.accesslog.v3.accesslog_pb2 import StatusCodeFilter as StatusCodeFilter
    from mizzen._api.envoy.config.accesslog.v3.accesslog_pb2 import TraceableFilter as TraceableFilter
    from mizzen._api.envoy.config.bootstrap.v3.bootstrap_pb2 import Admin as Admin
    from mizzen._api.envoy.config.bootstrap.v3.bootstrap_pb2 import ApiListenerManager as ApiListenerManager
    from mizzen._api.envoy.config.bootstrap.v3.bootstrap_pb2 import Bootstrap as Bootstrap
    from mizzen._api.envoy.config.bootstrap.v3.bootstrap_pb2 import ClusterManager as ClusterManager
    from mizzen._api.envoy.config.bootstrap.v3.bootstrap_pb2 import CustomInlineHeader as CustomInlineHeader
    from mizzen._api.envoy.config.bootstrap.v3.bootstrap_pb2 import FatalAction as FatalAction
    from mizzen._api.envoy.config.bootstrap.v3.bootstrap_pb2 import LayeredRuntime as LayeredRuntime
    from mizzen._api.envoy.config.bootstrap.v3.bootstrap_pb2 import ListenerManager as ListenerManager
    from mizzen._api.envoy.config.bootstrap.v3.bootstrap_pb2 import MemoryAllocatorManager as MemoryAllocatorManager
    from mizzen._api.envoy.config.bootstrap.v3.bootstrap_pb2 import Runtime as Runtime
    from mizzen._api.envoy.config.bootstrap.v3.bootstrap_pb2 import RuntimeLayer as RuntimeLayer
    from mizzen._api.envoy.config.bootstrap.v3.bootstrap_pb2 import ValidationListenerManager as ValidationListenerManager
    from mizzen._api.envoy.config.bootstrap.v3.bootstrap_pb2 import Watchdog as Watchdog
    from mizzen._api.envoy.config.bootstrap.v3.bootstrap_pb2 import Watchdogs as Watchdogs
    from mizzen._api.envoy.config.cluster.v3.circuit_breaker_pb2 import CircuitBreakers as CircuitBreakers
    from mizzen._api.envoy.config.cluster.v3.cluster_pb2 import Cluster as Cluster
    from mizzen._api.envoy.config.cluster.v3.cluster_pb2 import ClusterCollection as ClusterCollection
    from mizzen._api.envoy.config.cluster.v3.cluster_pb2 import LoadBalancingPolicy as LoadBalancingPolicy
    from mizzen._api.envoy.config.cluster.v3.cluster_pb2 import TrackClusterStats as TrackClusterStats
    from mizzen._api.envoy.config.cluster.v3.cluster_pb2 import UpstreamConnectionOptions as UpstreamConnectionOptions
    from mizzen._api.envoy.config.cluster.v3.filter_pb2 import Filter as ClusterFilter
    from mizzen._api.envoy.config.cluster.v3.outlier_detection_pb2 import OutlierDetection as OutlierDetection
    from mizzen._api.envoy.config.common.key_value.v3.config_pb2 import KeyValueStoreConfig as KeyValueStoreConfig
    from mizzen._api.envoy.config.common.matcher.v3.matcher_pb2 import HttpGenericBodyMatch as HttpGenericBodyMatch
    from mizzen._api.envoy.config.common.matcher.v3.matcher_pb2 import HttpHeadersMatch as HttpHeadersMatch
    from mizzen._api.envoy.config.common.matcher.v3.matcher_pb2 import MatchPredicate as MatchPredicate
    from mizzen._api.envoy.config.common.matcher.v3.matcher_pb2 import Matcher as ConfigMatcher
    from mizzen._api.envoy.config.common.mutation_rules.v3.mutation_rules_pb2 import HeaderMutation as HeaderMutationRule
    from mizzen._api.envoy.config.common.mutation_rules.v3.mutation_rules_pb2 import HeaderMutationRules as HeaderMutationRules
    from mizzen._api.envoy.config.core.v3.address_pb2 import Address as Address
    from mizzen._api.envoy.config.core.v3.address_pb2 import BindConfig as BindConfig
    from mizzen._api.envoy.config.core.v3.address_pb2 import CidrRange as CidrRange
    from mizzen._api.envoy.config.core.v3.address_pb2 import EnvoyInternalAddress as EnvoyInternalAddress
    from mizzen._api.envoy.config.core.v3.address_pb2 import ExtraSourceAddress as ExtraSourceAddress
    from mizzen._api.envoy.config.core.v3.address_pb2 import Pipe as Pipe
    from mizzen._api.envoy.config.core.v3.address_pb2 import SocketAddress as SocketAddress
    from mizzen._api.envoy.config.core.v3.address_pb2 import TcpKeepalive as TcpKeepalive
    from mizzen._api.envoy.config.core.v3.backoff_pb2 import BackoffStrategy as BackoffStrategy
    from mizzen._api.envoy.config.core.v3.base_pb2 import AsyncDataSource as AsyncDataSource
    from mizzen._api.envoy.config.core.v3.base_pb2 import BuildVersion as BuildVersion
    from mizzen._api.envoy.config.core.v3.base_pb2 import ControlPlane as ControlPlane
    from mizzen._api.envoy.config.core.v3.base_pb2 import DataSource as DataSource
    from mizzen._api.envoy.config.core.v3.base_pb2 import Extension as Extension
    from mizzen._api.envoy.config.core.v3.base_pb2 import HeaderMap as HeaderMap
    from mizzen._api.envoy.config.core.v3.base_pb2 import HeaderValue as HeaderValue
    from mizzen._api.envoy.config.core.v3.base_pb2 import HeaderValueOption as HeaderValueOption
    from mizzen._api.envoy.config.core.v3.base_pb2 import KeyValue as KeyValue
    from mizzen._api.envoy.config.core.v3.base_pb2 import KeyValueAppend as KeyValueAppend
    from mizzen._api.envoy.config.core.v3.base_pb2 import KeyValueMutation as KeyValueMutation
    from mizzen._api.envoy.config.core.v3.base_pb2 import KeyValuePair as KeyValuePair
    from mizzen._api.envoy.config.core.v3.base_pb2 import Locality as Locality
    from mizzen._api.envoy.config.core.v3.base_pb2 import Metadata as Metadata
    from mizzen._api.envoy.config.core.v3.base_pb2 import Node as Node
    from mizzen._api.envoy.config.core.v3.base_pb2 import QueryParameter as QueryParameter
    from mizzen._api.envoy.config.core.v3.base_pb2 import RemoteDataSource as RemoteDataSource
    from mizzen._api.envoy.config.core.v3.base_pb2 import RequestMethod as RequestMethod
    from mizzen._api.envoy.config.core.v3.base_pb2 import RetryPolicy as CoreRetryPolicy
    from mizzen._api.envoy.config.core.v3.base_pb2 import RoutingPriority as RoutingPriority
    from mizzen._api.envoy.config.core.v3.base_pb2 import RuntimeDouble as RuntimeDouble
    from mizzen._api.envoy.config.core.v3.base_pb2 import RuntimeFeatureFlag as RuntimeFeatureFlag
    from mizzen._api.envoy.config.core.v3.base_pb2 import RuntimeFractionalPercent as RuntimeFractionalPercent
    from mizzen._api.envoy.config.core.v3.base_pb2 import RuntimePercent as RuntimePercent
    from mizzen._api.envoy.config.core.v3.base_pb2 import RuntimeUInt32 as RuntimeUInt32
    from mizzen._api.envoy.config.core.v3.base_pb2 import RuntimeUInt64 as RuntimeUInt64
    from mizzen._api.envoy.config.core.v3.base_pb2 import TrafficDirection as TrafficDirection
    from mizzen._api.envoy.config.core.v3.base_pb2 import TransportSocket as TransportSocket
    from mizzen._api.envoy.config.core.v3.base_pb2 import WatchedDirectory as WatchedDirectory
    from mizzen._api.envoy.config.core.v3.cel_pb2 import CelExpressionConfig as CelExpressionConfig
    from mizzen._api.envoy.config.core.v3.config_source_pb2 import AggregatedConfigSource as AggregatedConfigSource
    from mizzen._api.envoy.config.core.v3.config_source_pb2 import ApiConfigSource as ApiConfigSource
    from mizzen._api.envoy.config.core.v3.config_source_pb2 import ApiVersion as ApiVersion
    from mizzen._api.envoy.config.core.v3.config_source_pb2 import ConfigSource as ConfigSource
    from mizzen._api.envoy.config.core.v3.config_source_pb2 import ExtensionConfigSource as ExtensionConfigSource
    from mizzen._api.envoy.config.core.v3.config_source_pb2 import PathConfigSource as PathConfigSource
    from mizzen._api.envoy.config.core.v3.config_source_pb2 import RateLimitSettings as RateLimitSettings
    from mizzen._api.envoy.config.core.v3.config_source_pb2 import SelfConfigSource as SelfConfigSource
    from mizzen._api.envoy.config.core.v3.event_service_config_pb2 import EventServiceConfig as EventServiceConfig
    from mizzen._api.envoy.config.core.v3.extension_pb2 import TypedExtensionConfig as TypedExtensionConfig
    from mizzen._api.envoy.config.core.v3.grpc_method_list_pb2 import GrpcMethodList as GrpcMethodList
    from mizzen._api.envoy.config.core.v3.grpc_service_pb2 import GrpcService as GrpcService
    from mizzen._api.envoy.config.core.v3.health_check_pb2 import HealthCheck as HealthCheck
    from mizzen._api.envoy.config.core.v3.health_check_pb2 import HealthStatus as HealthStatus
    from mizzen._api.envoy.config.core.v3.health_check_pb2 import HealthStatusSet as HealthStatusSet
    from mizzen._api.envoy.config.core.v3.http_service_pb2 import HttpService as HttpService
    from mizzen._api.envoy.config.core.v3.http_uri_pb2 import HttpUri as HttpUri
    from mizzen._api.envoy.config.core.v3.protocol_pb2 import AlternateProtocolsCacheOptions as AlternateProtocolsCacheOptions
    from mizzen._api.envoy.config.core.v3.protocol_pb2 import GrpcProtocolOptions as GrpcProtocolOptions
    from mizzen._api.envoy.config.core.v3.protocol_pb2 import Http1ProtocolOptions as Http1ProtocolOptions
    from mizzen._api.envoy.config.core.v3.protocol_pb2 import Http2ProtocolOptions as Http2ProtocolOptions
    from mizzen._api.envoy.config.core.v3.protocol_pb2 import Http3ProtocolOptions as Http3ProtocolOptions
    from mizzen._api.envoy.config.core.v3.protocol_pb2 import HttpProtocolOptions as CoreHttpProtocolOptions
    from mizzen._api.envoy.config.core.v3.protocol_pb2 import KeepaliveSettings as KeepaliveSettings
    from mizzen._api.envoy.config.core.v3.protocol_pb2 import QuicKeepAliveSettings as QuicKeepAliveSettings
    from mizzen._api.envoy.config.core.v3.protocol_pb2 import QuicProtocolOptions as CoreQuicProtocolOptions
    from mizzen._api.envoy.config.core.v3.protocol_pb2 import SchemeHeaderTransformation as SchemeHeaderTransformation
    from mizzen._api.envoy.config.core.v3.protocol_pb2 import TcpProtocolOptions as TcpProtocolOptions
    from mizzen._api.envoy.config.core.v3.protocol_pb2 import UpstreamHttpProtocolOptions as UpstreamHttpProtocolOptions
    from mizzen._api.envoy.config.core.v3.proxy_protocol_pb2 import PerHostConfig as PerHostConfig
    from mizzen._api.envoy.config.core.v3.proxy_protocol_pb2 import ProxyProtocolConfig as ProxyProtocolConfig
    from mizzen._api.envoy.config.core.v3.proxy_protocol_pb2 import ProxyProtocolPassThroughTLVs as ProxyProtocolPassThroughTLVs
    from mizzen._api.envoy.config.core.v3.proxy_protocol_pb2 import TlvEntry as TlvEntry
    from mizzen._api.envoy.config.core.v3.resolver_pb2 import DnsResolutionConfig as DnsResolutionConfig
    from mizzen._api.envoy.config.core.v3.resolver_pb2 import DnsResolverOptions as DnsResolverOptions
    from mizzen._api.envoy.config.core.v3.socket_cmsg_headers_pb2 import SocketCmsgHeaders as SocketCmsgHeaders
    from mizzen._api.envoy.config.core.v3.socket_option_pb2 import SocketOption as SocketOption
    from mizzen._api.envoy.config.core.v3.socket_option_pb2 import SocketOptionsOverride as SocketOptionsOverride
    from mizzen._api.envoy.config.core.v3.substitution_format_string_pb2 import JsonFormatOptions as JsonFormatOptions
    from mizzen._api.envoy.config.core.v3.substitution_format_string_pb2 import SubstitutionFormatString as SubstitutionFormatString
    from mizzen._api.envoy.config.core.v3.udp_socket_config_pb2 import UdpSocketConfig as UdpSocketConfig
    from mizzen._api.envoy.config.endpoint.v3.endpoint_components_pb2 import Endpoint as Endpoint
    from mizzen._api.envoy.config.endpoint.v3.endpoint_components_pb2 import LbEndpoint as LbEndpoint
    from mizzen._api.envoy.config.endpoint.v3.endpoint_components_pb2 import LbEndpointCollection as LbEndpointCollection
    from mizzen._api.envoy.config.endpoint.v3.endpoint_components_pb2 import LedsClusterLocalityConfig as LedsClusterLocalityConfig
    from mizzen._api.envoy.config.endpoint.v3.endpoint_components_pb2 import LocalityLbEndpoints as LocalityLbEndpoints
    from mizzen._api.envoy.config.endpoint.v3.endpoint_pb2 import ClusterLoadAssignment as ClusterLoadAssignment
    from mizzen._api.envoy.config.listener.v3.api_listener_pb2 import ApiListener as ApiListener
    from mizzen._api.envoy.config.listener.v3.listener_components_pb2 import Filter as Filter
    from mizzen._api.envoy.config.listener.v3.listener_components_pb2 import FilterChain as FilterChain
    from mizzen._api.envoy.config.listener.v3.listener_components_pb2 import FilterChainMatch as FilterChainMatch
    from mizzen._api.envoy.config.listener.v3.listener_components_pb2 import ListenerFilter as ListenerFilter
    from mizzen._api.envoy.config.listener.v3.listener_components_pb2 import ListenerFilterChainMatchPredicate as ListenerFilterChainMatchPredicate
    from mizzen._api.envoy.config.listener.v3.listener_pb2 import AdditionalAddress as AdditionalAddress
    from mizzen._api.envoy.config.listener.v3.listener_pb2 import Listener as Listener
    from mizzen._api.envoy.config.listener.v3.listener_pb2 import ListenerCollection as ListenerCollection
    from mizzen._api.envoy.config.listener.v3.quic_config_pb2 import QuicProtocolOptions as ListenerQuicProtocolOptions
    from mizzen._api.envoy.config.listener.v3.udp_listener_config_pb2 import ActiveRawUdpListenerConfig as ActiveRawUdpListenerConfig
    from mizzen._api.envoy.config.listener.v3.udp_listener_config_pb2 import UdpListenerConfig as UdpListenerConfig
    from mizzen._api.envoy.config.metrics.v3.stats_pb2 import DogStatsdSink as DogStatsdSink
    from mizzen._api.envoy.config.metrics.v3.stats_pb2 import HistogramBucketSettings as HistogramBucketSettings
    from mizzen._api.envoy.config.metrics.v3.stats_pb2 import HystrixSink as HystrixSink
    from mizzen._api.envoy.config.metrics.v3.stats_pb2 import StatsConfig as StatsConfig
    from mizzen._api.envoy.config.metrics.v3.stats_pb2 import StatsMatcher as StatsMatcher
    from mizzen._api.envoy.config.metrics.v3.stats_pb2 import StatsSink as StatsSink
    from mizzen._api.envoy.config.metrics.v3.stats_pb2 import StatsdSink as StatsdSink
    from mizzen._api.envoy.config.metrics.v3.stats_pb2 import TagSpecifier as TagSpecifier
    from mizzen._api.envoy.config.overload.v3.overload_pb2 import BufferFactoryConfig as BufferFactoryConfig
    from mizzen._api.envoy.config.overload.v3.overload_pb2 import LoadShedPoint as LoadShedPoint
    from mizzen._api.envoy.config.overload.v3.overload_pb2 import OverloadAction as OverloadAction
    from mizzen._api.envoy.config.overload.v3.overload_pb2 import OverloadManager as OverloadManager
    from mizzen._api.envoy.config.overload.v3.overload_pb2 import ResourceMonitor as ResourceMonitor
    from mizzen._api.envoy.config.overload.v3.overload_pb2 import ScaleTimersOverloadActionConfig as ScaleTimersOverloadActionConfig
    from mizzen._api.envoy.config.overload.v3.overload_pb2 import ScaledTrigger as ScaledTrigger
    from mizzen._api.envoy.config.overload.v3.overload_pb2 import ShrinkHeapConfig as ShrinkHeapConfig
    from mizzen._api.envoy.config.overload.v3.overload_pb2 import ThresholdTrigger as ThresholdTrigger
    from mizzen._api.envoy.config.overload.v3.overload_pb2 import Trigger as Trigger
    from mizzen._api.envoy.config.ratelimit.v3.rls_pb2 import RateLimitServiceConfig as RateLimitServiceConfig
    from mizzen._api.envoy.config.rbac.v3.rbac_pb2 import Action as Action
    from mizzen._api.envoy.config.rbac.v3.rbac_pb2 import MetadataSource as MetadataSource
    from mizzen._api.envoy.config.rbac.v3.rbac_pb2 import Permission as Permission
    from mizzen._api.envoy.config.rbac.v3.rbac_pb2 import Policy as Policy
    from mizzen._api.envoy.config.rbac.v3.rbac_pb2 import Principal as Principal
    from mizzen._api.envoy.config.rbac.v3.rbac_pb2 import RBAC as RBACRules
    from mizzen._api.envoy.config.rbac.v3.rbac_pb2 import SourcedMetadata as SourcedMetadata
    from mizzen._api.envoy.config.route.v3.route_components_pb2 import ClusterSpecifierPlugin as ClusterSpecifierPlugin
    from mizzen._api.envoy.config.route.v3.route_components_pb2 import CookieMatcher as CookieMatcher
    from mizzen._api.envoy.config.route.v3.route_components_pb2 import CorsPolicy as RouteCorsPolicy
    from mizzen._api.envoy.config.route.v3.route_components_pb2 import Decorator as Decorator
    from mizzen._api.envoy.config.route.v3.route_components_pb2 import DirectResponseAction as DirectResponseAction
    from mizzen._api.envoy.config.route.v3.route_components_pb2 import FilterAction as FilterAction
    from mizzen._api.envoy.config.route.v3.route_components_pb2 import FilterConfig as FilterConfig
    from mizzen._api.envoy.config.route.v3.route_components_pb2 import HeaderMatcher as HeaderMatcher
    from mizzen._api.envoy.config.route.v3.route_components_pb2 import HedgePolicy as HedgePolicy
    from mizzen._api.envoy.config.route.v3.route_components_pb2 import InternalRedirectPolicy as InternalRedirectPolicy
    from mizzen._api.envoy.config.route.v3.route_components_pb2 import NonForwardingAction as NonForwardingAction
    from mizzen._api.envoy.config.route.v3.route_components_pb2 import QueryParameterMatcher as QueryParameterMatcher
    from mizzen._api.envoy.config.route.v3.route_components_pb2 import RateLimit as RateLimit
    from mizzen._api.envoy.config.route.v3.route_components_pb2 import RedirectAction as RedirectAction
    from mizzen._api.envoy.config.route.v3.route_components_pb2 import RetryPolicy as RetryPolicy
    from mizzen._api.envoy.config.route.v3.route_components_pb2 import Route as Route
    from mizzen._api.envoy.config.route.v3.route_components_pb2 import RouteAction as RouteAction
    from mizzen._api.envoy.config.route.v3.route_components_pb2 import RouteList as RouteList
    from mizzen._api.envoy.config.route.v3.route_components_pb2 import RouteMatch as RouteMatch
    from mizzen._api.envoy.config.route.v3.route_components_pb2 import Tracing as Tracing
    from mizzen._api.envoy.config.route.v3.route_components_pb2 import VirtualCluster as VirtualCluster
    from mizzen._api.envoy.config.route.v3.route_components_pb2 import VirtualHost as VirtualHost
    from mizzen._api.envoy.config.route.v3.route_components_pb2 import WeightedCluster as WeightedCluster
    from mizzen._api.envoy.config.route.v3.route_pb2 import RouteConfiguration as RouteConfiguration
    from mizzen._api.envoy.config.route.v3.route_pb2 import Vhds as Vhds
    from mizzen._api.envoy.config.route.v3.scoped_route_pb2 import ScopedRouteConfiguration as ScopedRouteConfiguration
    from mizzen._api.envoy.config.trace.v3.datadog_pb2 import DatadogConfig as DatadogConfig
    from mizzen._api.envoy.config.trace.v3.datadog_pb2 import DatadogRemoteConfig as DatadogRemoteConfig
    from mizzen._api.envoy.config.trace.v3.http_tracer_pb2 import Tracing as BootstrapTracing
    from mizzen._api.envoy.config.trace.v3.opentelemetry_pb2 import OpenTelemetryConfig as OpenTelemetryConfig
    from mizzen._api.envoy.config.trace.v3.skywalking_pb2 import ClientConfig as ClientConfig
    from mizzen._api.envoy.config.trace.v3.skywalking_pb2 import SkyWalkingConfig as SkyWalkingConfig
    from mizzen._api.envoy.config.trace.v3.zipkin_pb2 import ZipkinConfig as ZipkinConfig
    from mizzen._api.envoy.data.accesslog.v3.accesslog_pb2 import AccessLogCommon as AccessLogCommon
    from mizzen._api.envoy.data.accesslog.v3.accesslog_pb2 import AccessLogType as AccessLogType
    from mizzen._api.envoy.data.accesslog.v3.accesslog_pb2 import ConnectionProperties as ConnectionProperties
    from mizzen._api.envoy.data.accesslog.v3.accesslog_pb2 import HTTPAccessLogEntry as HTTPAccessLogEntry
    from mizzen._api.envoy.data.accesslog.v3.accesslog_pb2 import HTTPRequestProperties as HTTPRequestProperties
    from mizzen._api.envoy.data.accesslog.v3.accesslog_pb2 import HTTPResponseProperties as HTTPResponseProperties
    from mizzen._api.envoy.data.accesslog.v3.accesslog_pb2 import ResponseFlags as ResponseFlags
    from mizzen._api.envoy.data.accesslog.v3.accesslog_pb2 import TCPAccessLogEntry as TCPAccessLogEntry
    from mizzen._api.envoy.data.accesslog.v3.accesslog_pb2 import TLSProperties as TLSProperties
    from mizzen._api.envoy.extensions.access_loggers.file.v3.file_pb2 import FileAccessLog as FileAccessLog
    from mizzen._api.envoy.extensions.access_loggers.filters.cel.v3.cel_pb2 import ExpressionFilter as ExpressionFilter
    from mizzen._api.envoy.extensions.access_loggers.grpc.v3.als_pb2 import CommonGrpcAccessLogConfig as CommonGrpcAccessLogConfig
    from mizzen._api.envoy.extensions.access_loggers.grpc.v3.als_pb2 import HttpGrpcAccessLogConfig as HttpGrpcAccessLogConfig
    from mizzen._api.envoy.extensions.access_loggers.grpc.v3.als_pb2 import TcpGrpcAccessLogConfig as TcpGrpcAccessLogConfig
    from mizzen._api.envoy.extensions.access_loggers.open_telemetry.v3.logs_service_pb2 import OpenTelemetryAccessLogConfig as OpenTelemetryAccessLogConfig
    from mizzen._api.envoy.extensions.access_loggers.stream.v3.stream_pb2 import StderrAccessLog as StderrAccessLog
    from mizzen._api.envoy.extensions.access_loggers.stream.v3.stream_pb2 import StdoutAccessLog as StdoutAccessLog
    from mizzen._api.envoy.extensions.clusters.common.dns.v3.dns_pb2 import DnsLookupFamily as DnsLookupFamily
    from mizzen._api.envoy.extensions.clusters.dns.v3.dns_cluster_pb2 import DnsCluster as DnsCluster
    from mizzen._api.envoy.extensions.clusters.dynamic_forward_proxy.v3.cluster_pb2 import ClusterConfig as ClusterConfig
    from mizzen._api.envoy.extensions.clusters.dynamic_forward_proxy.v3.cluster_pb2 import SubClustersConfig as SubClustersConfig
    from mizzen._api.envoy.extensions.common.dynamic_forward_proxy.v3.dns_cache_pb2 import DnsCacheCircuitBreakers as DnsCacheCircuitBreakers
    from mizzen._api.envoy.extensions.common.dynamic_forward_proxy.v3.dns_cache_pb2 import DnsCacheConfig as DnsCacheConfig
    from mizzen._api.envoy.extensions.common.matching.v3.extension_matcher_pb2 import ExtensionWithMatcher as ExtensionWithMatcher
    from mizzen._api.envoy.extensions.common.matching.v3.extension_matcher_pb2 import ExtensionWithMatcherPerRoute as ExtensionWithMatcherPerRoute
    from mizzen._api.envoy.extensions.common.ratelimit.v3.ratelimit_pb2 import LocalClusterRateLimit as LocalClusterRateLimit
    from mizzen._api.envoy.extensions.common.ratelimit.v3.ratelimit_pb2 import LocalRateLimitDescriptor as LocalRateLimitDescriptor
    from mizzen._api.envoy.extensions.common.ratelimit.v3.ratelimit_pb2 import RateLimitDescriptor as RateLimitDescriptor
    from mizzen._api.envoy.extensions.common.ratelimit.v3.ratelimit_pb2 import VhRateLimitsOptions as VhRateLimitsOptions
    from mizzen._api.envoy.extensions.common.ratelimit.v3.ratelimit_pb2 import XRateLimitHeadersRFCVersion as XRateLimitHeadersRFCVersion
    from mizzen._api.envoy.extensions.compression.brotli.compressor.v3.brotli_pb2 import Brotli as Brotli
    from mizzen._api.envoy.extensions.compression.gzip.compressor.v3.gzip_pb2 import Gzip as Gzip
    from mizzen._api.envoy.extensions.filters.common.fault.v3.fault_pb2 import FaultDelay as FaultDelay
    from mizzen._api.envoy.extensions.filters.common.fault.v3.fault_pb2 import FaultRateLimit as FaultRateLimit
    from mizzen._api.envoy.extensions.filters.common.matcher.action.v3.skip_action_pb2 import SkipFilter as SkipFilter
    from mizzen._api.envoy.extensions.filters.common.set_filter_state.v3.value_pb2 import FilterStateValue as FilterStateValue
    from mizzen._api.envoy.extensions.filters.http.basic_auth.v3.basic_auth_pb2 import BasicAuth as BasicAuth
    from mizzen._api.envoy.extensions.filters.http.basic_auth.v3.basic_auth_pb2 import BasicAuthPerRoute as BasicAuthPerRoute
    from mizzen._api.envoy.extensions.filters.http.buffer.v3.buffer_pb2 import Buffer as Buffer
    from mizzen._api.envoy.extensions.filters.http.buffer.v3.buffer_pb2 import BufferPerRoute as BufferPerRoute
    from mizzen._api.envoy.extensions.filters.http.compressor.v3.compressor_pb2 import Compressor as Compressor
    from mizzen._api.envoy.extensions.filters.http.compressor.v3.compressor_pb2 import CompressorOverrides as CompressorOverrides
    from mizzen._api.envoy.extensions.filters.http.compressor.v3.compressor_pb2 import CompressorPerRoute as CompressorPerRoute
    from mizzen._api.envoy.extensions.filters.http.compressor.v3.compressor_pb2 import ResponseDirectionOverrides as ResponseDirectionOverrides
    from mizzen._api.envoy.extensions.filters.http.cors.v3.cors_pb2 import Cors as Cors
    from mizzen._api.envoy.extensions.filters.http.cors.v3.cors_pb2 import CorsPolicy as CorsPolicy
    from mizzen._api.envoy.extensions.filters.http.csrf.v3.csrf_pb2 import CsrfPolicy as CsrfPolicy
    from mizzen._api.envoy.extensions.filters.http.dynamic_forward_proxy.v3.dynamic_forward_proxy_pb2 import FilterConfig as DynamicForwardProxyFilterConfig
    from mizzen._api.envoy.extensions.filters.http.dynamic_forward_proxy.v3.dynamic_forward_proxy_pb2 import PerRouteConfig as DynamicForwardProxyPerRoute
    from mizzen._api.envoy.extensions.filters.http.dynamic_forward_proxy.v3.dynamic_forward_proxy_pb2 import SubClusterConfig as SubClusterConfig
    from mizzen._api.envoy.extensions.filters.http.ext_authz.v3.ext_authz_pb2 import AuthorizationRequest as AuthorizationRequest
    from mizzen._api.envoy.extensions.filters.http.ext_authz.v3.ext_authz_pb2 import AuthorizationResponse as AuthorizationResponse
    from mizzen._api.envoy.extensions.filters.http.ext_authz.v3.ext_authz_pb2 import BufferSettings as BufferSettings
    from mizzen._api.envoy.extensions.filters.http.ext_authz.v3.ext_authz_pb2 import CheckSettings as CheckSettings
    from mizzen._api.envoy.extensions.filters.http.ext_authz.v3.ext_authz_pb2 import ExtAuthz as ExtAuthz
    from mizzen._api.envoy.extensions.filters.http.ext_authz.v3.ext_authz_pb2 import ExtAuthzPerRoute as ExtAuthzPerRoute
    from mizzen._api.envoy.extensions.filters.http.ext_authz.v3.ext_authz_pb2 import HttpService as ExtAuthzHttpService
    from mizzen._api.envoy.extensions.filters.http.ext_authz.v3.ext_authz_pb2 import ShadowDecision as ShadowDecision
    from mizzen._api.envoy.extensions.filters.http.fault.v3.fault_pb2 import FaultAbort as FaultAbort
    from mizzen._api.envoy.extensions.filters.http.fault.v3.fault_pb2 import HTTPFault as HTTPFault
    from mizzen._api.envoy.extensions.filters.http.filter_chain.v3.filter_chain_pb2 import FilterChain as HttpFilterChain
    from mizzen._api.envoy.extensions.filters.http.filter_chain.v3.filter_chain_pb2 import FilterChainConfig as HttpFilterChainConfig
    from mizzen._api.envoy.extensions.filters.http.filter_chain.v3.filter_chain_pb2 import FilterChainConfigPerRoute as HttpFilterChainPerRoute
    from mizzen._api.envoy.extensions.filters.http.grpc_stats.v3.config_pb2 import FilterConfig as GrpcStatsConfig
    from mizzen._api.envoy.extensions.filters.http.grpc_stats.v3.config_pb2 import FilterObject as FilterObject
    from mizzen._api.envoy.extensions.filters.http.grpc_web.v3.grpc_web_pb2 import GrpcWeb as GrpcWeb
    from mizzen._api.envoy.extensions.filters.http.header_mutation.v3.header_mutation_pb2 import HeaderMutation as HeaderMutation
    from mizzen._api.envoy.extensions.filters.http.header_mutation.v3.header_mutation_pb2 import HeaderMutationPerRoute as HeaderMutationPerRoute
    from mizzen._api.envoy.extensions.filters.http.header_mutation.v3.header_mutation_pb2 import Mutations as Mutations
    from mizzen._api.envoy.extensions.filters.http.header_to_metadata.v3.header_to_metadata_pb2 import Config as HeaderToMetadata
    from mizzen._api.envoy.extensions.filters.http.health_check.v3.health_check_pb2 import HealthCheck as HealthCheckFilter
    from mizzen._api.envoy.extensions.filters.http.jwt_authn.v3.config_pb2 import ExtractOnlyWithoutValidation as ExtractOnlyWithoutValidation
    from mizzen._api.envoy.extensions.filters.http.jwt_authn.v3.config_pb2 import FilterStateRule as FilterStateRule
    from mizzen._api.envoy.extensions.filters.http.jwt_authn.v3.config_pb2 import JwksAsyncFetch as JwksAsyncFetch
    from mizzen._api.envoy.extensions.filters.http.jwt_authn.v3.config_pb2 import JwtAuthentication as JwtAuthentication
    from mizzen._api.envoy.extensions.filters.http.jwt_authn.v3.config_pb2 import JwtCacheConfig as JwtCacheConfig
    from mizzen._api.envoy.extensions.filters.http.jwt_authn.v3.config_pb2 import JwtClaimToHeader as JwtClaimToHeader
    from mizzen._api.envoy.extensions.filters.http.jwt_authn.v3.config_pb2 import JwtHeader as JwtHeader
    from mizzen._api.envoy.extensions.filters.http.jwt_authn.v3.config_pb2 import JwtProvider as JwtProvider
    from mizzen._api.envoy.extensions.filters.http.jwt_authn.v3.config_pb2 import JwtRequirement as JwtRequirement
    from mizzen._api.envoy.extensions.filters.http.jwt_authn.v3.config_pb2 import JwtRequirementAndList as JwtRequirementAndList
    from mizzen._api.envoy.extensions.filters.http.jwt_authn.v3.config_pb2 import JwtRequirementOrList as JwtRequirementOrList
    from mizzen._api.envoy.extensions.filters.http.jwt_authn.v3.config_pb2 import PerRouteConfig as JwtPerRoute
    from mizzen._api.envoy.extensions.filters.http.jwt_authn.v3.config_pb2 import ProviderWithAudiences as ProviderWithAudiences
    from mizzen._api.envoy.extensions.filters.http.jwt_authn.v3.config_pb2 import RemoteJwks as RemoteJwks
    from mizzen._api.envoy.extensions.filters.http.jwt_authn.v3.config_pb2 import RequirementRule as RequirementRule
    from mizzen._api.envoy.extensions.filters.http.local_ratelimit.v3.local_rate_limit_pb2 import LocalRateLimit as LocalRateLimit
    from mizzen._api.envoy.extensions.filters.http.lua.v3.lua_pb2 import Lua as Lua
    from mizzen._api.envoy.extensions.filters.http.lua.v3.lua_pb2 import LuaPerRoute as LuaPerRoute
    from mizzen._api.envoy.extensions.filters.http.ratelimit.v3.rate_limit_pb2 import RateLimit as RateLimitFilter
    from mizzen._api.envoy.extensions.filters.http.ratelimit.v3.rate_limit_pb2 import RateLimitPerRoute as RateLimitPerRoute
    from mizzen._api.envoy.extensions.filters.http.rbac.v3.rbac_pb2 import RBAC as RBAC
    from mizzen._api.envoy.extensions.filters.http.rbac.v3.rbac_pb2 import RBACPerRoute as RBACPerRoute
    from mizzen._api.envoy.extensions.filters.http.router.v3.router_pb2 import Router as Router
    from mizzen._api.envoy.extensions.filters.http.set_filter_state.v3.set_filter_state_pb2 import Config as SetFilterState
    from mizzen._api.envoy.extensions.filters.http.stateful_session.v3.stateful_session_pb2 import StatefulSession as StatefulSession
    from mizzen._api.envoy.extensions.filters.http.stateful_session.v3.stateful_session_pb2 import StatefulSessionPerRoute as StatefulSessionPerRoute
    from mizzen._api.envoy.extensions.filters.http.upstream_codec.v3.upstream_codec_pb2 import UpstreamCodec as UpstreamCodec
    from mizzen._api.envoy.extensions.filters.http.wasm.v3.wasm_pb2 import Wasm as Wasm
    from mizzen._api.envoy.extensions.filters.listener.http_inspector.v3.http_inspector_pb2 import HttpInspector as HttpInspector
    from mizzen._api.envoy.extensions.filters.listener.original_dst.v3.original_dst_pb2 import OriginalDst as OriginalDst
    from mizzen._api.envoy.extensions.filters.listener.proxy_protocol.v3.proxy_protocol_pb2 import ProxyProtocol as ProxyProtocol
    from mizzen._api.envoy.extensions.filters.listener.tls_inspector.v3.tls_inspector_pb2 import TlsInspector as TlsInspector
    from mizzen._api.envoy.extensions.filters.network.connection_limit.v3.connection_limit_pb2 import ConnectionLimit as ConnectionLimit
    from mizzen._api.envoy.extensions.filters.network.direct_response.v3.config_pb2 import Config as NetworkDirectResponse
    from mizzen._api.envoy.extensions.filters.network.ext_authz.v3.ext_authz_pb2 import ExtAuthz as NetworkExtAuthz
    from mizzen._api.envoy.extensions.filters.network.http_connection_manager.v3.http_connection_manager_pb2 import EnvoyMobileHttpConnectionManager as EnvoyMobileHttpConnectionManager
    from mizzen._api.envoy.extensions.filters.network.http_connection_manager.v3.http_connection_manager_pb2 import ForwardProtoConfig as ForwardProtoConfig
    from mizzen._api.envoy.extensions.filters.network.http_connection_manager.v3.http_connection_manager_pb2 import HttpConnectionManager as HttpConnectionManager
    from mizzen._api.envoy.extensions.filters.network.http_connection_manager.v3.http_connection_manager_pb2 import HttpFilter as HttpFilter
    from mizzen._api.envoy.extensions.filters.network.http_connection_manager.v3.http_connection_manager_pb2 import LocalReplyConfig as LocalReplyConfig
    from mizzen._api.envoy.extensions.filters.network.http_connection_manager.v3.http_connection_manager_pb2 import Rds as Rds
    from mizzen._api.envoy.extensions.filters.network.http_connection_manager.v3.http_connection_manager_pb2 import RequestIDExtension as RequestIDExtension
    from mizzen._api.envoy.extensions.filters.network.http_connection_manager.v3.http_connection_manager_pb2 import ResponseMapper as ResponseMapper
    from mizzen._api.envoy.extensions.filters.network.http_connection_manager.v3.http_connection_manager_pb2 import ScopedRds as ScopedRds
    from mizzen._api.envoy.extensions.filters.network.http_connection_manager.v3.http_connection_manager_pb2 import ScopedRouteConfigurationsList as ScopedRouteConfigurationsList
    from mizzen._api.envoy.extensions.filters.network.http_connection_manager.v3.http_connection_manager_pb2 import ScopedRoutes as ScopedRoutes
    from mizzen._api.envoy.extensions.filters.network.local_ratelimit.v3.local_rate_limit_pb2 import LocalRateLimit as NetworkLocalRateLimit
    from mizzen._api.envoy.extensions.filters.network.rbac.v3.rbac_pb2 import RBAC as NetworkRBAC
    from mizzen._api.envoy.extensions.filters.network.sni_cluster.v3.sni_cluster_pb2 import SniCluster as SniCluster
    from mizzen._api.envoy.extensions.filters.network.tcp_proxy.v3.tcp_proxy_pb2 import ProxyProtocolTlvMergePolicy as ProxyProtocolTlvMergePolicy
    from mizzen._api.envoy.extensions.filters.network.tcp_proxy.v3.tcp_proxy_pb2 import TcpProxy as TcpProxy
    from mizzen._api.envoy.extensions.filters.network.tcp_proxy.v3.tcp_proxy_pb2 import UpstreamConnectMode as UpstreamConnectMode
    from mizzen._api.envoy.extensions.filters.network.wasm.v3.wasm_pb2 import Wasm as NetworkWasm
    from mizzen._api.envoy.extensions.formatter.metadata.v3.metadata_pb2 import Metadata as MetadataFormatter
    from mizzen._api.envoy.extensions.formatter.req_without_query.v3.req_without_query_pb2 import ReqWithoutQuery as ReqWithoutQuery
    from mizzen._api.envoy.extensions.health_check.event_sinks.file.v3.file_pb2 import HealthCheckEventFileSink as HealthCheckEventFileSink
    from mizzen._api.envoy.extensions.http.early_header_mutation.header_mutation.v3.header_mutation_pb2 import HeaderMutation as EarlyHeaderMutation
    from mizzen._api.envoy.extensions.http.header_formatters.preserve_case.v3.preserve_case_pb2 import PreserveCaseFormatterConfig as PreserveCaseFormatterConfig
    from mizzen._api.envoy.extensions.http.original_ip_detection.custom_header.v3.custom_header_pb2 import CustomHeaderConfig as CustomHeaderConfig
    from mizzen._api.envoy.extensions.http.original_ip_detection.xff.v3.xff_pb2 import XffConfig as XffConfig
    from mizzen._api.envoy.extensions.http.original_ip_detection.xff.v3.xff_pb2 import XffTrustedCidrs as XffTrustedCidrs
    from mizzen._api.envoy.extensions.http.stateful_session.cookie.v3.cookie_pb2 import CookieBasedSessionState as CookieBasedSessionState
    from mizzen._api.envoy.extensions.http.stateful_session.header.v3.header_pb2 import HeaderBasedSessionState as HeaderBasedSessionState
    from mizzen._api.envoy.extensions.internal_redirect.previous_routes.v3.previous_routes_config_pb2 import PreviousRoutesConfig as PreviousRoutesConfig
    from mizzen._api.envoy.extensions.internal_redirect.safe_cross_scheme.v3.safe_cross_scheme_config_pb2 import SafeCrossSchemeConfig as SafeCrossSchemeConfig
    from mizzen._api.envoy.extensions.load_balancing_policies.common.v3.common_pb2 import ConsistentHashingLbConfig as ConsistentHashingLbConfig
    from mizzen._api.envoy.extensions.load_balancing_policies.common.v3.common_pb2 import LocalityLbConfig as LocalityLbConfig
    from mizzen._api.envoy.extensions.load_balancing_policies.common.v3.common_pb2 import OrcaOobReportingConfig as OrcaOobReportingConfig
    from mizzen._api.envoy.extensions.load_balancing_policies.common.v3.common_pb2 import SlowStartConfig as SlowStartConfig
    from mizzen._api.envoy.extensions.load_balancing_policies.least_request.v3.least_request_pb2 import LeastRequest as LeastRequest
    from mizzen._api.envoy.extensions.load_balancing_policies.maglev.v3.maglev_pb2 import Maglev as Maglev
    from mizzen._api.envoy.extensions.load_balancing_policies.random.v3.random_pb2 import Random as Random
    from mizzen._api.envoy.extensions.load_balancing_policies.ring_hash.v3.ring_hash_pb2 import RingHash as RingHash
    from mizzen._api.envoy.extensions.load_balancing_policies.round_robin.v3.round_robin_pb2 import RoundRobin as RoundRobin
    from mizzen._api.envoy.extensions.load_balancing_policies.subset.v3.subset_pb2 import Subset as Subset
    from mizzen._api.envoy.extensions.load_balancing_policies.wrr_locality.v3.wrr_locality_pb2 import WrrLocality as WrrLocality
    from mizzen._api.envoy.extensions.matching.common_inputs.network.v3.network_inputs_pb2 import ApplicationProtocolInput as ApplicationProtocolInput
    from mizzen._api.envoy.extensions.matching.common_inputs.network.v3.network_inputs_pb2 import DestinationIPInput as DestinationIPInput
    from mizzen._api.envoy.extensions.matching.common_inputs.network.v3.network_inputs_pb2 import DestinationPortInput as DestinationPortInput
    from mizzen._api.envoy.extensions.matching.common_inputs.network.v3.network_inputs_pb2 import DirectSourceIPInput as DirectSourceIPInput
    from mizzen._api.envoy.extensions.matching.common_inputs.network.v3.network_inputs_pb2 import DynamicMetadataInput as DynamicMetadataInput
    from mizzen._api.envoy.extensions.matching.common_inputs.network.v3.network_inputs_pb2 import FilterStateInput as FilterStateInput
    from mizzen._api.envoy.extensions.matching.common_inputs.network.v3.network_inputs_pb2 import NetworkNamespaceInput as NetworkNamespaceInput
    from mizzen._api.envoy.extensions.matching.common_inputs.network.v3.network_inputs_pb2 import ServerNameInput as ServerNameInput
    from mizzen._api.envoy.extensions.matching.common_inputs.network.v3.network_inputs_pb2 import SourceIPInput as SourceIPInput
    from mizzen._api.envoy.extensions.matching.common_inputs.network.v3.network_inputs_pb2 import SourcePortInput as SourcePortInput
    from mizzen._api.envoy.extensions.matching.common_inputs.network.v3.network_inputs_pb2 import SourceTypeInput as SourceTypeInput
    from mizzen._api.envoy.extensions.matching.common_inputs.network.v3.network_inputs_pb2 import TransportProtocolInput as TransportProtocolInput
    from mizzen._api.envoy.extensions.matching.common_inputs.ssl.v3.ssl_inputs_pb2 import DnsSanInput as DnsSanInput
    from mizzen._api.envoy.extensions.matching.common_inputs.ssl.v3.ssl_inputs_pb2 import SubjectInput as SubjectInput
    from mizzen._api.envoy.extensions.matching.common_inputs.ssl.v3.ssl_inputs_pb2 import UriSanInput as UriSanInput
    from mizzen._api.envoy.extensions.matching.input_matchers.ip.v3.ip_pb2 import Ip as Ip
    from mizzen._api.envoy.extensions.matching.input_matchers.runtime_fraction.v3.runtime_fraction_pb2 import RuntimeFraction as RuntimeFraction
    from mizzen._api.envoy.extensions.network.dns_resolver.cares.v3.cares_dns_resolver_pb2 import CaresDnsResolverConfig as CaresDnsResolverConfig
    from mizzen._api.envoy.extensions.network.dns_resolver.getaddrinfo.v3.getaddrinfo_dns_resolver_pb2 import GetAddrInfoDnsResolverConfig as GetAddrInfoDnsResolverConfig
    from mizzen._api.envoy.extensions.path.match.uri_template.v3.uri_template_match_pb2 import UriTemplateMatchConfig as UriTemplateMatchConfig
    from mizzen._api.envoy.extensions.path.rewrite.uri_template.v3.uri_template_rewrite_pb2 import UriTemplateRewriteConfig as UriTemplateRewriteConfig
    from mizzen._api.envoy.extensions.quic.connection_debug_visitor.quic_stats.v3.quic_stats_pb2 import Config as QuicStats
    from mizzen._api.envoy.extensions.quic.connection_debug_visitor.v3.connection_debug_visitor_basic_pb2 import BasicConfig as BasicConfig
    from mizzen._api.envoy.extensions.quic.connection_id_generator.quic_lb.v3.quic_lb_pb2 import Config as QuicLb
    from mizzen._api.envoy.extensions.quic.connection_id_generator.v3.envoy_deterministic_connection_id_generator_pb2 import DeterministicConnectionIdGeneratorConfig as DeterministicConnectionIdGeneratorConfig
    from mizzen._api.envoy.extensions.quic.crypto_stream.v3.crypto_stream_pb2 import CryptoServerStreamConfig as CryptoServerStreamConfig
    from mizzen._api.envoy.extensions.quic.proof_source.v3.proof_source_pb2 import ProofSourceConfig as ProofSourceConfig
    from mizzen._api.envoy.extensions.quic.server_preferred_address.v3.datasource_pb2 import DataSourceServerPreferredAddressConfig as DataSourceServerPreferredAddressConfig
    from mizzen._api.envoy.extensions.quic.server_preferred_address.v3.fixed_server_preferred_address_config_pb2 import FixedServerPreferredAddressConfig as FixedServerPreferredAddressConfig
    from mizzen._api.envoy.extensions.rbac.principals.mtls_authenticated.v3.mtls_authenticated_pb2 import Config as MtlsAuthenticated
    from mizzen._api.envoy.extensions.request_id.uuid.v3.uuid_pb2 import UuidRequestIdConfig as UuidRequestIdConfig
    from mizzen._api.envoy.extensions.resource_monitors.downstream_connections.v3.downstream_connections_pb2 import DownstreamConnectionsConfig as DownstreamConnectionsConfig
    from mizzen._api.envoy.extensions.resource_monitors.fixed_heap.v3.fixed_heap_pb2 import FixedHeapConfig as FixedHeapConfig
    from mizzen._api.envoy.extensions.retry.host.omit_canary_hosts.v3.omit_canary_hosts_pb2 import OmitCanaryHostsPredicate as OmitCanaryHostsPredicate
    from mizzen._api.envoy.extensions.retry.host.previous_hosts.v3.previous_hosts_pb2 import PreviousHostsPredicate as PreviousHostsPredicate
    from mizzen._api.envoy.extensions.retry.priority.previous_priorities.v3.previous_priorities_config_pb2 import PreviousPrioritiesConfig as PreviousPrioritiesConfig
    from mizzen._api.envoy.extensions.router.cluster_specifiers.matcher.v3.matcher_pb2 import ClusterAction as ClusterAction
    from mizzen._api.envoy.extensions.router.cluster_specifiers.matcher.v3.matcher_pb2 import MatcherClusterSpecifier as MatcherClusterSpecifier
    from mizzen._api.envoy.extensions.tracers.opentelemetry.resource_detectors.v3.dynatrace_resource_detector_pb2 import DynatraceResourceDetectorConfig as DynatraceResourceDetectorConfig
    from mizzen._api.envoy.extensions.tracers.opentelemetry.resource_detectors.v3.environment_resource_detector_pb2 import EnvironmentResourceDetectorConfig as EnvironmentResourceDetectorConfig
    from mizzen._api.envoy.extensions.tracers.opentelemetry.samplers.v3.dynatrace_sampler_pb2 import DynatraceSamplerConfig as DynatraceSamplerConfig
    from mizzen._api.envoy.extensions.transport_sockets.internal_upstream.v3.internal_upstream_pb2 import InternalUpstreamTransport as InternalUpstreamTransport
    from mizzen._api.envoy.extensions.transport_sockets.proxy_protocol.v3.upstream_proxy_protocol_pb2 import ProxyProtocolUpstreamTransport as ProxyProtocolUpstreamTransport
    from mizzen._api.envoy.extensions.transport_sockets.quic.v3.quic_transport_pb2 import QuicDownstreamTransport as QuicDownstreamTransport
    from mizzen._api.envoy.extensions.transport_sockets.quic.v3.quic_transport_pb2 import QuicUpstreamTransport as QuicUpstreamTransport
    from mizzen._api.envoy.extensions.transport_sockets.raw_buffer.v3.raw_buffer_pb2 import RawBuffer as RawBuffer
    from mizzen._api.envoy.extensions.transport_sockets.tls.v3.common_pb2 import CertificateProviderPluginInstance as CertificateProviderPluginInstance
    from mizzen._api.envoy.extensions.transport_sockets.tls.v3.common_pb2 import CertificateValidationContext as CertificateValidationContext
    from mizzen._api.envoy.extensions.transport_sockets.tls.v3.common_pb2 import PrivateKeyProvider as PrivateKeyProvider
    from mizzen._api.envoy.extensions.transport_sockets.tls.v3.common_pb2 import SubjectAltNameMatcher as SubjectAltNameMatcher
    from mizzen._api.envoy.extensions.transport_sockets.tls.v3.common_pb2 import TlsCertificate as TlsCertificate
    from mizzen._api.envoy.extensions.transport_sockets.tls.v3.common_pb2 import TlsParameters as TlsParameters
    from mizzen._api.envoy.extensions.transport_sockets.tls.v3.common_pb2 import TlsSessionTicketKeys as TlsSessionTicketKeys
    from mizzen._api.envoy.extensions.transport_sockets.tls.v3.secret_pb2 import GenericSecret as GenericSecret
    from mizzen._api.envoy.extensions.transport_sockets.tls.v3.secret_pb2 import SdsSecretConfig as SdsSecretConfig
    from mizzen._api.envoy.extensions.transport_sockets.tls.v3.secret_pb2 import Secret as Secret
    from mizzen._api.envoy.extensions.transport_sockets.tls.v3.tls_pb2 import CommonTlsContext as CommonTlsContext
    from mizzen._api.envoy.extensions.transport_sockets.tls.v3.tls_pb2 import DownstreamTlsContext as DownstreamTlsContext
    from mizzen._api.envoy.extensions.transport_sockets.tls.v3.tls_pb2 import TlsKeyLog as TlsKeyLog
    from mizzen._api.envoy.extensions.transport_sockets.tls.v3.tls_pb2 import UpstreamTlsContext as UpstreamTlsContext
    from mizzen._api.envoy.extensions.transport_sockets.tls.v3.tls_spiffe_validator_config_pb2 import SPIFFECertValidatorConfig as SPIFFECertValidatorConfig
    from mizzen._api.envoy.extensions.udp_packet_writer.v3.udp_default_writer_factory_pb2 import UdpDefaultWriterFactory as UdpDefaultWriterFactory
    from mizzen._api.envoy.extensions.udp_packet_writer.v3.udp_gso_batch_writer_factory_pb2 import UdpGsoBatchWriterFactory as UdpGsoBatchWriterFactory
    from mizzen._api.envoy.extensions.upstreams.http.v3.http_protocol_options_pb2 import HttpProtocolOptions as HttpProtocolOptions
    from mizzen._api.envoy.extensions.upstreams.tcp.v3.tcp_protocol_options_pb2 import TcpProtocolOptions as UpstreamTcpProtocolOptions
    from mizzen._api.envoy.extensions.wasm.v3.wasm_pb2 import CapabilityRestrictionConfig as CapabilityRestrictionConfig
    from mizzen._api.envoy.extensions.wasm.v3.wasm_pb2 import EnvironmentVariables as EnvironmentVariables
    from mizzen._api.envoy.extensions.wasm.v3.wasm_pb2 import FailurePolicy as FailurePolicy
    from mizzen._api.envoy.extensions.wasm.v3.wasm_pb2 import PluginConfig as PluginConfig
    from mizzen._api.envoy.extensions.wasm.v3.wasm_pb2 import ReloadConfig as ReloadConfig
    from mizzen._api.envoy.extensions.wasm.v3.wasm_pb2 import SanitizationConfig as SanitizationConfig
    from mizzen._api.envoy.extensions.wasm.v3.wasm_pb2 import VmConfig as VmConfig
    from mizzen._api.envoy.extensions.wasm.v3.wasm_pb2 import WasmService as WasmService
    from mizzen._api.envoy.service.discovery.v3.discovery_pb2 import DeltaDiscoveryRequest as DeltaDiscoveryRequest
    from mizzen._api.envoy.service.discovery.v3.discovery_pb2 import DeltaDiscoveryResponse as DeltaDiscoveryResponse
    from mizzen._api.envoy.service.discovery.v3.discovery_pb2 import DiscoveryRequest as DiscoveryRequest
    from mizzen._api.envoy.service.discovery.v3.discovery_pb2 import DiscoveryResponse as DiscoveryResponse
    from mizzen._api.envoy.service.discovery.v3.discovery_pb2 import DynamicParameterConstraints as DynamicParameterConstraints
    from mizzen._api.envoy.service.discovery.v3.discovery_pb2 import Resource as Resource
    from mizzen._api.envoy.service.discovery.v3.discovery_pb2 import ResourceError as ResourceError
    from mizzen._api.envoy.service.discovery.v3.discovery_pb2 import ResourceLocator as DiscoveryResourceLocator
    from mizzen._api.envoy.service.discovery.v3.discovery_pb2 import ResourceName as ResourceName
    from mizzen._api.envoy.type.http.v3.cookie_pb2 import Cookie as Cookie
    from mizzen._api.envoy.type.http.v3.cookie_pb2 import CookieAttribute as CookieAttribute
    from mizzen._api.envoy.type.http.v3.path_transformation_pb2 import PathTransformation as PathTransformation
    from mizzen._api.envoy.type.matcher.v3.address_pb2 import AddressMatcher as AddressMatcher
    from mizzen._api.envoy.type.matcher.v3.filter_state_pb2 import FilterStateMatcher as FilterStateMatcher
    from mizzen._api.envoy.type.matcher.v3.http_inputs_pb2 import HttpRequestHeaderMatchInput as HttpRequestHeaderMatchInput
    from mizzen._api.envoy.type.matcher.v3.http_inputs_pb2 import HttpRequestQueryParamMatchInput as HttpRequestQueryParamMatchInput
    from mizzen._api.envoy.type.matcher.v3.http_inputs_pb2 import HttpRequestTrailerMatchInput as HttpRequestTrailerMatchInput
    from mizzen._api.envoy.type.matcher.v3.http_inputs_pb2 import HttpResponseHeaderMatchInput as HttpResponseHeaderMatchInput
    from mizzen._api.envoy.type.matcher.v3.http_inputs_pb2 import HttpResponseTrailerMatchInput as HttpResponseTrailerMatchInput
    from mizzen._api.envoy.type.matcher.v3.metadata_pb2 import MetadataMatcher as MetadataMatcher
    from mizzen._api.envoy.type.matcher.v3.number_pb2 import DoubleMatcher as DoubleMatcher
    from mizzen._api.envoy.type.matcher.v3.path_pb2 import PathMatcher as PathMatcher
    from mizzen._api.envoy.type.matcher.v3.regex_pb2 import RegexMatchAndSubstitute as RegexMatchAndSubstitute
    from mizzen._api.envoy.type.matcher.v3.regex_pb2 import RegexMatcher as RegexMatcher
    from mizzen._api.envoy.type.matcher.v3.string_pb2 import ListStringMatcher as ListStringMatcher
    from mizzen._api.envoy.type.matcher.v3.string_pb2 import StringMatcher as StringMatcher
    from mizzen._api.envoy.type.matcher.v3.value_pb2 import ListMatcher as ListMatcher
    from mizzen._api.envoy.type.matcher.v3.value_pb2 import OrMatcher as OrMatcher
    from mizzen._api.envoy.type.matcher.v3.value_pb2 import ValueMatcher as ValueMatcher
    from mizzen._api.envoy.type.metadata.v3.metadata_pb2 import MetadataKey as MetadataKey
    from mizzen._api.envoy.type.metadata.v3.metadata_pb2 import MetadataKind as MetadataKind
    from mizzen._api.envoy.type.tracing.v3.custom_tag_pb2 import CustomTag as CustomTag
    from mizzen._api.envoy.type.v3.hash_policy_pb2 import HashPolicy as HashPolicy
    from mizzen._api.envoy.type.v3.http_pb2 import CodecClientType as CodecClientType
    from mizzen._api.envoy.type.v3.http_status_pb2 import HttpStatus as HttpStatus
    from mizzen._api.envoy.type.v3.http_status_pb2 import StatusCode as StatusCode
    from mizzen._api.envoy.type.v3.percent_pb2 import FractionalPercent as FractionalPercent
    from mizzen._api.envoy.type.v3.percent_pb2 import Percent as Percent
    from mizzen._api.envoy.type.v3.range_pb2 import DoubleRange as DoubleRange
    from mizzen._api.envoy.type.v3.range_pb2 import Int32Range as Int32Range
    from mizzen._api.envoy.type.v3.range_pb2 import Int64Range as Int64Range
    from mizzen._api.envoy.type.v3.ratelimit_unit_pb2 import RateLimitUnit as RateLimitUnit
    from mizzen._api.envoy.type.v3.semantic_version_pb2 import SemanticVersion as SemanticVersion
    from mizzen._api.envoy.type.v3.token_bucket_pb2 import TokenBucket as TokenBucket
    from mizzen._api.google.api.expr.v1alpha1.checked_pb2 import CheckedExpr as CheckedExpr
    from mizzen._api.google.api.expr.v1alpha1.checked_pb2 import Decl as Decl
    from mizzen._api.google.api.expr.v1alpha1.checked_pb2 import Reference as Reference
    from mizzen._api.google.api.expr.v1alpha1.checked_pb2 import Type as Type
    from mizzen._api.google.api.expr.v1alpha1.syntax_pb2 import Constant as Constant
    from mizzen._api.google.api.expr.v1alpha1.syntax_pb2 import Expr as Expr
    from mizzen._api.google.api.expr.v1alpha1.syntax_pb2 import ParsedExpr as ParsedExpr
    from mizzen._api.google.api.expr.v1alpha1.syntax_pb2 import SourceInfo as SourceInfo
    from mizzen._api.google.api.expr.v1alpha1.syntax_pb2 import SourcePosition as SourcePosition
    from mizzen._api.opentelemetry.proto.common.v1.common_pb2 import AnyValue as OtlpAnyValue
    from mizzen._api.opentelemetry.proto.common.v1.common_pb2 import ArrayValue as ArrayValue
    from mizzen._api.opentelemetry.proto.common.v1.common_pb2 import EntityRef as EntityRef
    from mizzen._api.opentelemetry.proto.common.v1.common_pb2 import InstrumentationScope as InstrumentationScope
    from mizzen._api.opentelemetry.proto.common.v1.common_pb2 import KeyValue as OtlpKeyValue
    from mizzen._api.opentelemetry.proto.common.v1.common_pb2 import KeyValueList as OtlpKeyValueList
    from mizzen._api.udpa.type.v1.typed_struct_pb2 import TypedStruct as UdpaTypedStruct
    from mizzen._api.xds.core.v3.authority_pb2 import Authority as Authority
    from mizzen._api.xds.core.v3.cidr_pb2 import CidrRange as XdsCidrRange
    from mizzen._api.xds.core.v3.collection_entry_pb2 import CollectionEntry as CollectionEntry
    from mizzen._api.xds.core.v3.context_params_pb2 import ContextParams as ContextParams
    from mizzen._api.xds.core.v3.extension_pb2 import TypedExtensionConfig as XdsTypedExtensionConfig
    from mizzen._api.xds.core.v3.resource_locator_pb2 import ResourceLocator as ResourceLocator
    from mizzen._api.xds.type.matcher.v3.matcher_pb2 import Matcher as Matcher
    from mizzen._api.xds.type.matcher.v3.regex_pb2 import RegexMatcher as XdsRegexMatcher
    from mizzen._api.xds.type.matcher.v3.string_pb2 import ListStringMatcher as XdsListStringMatcher
    from mizzen._api.xds.type.matcher.v3.string_pb2 import StringMatcher as XdsStringMatcher
    from mizzen._api.xds.type.v3.typed_struct_pb2 import TypedStruct as TypedStruct

_MESSAGES = {
    "AccessLog": "envoy.config.accesslog.v3.AccessLog",
    "AccessLogCommon": "envoy.data.accesslog.v3.AccessLogCommon",
    "AccessLogFilter": "envoy.config.accesslog.v3.AccessLogFilter",
    "Action": "envoy.config.rbac.v3.Action",
    "ActiveRawUdpListenerConfig": "envoy.config.listener.v3.ActiveRawUdpListenerConfig",
    "AdditionalAddress": "envoy.config.listener.v3.AdditionalAddress",
    "Address": "envoy.config.core.v3.Address",
    "AddressMatcher": "envoy.type.matcher.v3.AddressMatcher",
    "Admin": "envoy.config.bootstrap.v3.Admin",
    "AggregatedConfigSource": "envoy.config.core.v3.AggregatedConfigSource",
    "AlternateProtocolsCacheOptions": "envoy.config.core.v3.AlternateProtocolsCacheOptions",
    "AndFilter": "envoy.config.accesslog.v3.AndFilter",
    "ApiConfigSource": "envoy.config.core.v3.ApiConfigSource",
    "ApiListener": "envoy.config.listener.v3.ApiListener",
    "ApiListenerManager": "envoy.config.bootstrap.v3.ApiListenerManager",
    "ApplicationProtocolInput": "envoy.extensions.matching.common_inputs.network.v3.ApplicationProtocolInput",
    "ArrayValue": "opentelemetry.proto.common.v1.ArrayValue",
    "AsyncDataSource": "envoy.config.core.v3.AsyncDataSource",
    "Authority": "xds.core.v3.Authority",
    "AuthorizationRequest": "envoy.extensions.filters.http.ext_authz.v3.AuthorizationRequest",
    "AuthorizationResponse": "envoy.extensions.filters.http.ext_authz.v3.AuthorizationResponse",
    "BackoffStrategy": "envoy.config.core.v3.BackoffStrategy",
    "BasicAuth": "envoy.extensions.filters.http.basic_auth.v3.BasicAuth",
    "BasicAuthPerRoute": "envoy.extensions.filters.http.basic_auth.v3.BasicAuthPerRoute",
    "BasicConfig": "envoy.extensions.quic.connection_debug_visitor.v3.BasicConfig",
    "BindConfig": "envoy.config.core.v3.BindConfig",
    "Bootstrap": "envoy.config.bootstrap.v3.Bootstrap",
    "BootstrapConfigDump": "envoy.admin.v3.BootstrapConfigDump",
    "BootstrapTracing": "envoy.config.trace.v3.Tracing",
    "Brotli": "envoy.extensions.compression.brotli.compressor.v3.Brotli",
    "Buffer": "envoy.extensions.filters.http.buffer.v3.Buffer",
    "BufferFactoryConfig": "envoy.config.overload.v3.BufferFactoryConfig",
    "BufferPerRoute": "envoy.extensions.filters.http.buffer.v3.BufferPerRoute",
    "BufferSettings": "envoy.extensions.filters.http.ext_authz.v3.BufferSettings",
    "BuildVersion": "envoy.config.core.v3.BuildVersion",
    "CapabilityRestrictionConfig": "envoy.extensions.wasm.v3.CapabilityRestrictionConfig",
    "CaresDnsResolverConfig": "envoy.extensions.network.dns_resolver.cares.v3.CaresDnsResolverConfig",
    "CelExpressionConfig": "envoy.config.core.v3.CelExpressionConfig",
    "Certificate": "envoy.admin.v3.Certificate",
    "CertificateDetails": "envoy.admin.v3.CertificateDetails",
    "CertificateProviderPluginInstance": "envoy.extensions.transport_sockets.tls.v3.CertificateProviderPluginInstance",
    "CertificateValidationContext": "envoy.extensions.transport_sockets.tls.v3.CertificateValidationContext",
    "Certificates": "envoy.admin.v3.Certificates",
    "CheckSettings": "envoy.extensions.filters.http.ext_authz.v3.CheckSettings",
    "CheckedExpr": "google.api.expr.v1alpha1.CheckedExpr",
    "CidrRange": "envoy.config.core.v3.CidrRange",
    "CircuitBreakers": "envoy.config.cluster.v3.CircuitBreakers",
    "ClientConfig": "envoy.config.trace.v3.ClientConfig",
    "Cluster": "envoy.config.cluster.v3.Cluster",
    "ClusterAction": "envoy.extensions.router.cluster_specifiers.matcher.v3.ClusterAction",
    "ClusterCollection": "envoy.config.cluster.v3.ClusterCollection",
    "ClusterConfig": "envoy.extensions.clusters.dynamic_forward_proxy.v3.ClusterConfig",
    "ClusterFilter": "envoy.config.cluster.v3.Filter",
    "ClusterLoadAssignment": "envoy.config.endpoint.v3.ClusterLoadAssignment",
    "ClusterManager": "envoy.config.bootstrap.v3.ClusterManager",
    "ClusterSpecifierPlugin": "envoy.config.route.v3.ClusterSpecifierPlugin",
    "ClusterStatus": "envoy.admin.v3.ClusterStatus",
    "Clusters": "envoy.admin.v3.Clusters",
    "ClustersConfigDump": "envoy.admin.v3.ClustersConfigDump",
    "CollectionEntry": "xds.core.v3.CollectionEntry",
    "CommandLineOptions": "envoy.admin.v3.CommandLineOptions",
    "CommonGrpcAccessLogConfig": "envoy.extensions.access_loggers.grpc.v3.CommonGrpcAccessLogConfig",
    "CommonTlsContext": "envoy.extensions.transport_sockets.tls.v3.CommonTlsContext",
    "ComparisonFilter": "envoy.config.accesslog.v3.ComparisonFilter",
    "Compressor": "envoy.extensions.filters.http.compressor.v3.Compressor",
    "CompressorOverrides": "envoy.extensions.filters.http.compressor.v3.CompressorOverrides",
    "CompressorPerRoute": "envoy.extensions.filters.http.compressor.v3.CompressorPerRoute",
    "ConfigDump": "envoy.admin.v3.ConfigDump",
    "ConfigMatcher": "envoy.config.common.matcher.v3.Matcher",
    "ConfigSource": "envoy.config.core.v3.ConfigSource",
    "ConnectionLimit": "envoy.extensions.filters.network.connection_limit.v3.ConnectionLimit",
    "ConnectionProperties": "envoy.data.accesslog.v3.ConnectionProperties",
    "ConsistentHashingLbConfig": "envoy.extensions.load_balancing_policies.common.v3.ConsistentHashingLbConfig",
    "Constant": "google.api.expr.v1alpha1.Constant",
    "ContextParams": "xds.core.v3.ContextParams",
    "ControlPlane": "envoy.config.core.v3.ControlPlane",
    "Cookie": "envoy.type.http.v3.Cookie",
    "CookieAttribute": "envoy.type.http.v3.CookieAttribute",
    "CookieBasedSessionState": "envoy.extensions.http.stateful_session.cookie.v3.CookieBasedSessionState",
    "CookieMatcher": "envoy.config.route.v3.CookieMatcher",
    "CoreHttpProtocolOptions": "envoy.config.core.v3.HttpProtocolOptions",
    "CoreQuicProtocolOptions": "envoy.config.core.v3.QuicProtocolOptions",
    "CoreRetryPolicy": "envoy.config.core.v3.RetryPolicy",
    "Cors": "envoy.extensions.filters.http.cors.v3.Cors",
    "CorsPolicy": "envoy.extensions.filters.http.cors.v3.CorsPolicy",
    "CryptoServerStreamConfig": "envoy.extensions.quic.crypto_stream.v3.CryptoServerStreamConfig",
    "CsrfPolicy": "envoy.extensions.filters.http.csrf.v3.CsrfPolicy",
    "CustomHeaderConfig": "envoy.extensions.http.original_ip_detection.custom_header.v3.CustomHeaderConfig",
    "CustomInlineHeader": "envoy.config.bootstrap.v3.CustomInlineHeader",
    "CustomTag": "envoy.type.tracing.v3.CustomTag",
    "DataSource": "envoy.config.core.v3.DataSource",
    "DataSourceServerPreferredAddressConfig": "envoy.extensions.quic.server_preferred_address.v3.DataSourceServerPreferredAddressConfig",
    "DatadogConfig": "envoy.config.trace.v3.DatadogConfig",
    "DatadogRemoteConfig": "envoy.config.trace.v3.DatadogRemoteConfig",
    "Decl": "google.api.expr.v1alpha1.Decl",
    "Decorator": "envoy.config.route.v3.Decorator",
    "DeltaDiscoveryRequest": "envoy.service.discovery.v3.DeltaDiscoveryRequest",
    "DeltaDiscoveryResponse": "envoy.service.discovery.v3.DeltaDiscoveryResponse",
    "DestinationIPInput": "envoy.extensions.matching.common_inputs.network.v3.DestinationIPInput",
    "DestinationPortInput": "envoy.extensions.matching.common_inputs.network.v3.DestinationPortInput",
    "DeterministicConnectionIdGeneratorConfig": "envoy.extensions.quic.connection_id_generator.v3.DeterministicConnectionIdGeneratorConfig",
    "DirectResponseAction": "envoy.config.route.v3.DirectResponseAction",
    "DirectSourceIPInput": "envoy.extensions.matching.common_inputs.network.v3.DirectSourceIPInput",
    "DiscoveryRequest": "envoy.service.discovery.v3.DiscoveryRequest",
    "DiscoveryResourceLocator": "envoy.service.discovery.v3.ResourceLocator",
    "DiscoveryResponse": "envoy.service.discovery.v3.DiscoveryResponse",
    "DnsCacheCircuitBreakers": "envoy.extensions.common.dynamic_forward_proxy.v3.DnsCacheCircuitBreakers",
    "DnsCacheConfig": "envoy.extensions.common.dynamic_forward_proxy.v3.DnsCacheConfig",
    "DnsCluster": "envoy.extensions.clusters.dns.v3.DnsCluster",
    "DnsResolutionConfig": "envoy.config.core.v3.DnsResolutionConfig",
    "DnsResolverOptions": "envoy.config.core.v3.DnsResolverOptions",
    "DnsSanInput": "envoy.extensions.matching.common_inputs.ssl.v3.DnsSanInput",
    "DogStatsdSink": "envoy.config.metrics.v3.DogStatsdSink",
    "DoubleMatcher": "envoy.type.matcher.v3.DoubleMatcher",
    "DoubleRange": "envoy.type.v3.DoubleRange",
    "DownstreamConnectionsConfig": "envoy.extensions.resource_monitors.downstream_connections.v3.DownstreamConnectionsConfig",
    "DownstreamTlsContext": "envoy.extensions.transport_sockets.tls.v3.DownstreamTlsContext",
    "DurationFilter": "envoy.config.accesslog.v3.DurationFilter",
    "DynamicForwardProxyFilterConfig": "envoy.extensions.filters.http.dynamic_forward_proxy.v3.FilterConfig",
    "DynamicForwardProxyPerRoute": "envoy.extensions.filters.http.dynamic_forward_proxy.v3.PerRouteConfig",
    "DynamicMetadataInput": "envoy.extensions.matching.common_inputs.network.v3.DynamicMetadataInput",
    "DynamicParameterConstraints": "envoy.service.discovery.v3.DynamicParameterConstraints",
    "DynatraceResourceDetectorConfig": "envoy.extensions.tracers.opentelemetry.resource_detectors.v3.DynatraceResourceDetectorConfig",
    "DynatraceSamplerConfig": "envoy.extensions.tracers.opentelemetry.samplers.v3.DynatraceSamplerConfig",
    "EarlyHeaderMutation": "envoy.extensions.http.early_header_mutation.header_mutation.v3.HeaderMutation",
    "EcdsConfigDump": "envoy.admin.v3.EcdsConfigDump",
    "Endpoint": "envoy.config.endpoint.v3.Endpoint",
    "EndpointsConfigDump": "envoy.admin.v3.EndpointsConfigDump",
    "EntityRef": "opentelemetry.proto.common.v1.EntityRef",
    "EnvironmentResourceDetectorConfig": "envoy.extensions.tracers.opentelemetry.resource_detectors.v3.EnvironmentResourceDetectorConfig",
    "EnvironmentVariables": "envoy.extensions.wasm.v3.EnvironmentVariables",
    "EnvoyInternalAddress": "envoy.config.core.v3.EnvoyInternalAddress",
    "EnvoyMobileHttpConnectionManager": "envoy.extensions.filters.network.http_connection_manager.v3.EnvoyMobileHttpConnectionManager",
    "EventServiceConfig": "envoy.config.core.v3.EventServiceConfig",
    "Expr": "google.api.expr.v1alpha1.Expr",
    "ExpressionFilter": "envoy.extensions.access_loggers.filters.cel.v3.ExpressionFilter",
    "ExtAuthz": "envoy.extensions.filters.http.ext_authz.v3.ExtAuthz",
    "ExtAuthzHttpService": "envoy.extensions.filters.http.ext_authz.v3.HttpService",
    "ExtAuthzPerRoute": "envoy.extensions.filters.http.ext_authz.v3.ExtAuthzPerRoute",
    "Extension": "envoy.config.core.v3.Extension",
    "ExtensionConfigSource": "envoy.config.core.v3.ExtensionConfigSource",
    "ExtensionFilter": "envoy.config.accesslog.v3.ExtensionFilter",
    "ExtensionWithMatcher": "envoy.extensions.common.matching.v3.ExtensionWithMatcher",
    "ExtensionWithMatcherPerRoute": "envoy.extensions.common.matching.v3.ExtensionWithMatcherPerRoute",
    "ExtraSourceAddress": "envoy.config.core.v3.ExtraSourceAddress",
    "ExtractOnlyWithoutValidation": "envoy.extensions.filters.http.jwt_authn.v3.ExtractOnlyWithoutValidation",
    "FatalAction": "envoy.config.bootstrap.v3.FatalAction",
    "FaultAbort": "envoy.extensions.filters.http.fault.v3.FaultAbort",
    "FaultDelay": "envoy.extensions.filters.common.fault.v3.FaultDelay",
    "FaultRateLimit": "envoy.extensions.filters.common.fault.v3.FaultRateLimit",
    "FileAccessLog": "envoy.extensions.access_loggers.file.v3.FileAccessLog",
    "Filter": "envoy.config.listener.v3.Filter",
    "FilterAction": "envoy.config.route.v3.FilterAction",
    "FilterChain": "envoy.config.listener.v3.FilterChain",
    "FilterChainMatch": "envoy.config.listener.v3.FilterChainMatch",
    "FilterConfig": "envoy.config.route.v3.FilterConfig",
    "FilterObject": "envoy.extensions.filters.http.grpc_stats.v3.FilterObject",
    "FilterStateInput": "envoy.extensions.matching.common_inputs.network.v3.FilterStateInput",
    "FilterStateMatcher": "envoy.type.matcher.v3.FilterStateMatcher",
    "FilterStateRule": "envoy.extensions.filters.http.jwt_authn.v3.FilterStateRule",
    "FilterStateValue": "envoy.extensions.filters.common.set_filter_state.v3.FilterStateValue",
    "FixedHeapConfig": "envoy.extensions.resource_monitors.fixed_heap.v3.FixedHeapConfig",
    "FixedServerPreferredAddressConfig": "envoy.extensions.quic.server_preferred_address.v3.FixedServerPreferredAddressConfig",
    "ForwardProtoConfig": "envoy.extensions.filters.network.http_connection_manager.v3.ForwardProtoConfig",
    "FractionalPercent": "envoy.type.v3.FractionalPercent",
    "GenericSecret": "envoy.extensions.transport_sockets.tls.v3.GenericSecret",
    "GetAddrInfoDnsResolverConfig": "envoy.extensions.network.dns_resolver.getaddrinfo.v3.GetAddrInfoDnsResolverConfig",
    "GrpcMethodList": "envoy.config.core.v3.GrpcMethodList",
    "GrpcProtocolOptions": "envoy.config.core.v3.GrpcProtocolOptions",
    "GrpcService": "envoy.config.core.v3.GrpcService",
    "GrpcStatsConfig": "envoy.extensions.filters.http.grpc_stats.v3.FilterConfig",
    "GrpcStatusFilter": "envoy.config.accesslog.v3.GrpcStatusFilter",
    "GrpcWeb": "envoy.extensions.filters.http.grpc_web.v3.GrpcWeb",
    "Gzip": "envoy.extensions.compression.gzip.compressor.v3.Gzip",
    "HTTPAccessLogEntry": "envoy.data.accesslog.v3.HTTPAccessLogEntry",
    "HTTPFault": "envoy.extensions.filters.http.fault.v3.HTTPFault",
    "HTTPRequestProperties": "envoy.data.accesslog.v3.HTTPRequestProperties",
    "HTTPResponseProperties": "envoy.data.accesslog.v3.HTTPResponseProperties",
    "HashPolicy": "envoy.type.v3.HashPolicy",
    "HeaderBasedSessionState": "envoy.extensions.http.stateful_session.header.v3.HeaderBasedSessionState",
    "HeaderFilter": "envoy.config.accesslog.v3.HeaderFilter",
    "HeaderMap": "envoy.config.core.v3.HeaderMap",
    "HeaderMatcher": "envoy.config.route.v3.HeaderMatcher",
    "HeaderMutation": "envoy.extensions.filters.http.header_mutation.v3.HeaderMutation",
    "HeaderMutationPerRoute": "envoy.extensions.filters.http.header_mutation.v3.HeaderMutationPerRoute",
    "HeaderMutationRule": "envoy.config.common.mutation_rules.v3.HeaderMutation",
    "HeaderMutationRules": "envoy.config.common.mutation_rules.v3.HeaderMutationRules",
    "HeaderToMetadata": "envoy.extensions.filters.http.header_to_metadata.v3.Config",
    "HeaderValue": "envoy.config.core.v3.HeaderValue",
    "HeaderValueOption": "envoy.config.core.v3.HeaderValueOption",
    "HealthCheck": "envoy.config.core.v3.HealthCheck",
    "HealthCheckEventFileSink": "envoy.extensions.health_check.event_sinks.file.v3.HealthCheckEventFileSink",
    "HealthCheckFilter": "envoy.extensions.filters.http.health_check.v3.HealthCheck",
    "HealthStatusSet": "envoy.config.core.v3.HealthStatusSet",
    "HedgePolicy": "envoy.config.route.v3.HedgePolicy",
    "HistogramBucketSettings": "envoy.config.metrics.v3.HistogramBucketSettings",
    "HostHealthStatus": "envoy.admin.v3.HostHealthStatus",
    "HostStatus": "envoy.admin.v3.HostStatus",
    "Http1ProtocolOptions": "envoy.config.core.v3.Http1ProtocolOptions",
    "Http2ProtocolOptions": "envoy.config.core.v3.Http2ProtocolOptions",
    "Http3ProtocolOptions": "envoy.config.core.v3.Http3ProtocolOptions",
    "HttpConnectionManager": "envoy.extensions.filters.network.http_connection_manager.v3.HttpConnectionManager",
    "HttpFilter": "envoy.extensions.filters.network.http_connection_manager.v3.HttpFilter",
    "HttpFilterChain": "envoy.extensions.filters.http.filter_chain.v3.FilterChain",
    "HttpFilterChainConfig": "envoy.extensions.filters.http.filter_chain.v3.FilterChainConfig",
    "HttpFilterChainPerRoute": "envoy.extensions.filters.http.filter_chain.v3.FilterChainConfigPerRoute",
    "HttpGenericBodyMatch": "envoy.config.common.matcher.v3.HttpGenericBodyMatch",
    "HttpGrpcAccessLogConfig": "envoy.extensions.access_loggers.grpc.v3.HttpGrpcAccessLogConfig",
    "HttpHeadersMatch": "envoy.config.common.matcher.v3.HttpHeadersMatch",
    "HttpInspector": "envoy.extensions.filters.listener.http_inspector.v3.HttpInspector",
    "HttpProtocolOptions": "envoy.extensions.upstreams.http.v3.HttpProtocolOptions",
    "HttpRequestHeaderMatchInput": "envoy.type.matcher.v3.HttpRequestHeaderMatchInput",
    "HttpRequestQueryParamMatchInput": "envoy.type.matcher.v3.HttpRequestQueryParamMatchInput",
    "HttpRequestTrailerMatchInput": "envoy.type.matcher.v3.HttpRequestTrailerMatchInput",
    "HttpResponseHeaderMatchInput": "envoy.type.matcher.v3.HttpResponseHeaderMatchInput",
    "HttpResponseTrailerMatchInput": "envoy.type.matcher.v3.HttpResponseTrailerMatchInput",
    "HttpService": "envoy.config.core.v3.HttpService",
    "HttpStatus": "envoy.type.v3.HttpStatus",
    "HttpUri": "envoy.config.core.v3.HttpUri",
    "HystrixSink": "envoy.config.metrics.v3.HystrixSink",
    "InstrumentationScope": "opentelemetry.proto.common.v1.InstrumentationScope",
    "Int32Range": "envoy.type.v3.Int32Range",
    "Int64Range": "envoy.type.v3.Int64Range",
    "InternalRedirectPolicy": "envoy.config.route.v3.InternalRedirectPolicy",
    "InternalUpstreamTransport": "envoy.extensions.transport_sockets.internal_upstream.v3.InternalUpstreamTransport",
    "Ip": "envoy.extensions.matching.input_matchers.ip.v3.Ip",
    "JsonFormatOptions": "envoy.config.core.v3.JsonFormatOptions",
    "JwksAsyncFetch": "envoy.extensions.filters.http.jwt_authn.v3.JwksAsyncFetch",
    "JwtAuthentication": "envoy.extensions.filters.http.jwt_authn.v3.JwtAuthentication",
    "JwtCacheConfig": "envoy.extensions.filters.http.jwt_authn.v3.JwtCacheConfig",
    "JwtClaimToHeader": "envoy.extensions.filters.http.jwt_authn.v3.JwtClaimToHeader",
    "JwtHeader": "envoy.extensions.filters.http.jwt_authn.v3.JwtHeader",
    "JwtPerRoute": "envoy.extensions.filters.http.jwt_authn.v3.PerRouteConfig",
    "JwtProvider": "envoy.extensions.filters.http.jwt_authn.v3.JwtProvider",
    "JwtRequirement": "envoy.extensions.filters.http.jwt_authn.v3.JwtRequirement",
    "JwtRequirementAndList": "envoy.extensions.filters.http.jwt_authn.v3.JwtRequirementAndList",
    "JwtRequirementOrList": "envoy.extensions.filters.http.jwt_authn.v3.JwtRequirementOrList",
    "KeepaliveSettings": "envoy.config.core.v3.KeepaliveSettings",
    "KeyValue": "envoy.config.core.v3.KeyValue",
    "KeyValueAppend": "envoy.config.core.v3.KeyValueAppend",
    "KeyValueMutation": "envoy.config.core.v3.KeyValueMutation",
    "KeyValuePair": "envoy.config.core.v3.KeyValuePair",
    "KeyValueStoreConfig": "envoy.config.common.key_value.v3.KeyValueStoreConfig",
    "LayeredRuntime": "envoy.config.bootstrap.v3.LayeredRuntime",
    "LbEndpoint": "envoy.config.endpoint.v3.LbEndpoint",
    "LbEndpointCollection": "envoy.config.endpoint.v3.LbEndpointCollection",
    "LeastRequest": "envoy.extensions.load_balancing_policies.least_request.v3.LeastRequest",
    "LedsClusterLocalityConfig": "envoy.config.endpoint.v3.LedsClusterLocalityConfig",
    "ListMatcher": "envoy.type.matcher.v3.ListMatcher",
    "ListStringMatcher": "envoy.type.matcher.v3.ListStringMatcher",
    "Listener": "envoy.config.listener.v3.Listener",
    "ListenerCollection": "envoy.config.listener.v3.ListenerCollection",
    "ListenerFilter": "envoy.config.listener.v3.ListenerFilter",
    "ListenerFilterChainMatchPredicate": "envoy.config.listener.v3.ListenerFilterChainMatchPredicate",
    "ListenerManager": "envoy.config.bootstrap.v3.ListenerManager",
    "ListenerQuicProtocolOptions": "envoy.config.listener.v3.QuicProtocolOptions",
    "ListenerStatus": "envoy.admin.v3.ListenerStatus",
    "Listeners": "envoy.admin.v3.Listeners",
    "ListenersConfigDump": "envoy.admin.v3.ListenersConfigDump",
    "LoadBalancingPolicy": "envoy.config.cluster.v3.LoadBalancingPolicy",
    "LoadShedPoint": "envoy.config.overload.v3.LoadShedPoint",
    "LocalClusterRateLimit": "envoy.extensions.common.ratelimit.v3.LocalClusterRateLimit",
    "LocalRateLimit": "envoy.extensions.filters.http.local_ratelimit.v3.LocalRateLimit",
    "LocalRateLimitDescriptor": "envoy.extensions.common.ratelimit.v3.LocalRateLimitDescriptor",
    "LocalReplyConfig": "envoy.extensions.filters.network.http_connection_manager.v3.LocalReplyConfig",
    "Locality": "envoy.config.core.v3.Locality",
    "LocalityLbConfig": "envoy.extensions.load_balancing_policies.common.v3.LocalityLbConfig",
    "LocalityLbEndpoints": "envoy.config.endpoint.v3.LocalityLbEndpoints",
    "LogTypeFilter": "envoy.config.accesslog.v3.LogTypeFilter",
    "Lua": "envoy.extensions.filters.http.lua.v3.Lua",
    "LuaPerRoute": "envoy.extensions.filters.http.lua.v3.LuaPerRoute",
    "Maglev": "envoy.extensions.load_balancing_policies.maglev.v3.Maglev",
    "MatchPredicate": "envoy.config.common.matcher.v3.MatchPredicate",
    "Matcher": "xds.type.matcher.v3.Matcher",
    "MatcherClusterSpecifier": "envoy.extensions.router.cluster_specifiers.matcher.v3.MatcherClusterSpecifier",
    "Memory": "envoy.admin.v3.Memory",
    "MemoryAllocatorManager": "envoy.config.bootstrap.v3.MemoryAllocatorManager",
    "Metadata": "envoy.config.core.v3.Metadata",
    "MetadataFilter": "envoy.config.accesslog.v3.MetadataFilter",
    "MetadataFormatter": "envoy.extensions.formatter.metadata.v3.Metadata",
    "MetadataKey": "envoy.type.metadata.v3.MetadataKey",
    "MetadataKind": "envoy.type.metadata.v3.MetadataKind",
    "MetadataMatcher": "envoy.type.matcher.v3.MetadataMatcher",
    "MtlsAuthenticated": "envoy.extensions.rbac.principals.mtls_authenticated.v3.Config",
    "Mutations": "envoy.extensions.filters.http.header_mutation.v3.Mutations",
    "NetworkDirectResponse": "envoy.extensions.filters.network.direct_response.v3.Config",
    "NetworkExtAuthz": "envoy.extensions.filters.network.ext_authz.v3.ExtAuthz",
    "NetworkLocalRateLimit": "envoy.extensions.filters.network.local_ratelimit.v3.LocalRateLimit",
    "NetworkNamespaceInput": "envoy.extensions.matching.common_inputs.network.v3.NetworkNamespaceInput",
    "NetworkRBAC": "envoy.extensions.filters.network.rbac.v3.RBAC",
    "NetworkWasm": "envoy.extensions.filters.network.wasm.v3.Wasm",
    "Node": "envoy.config.core.v3.Node",
    "NonForwardingAction": "envoy.config.route.v3.NonForwardingAction",
    "NotHealthCheckFilter": "envoy.config.accesslog.v3.NotHealthCheckFilter",
    "OmitCanaryHostsPredicate": "envoy.extensions.retry.host.omit_canary_hosts.v3.OmitCanaryHostsPredicate",
    "OpenTelemetryAccessLogConfig": "envoy.extensions.access_loggers.open_telemetry.v3.OpenTelemetryAccessLogConfig",
    "OpenTelemetryConfig": "envoy.config.trace.v3.OpenTelemetryConfig",
    "OrFilter": "envoy.config.accesslog.v3.OrFilter",
    "OrMatcher": "envoy.type.matcher.v3.OrMatcher",
    "OrcaOobReportingConfig": "envoy.extensions.load_balancing_policies.common.v3.OrcaOobReportingConfig",
    "OriginalDst": "envoy.extensions.filters.listener.original_dst.v3.OriginalDst",
    "OtlpAnyValue": "opentelemetry.proto.common.v1.AnyValue",
    "OtlpKeyValue": "opentelemetry.proto.common.v1.KeyValue",
    "OtlpKeyValueList": "opentelemetry.proto.common.v1.KeyValueList",
    "OutlierDetection": "envoy.config.cluster.v3.OutlierDetection",
    "OverloadAction": "envoy.config.overload.v3.OverloadAction",
    "OverloadManager": "envoy.config.overload.v3.OverloadManager",
    "ParsedExpr": "google.api.expr.v1alpha1.ParsedExpr",
    "PathConfigSource": "envoy.config.core.v3.PathConfigSource",
    "PathMatcher": "envoy.type.matcher.v3.PathMatcher",
    "PathTransformation": "envoy.type.http.v3.PathTransformation",
    "PerHostConfig": "envoy.config.core.v3.PerHostConfig",
    "Percent": "envoy.type.v3.Percent",
    "Permission": "envoy.config.rbac.v3.Permission",
    "Pipe": "envoy.config.core.v3.Pipe",
    "PluginConfig": "envoy.extensions.wasm.v3.PluginConfig",
    "Policy": "envoy.config.rbac.v3.Policy",
    "PreserveCaseFormatterConfig": "envoy.extensions.http.header_formatters.preserve_case.v3.PreserveCaseFormatterConfig",
    "PreviousHostsPredicate": "envoy.extensions.retry.host.previous_hosts.v3.PreviousHostsPredicate",
    "PreviousPrioritiesConfig": "envoy.extensions.retry.priority.previous_priorities.v3.PreviousPrioritiesConfig",
    "PreviousRoutesConfig": "envoy.extensions.internal_redirect.previous_routes.v3.PreviousRoutesConfig",
    "Principal": "envoy.config.rbac.v3.Principal",
    "PrivateKeyProvider": "envoy.extensions.transport_sockets.tls.v3.PrivateKeyProvider",
    "ProofSourceConfig": "envoy.extensions.quic.proof_source.v3.ProofSourceConfig",
    "ProviderWithAudiences": "envoy.extensions.filters.http.jwt_authn.v3.ProviderWithAudiences",
    "ProxyProtocol": "envoy.extensions.filters.listener.proxy_protocol.v3.ProxyProtocol",
    "ProxyProtocolConfig": "envoy.config.core.v3.ProxyProtocolConfig",
    "ProxyProtocolPassThroughTLVs": "envoy.config.core.v3.ProxyProtocolPassThroughTLVs",
    "ProxyProtocolUpstreamTransport": "envoy.extensions.transport_sockets.proxy_protocol.v3.ProxyProtocolUpstreamTransport",
    "QueryParameter": "envoy.config.core.v3.QueryParameter",
    "QueryParameterMatcher": "envoy.config.route.v3.QueryParameterMatcher",
    "QuicDownstreamTransport": "envoy.extensions.transport_sockets.quic.v3.QuicDownstreamTransport",
    "QuicKeepAliveSettings": "envoy.config.core.v3.QuicKeepAliveSettings",
    "QuicLb": "envoy.extensions.quic.connection_id_generator.quic_lb.v3.Config",
    "QuicStats": "envoy.extensions.quic.connection_debug_visitor.quic_stats.v3.Config",
    "QuicUpstreamTransport": "envoy.extensions.transport_sockets.quic.v3.QuicUpstreamTransport",
    "RBAC": "envoy.extensions.filters.http.rbac.v3.RBAC",
    "RBACPerRoute": "envoy.extensions.filters.http.rbac.v3.RBACPerRoute",
    "RBACRules": "envoy.config.rbac.v3.RBAC",
    "Random": "envoy.extensions.load_balancing_policies.random.v3.Random",
    "RateLimit": "envoy.config.route.v3.RateLimit",
    "RateLimitDescriptor": "envoy.extensions.common.ratelimit.v3.RateLimitDescriptor",
    "RateLimitFilter": "envoy.extensions.filters.http.ratelimit.v3.RateLimit",
    "RateLimitPerRoute": "envoy.extensions.filters.http.ratelimit.v3.RateLimitPerRoute",
    "RateLimitServiceConfig": "envoy.config.ratelimit.v3.RateLimitServiceConfig",
    "RateLimitSettings": "envoy.config.core.v3.RateLimitSettings",
    "RawBuffer": "envoy.extensions.transport_sockets.raw_buffer.v3.RawBuffer",
    "Rds": "envoy.extensions.filters.network.http_connection_manager.v3.Rds",
    "RedirectAction": "envoy.config.route.v3.RedirectAction",
    "Reference": "google.api.expr.v1alpha1.Reference",
    "RegexMatchAndSubstitute": "envoy.type.matcher.v3.RegexMatchAndSubstitute",
    "RegexMatcher": "envoy.type.matcher.v3.RegexMatcher",
    "ReloadConfig": "envoy.extensions.wasm.v3.ReloadConfig",
    "RemoteDataSource": "envoy.config.core.v3.RemoteDataSource",
    "RemoteJwks": "envoy.extensions.filters.http.jwt_authn.v3.RemoteJwks",
    "ReqWithoutQuery": "envoy.extensions.formatter.req_without_query.v3.ReqWithoutQuery",
    "RequestIDExtension": "envoy.extensions.filters.network.http_connection_manager.v3.RequestIDExtension",
    "RequirementRule": "envoy.extensions.filters.http.jwt_authn.v3.RequirementRule",
    "Resource": "envoy.service.discovery.v3.Resource",
    "ResourceError": "envoy.service.discovery.v3.ResourceError",
    "ResourceLocator": "xds.core.v3.ResourceLocator",
    "ResourceMonitor": "envoy.config.overload.v3.ResourceMonitor",
    "ResourceName": "envoy.service.discovery.v3.ResourceName",
    "ResponseDirectionOverrides": "envoy.extensions.filters.http.compressor.v3.ResponseDirectionOverrides",
    "ResponseFlagFilter": "envoy.config.accesslog.v3.ResponseFlagFilter",
    "ResponseFlags": "envoy.data.accesslog.v3.ResponseFlags",
    "ResponseMapper": "envoy.extensions.filters.network.http_connection_manager.v3.ResponseMapper",
    "RetryPolicy": "envoy.config.route.v3.RetryPolicy",
    "RingHash": "envoy.extensions.load_balancing_policies.ring_hash.v3.RingHash",
    "RoundRobin": "envoy.extensions.load_balancing_policies.round_robin.v3.RoundRobin",
    "Route": "envoy.config.route.v3.Route",
    "RouteAction": "envoy.config.route.v3.RouteAction",
    "RouteConfiguration": "envoy.config.route.v3.RouteConfiguration",
    "RouteCorsPolicy": "envoy.config.route.v3.CorsPolicy",
    "RouteList": "envoy.config.route.v3.RouteList",
    "RouteMatch": "envoy.config.route.v3.RouteMatch",
    "Router": "envoy.extensions.filters.http.router.v3.Router",
    "RoutesConfigDump": "envoy.admin.v3.RoutesConfigDump",
    "Runtime": "envoy.config.bootstrap.v3.Runtime",
    "RuntimeDouble": "envoy.config.core.v3.RuntimeDouble",
    "RuntimeFeatureFlag": "envoy.config.core.v3.RuntimeFeatureFlag",
    "RuntimeFilter": "envoy.config.accesslog.v3.RuntimeFilter",
    "RuntimeFraction": "envoy.extensions.matching.input_matchers.runtime_fraction.v3.RuntimeFraction",
    "RuntimeFractionalPercent": "envoy.config.core.v3.RuntimeFractionalPercent",
    "RuntimeLayer": "envoy.config.bootstrap.v3.RuntimeLayer",
    "RuntimePercent": "envoy.config.core.v3.RuntimePercent",
    "RuntimeUInt32": "envoy.config.core.v3.RuntimeUInt32",
    "RuntimeUInt64": "envoy.config.core.v3.RuntimeUInt64",
    "SPIFFECertValidatorConfig": "envoy.extensions.transport_sockets.tls.v3.SPIFFECertValidatorConfig",
    "SafeCrossSchemeConfig": "envoy.extensions.internal_redirect.safe_cross_scheme.v3.SafeCrossSchemeConfig",
    "SanitizationConfig": "envoy.extensions.wasm.v3.SanitizationConfig",
    "ScaleTimersOverloadActionConfig": "envoy.config.overload.v3.ScaleTimersOverloadActionConfig",
    "ScaledTrigger": "envoy.config.overload.v3.ScaledTrigger",
    "SchemeHeaderTransformation": "envoy.config.core.v3.SchemeHeaderTransformation",
    "ScopedRds": "envoy.extensions.filters.network.http_connection_manager.v3.ScopedRds",
    "ScopedRouteConfiguration": "envoy.config.route.v3.ScopedRouteConfiguration",
    "ScopedRouteConfigurationsList": "envoy.extensions.filters.network.http_connection_manager.v3.ScopedRouteConfigurationsList",
    "ScopedRoutes": "envoy.extensions.filters.network.http_connection_manager.v3.ScopedRoutes",
    "ScopedRoutesConfigDump": "envoy.admin.v3.ScopedRoutesConfigDump",
    "SdsSecretConfig": "envoy.extensions.transport_sockets.tls.v3.SdsSecretConfig",
    "Secret": "envoy.extensions.transport_sockets.tls.v3.Secret",
    "SecretsConfigDump": "envoy.admin.v3.SecretsConfigDump",
    "SelfConfigSource": "envoy.config.core.v3.SelfConfigSource",
    "SemanticVersion": "envoy.type.v3.SemanticVersion",
    "ServerInfo": "envoy.admin.v3.ServerInfo",
    "ServerNameInput": "envoy.extensions.matching.common_inputs.network.v3.ServerNameInput",
    "SetFilterState": "envoy.extensions.filters.http.set_filter_state.v3.Config",
    "ShadowDecision": "envoy.extensions.filters.http.ext_authz.v3.ShadowDecision",
    "ShrinkHeapConfig": "envoy.config.overload.v3.ShrinkHeapConfig",
    "SimpleMetric": "envoy.admin.v3.SimpleMetric",
    "SkipFilter": "envoy.extensions.filters.common.matcher.action.v3.SkipFilter",
    "SkyWalkingConfig": "envoy.config.trace.v3.SkyWalkingConfig",
    "SlowStartConfig": "envoy.extensions.load_balancing_policies.common.v3.SlowStartConfig",
    "SniCluster": "envoy.extensions.filters.network.sni_cluster.v3.SniCluster",
    "SocketAddress": "envoy.config.core.v3.SocketAddress",
    "SocketCmsgHeaders": "envoy.config.core.v3.SocketCmsgHeaders",
    "SocketOption": "envoy.config.core.v3.SocketOption",
    "SocketOptionsOverride": "envoy.config.core.v3.SocketOptionsOverride",
    "SourceIPInput": "envoy.extensions.matching.common_inputs.network.v3.SourceIPInput",
    "SourceInfo": "google.api.expr.v1alpha1.SourceInfo",
    "SourcePortInput": "envoy.extensions.matching.common_inputs.network.v3.SourcePortInput",
    "SourcePosition": "google.api.expr.v1alpha1.SourcePosition",
    "SourceTypeInput": "envoy.extensions.matching.common_inputs.network.v3.SourceTypeInput",
    "SourcedMetadata": "envoy.config.rbac.v3.SourcedMetadata",
    "StatefulSession": "envoy.extensions.filters.http.stateful_session.v3.StatefulSession",
    "StatefulSessionPerRoute": "envoy.extensions.filters.http.stateful_session.v3.StatefulSessionPerRoute",
    "StatsConfig": "envoy.config.metrics.v3.StatsConfig",
    "StatsMatcher": "envoy.config.metrics.v3.StatsMatcher",
    "StatsSink": "envoy.config.metrics.v3.StatsSink",
    "StatsdSink": "envoy.config.metrics.v3.StatsdSink",
    "StatusCodeFilter": "envoy.config.accesslog.v3.StatusCodeFilter",
    "StderrAccessLog": "envoy.extensions.access_loggers.stream.v3.StderrAccessLog",
    "StdoutAccessLog": "envoy.extensions.access_loggers.stream.v3.StdoutAccessLog",
    "StringMatcher": "envoy.type.matcher.v3.StringMatcher",
    "SubClusterConfig": "envoy.extensions.filters.http.dynamic_forward_proxy.v3.SubClusterConfig",
    "SubClustersConfig": "envoy.extensions.clusters.dynamic_forward_proxy.v3.SubClustersConfig",
    "SubjectAltNameMatcher": "envoy.extensions.transport_sockets.tls.v3.SubjectAltNameMatcher",
    "SubjectAlternateName": "envoy.admin.v3.SubjectAlternateName",
    "SubjectInput": "envoy.extensions.matching.common_inputs.ssl.v3.SubjectInput",
    "Subset": "envoy.extensions.load_balancing_policies.subset.v3.Subset",
    "SubstitutionFormatString": "envoy.config.core.v3.SubstitutionFormatString",
    "TCPAccessLogEntry": "envoy.data.accesslog.v3.TCPAccessLogEntry",
    "TLSProperties": "envoy.data.accesslog.v3.TLSProperties",
    "TagSpecifier": "envoy.config.metrics.v3.TagSpecifier",
    "TcpGrpcAccessLogConfig": "envoy.extensions.access_loggers.grpc.v3.TcpGrpcAccessLogConfig",
    "TcpKeepalive": "envoy.config.core.v3.TcpKeepalive",
    "TcpProtocolOptions": "envoy.config.core.v3.TcpProtocolOptions",
    "TcpProxy": "envoy.extensions.filters.network.tcp_proxy.v3.TcpProxy",
    "ThresholdTrigger": "envoy.config.overload.v3.ThresholdTrigger",
    "TlsCertificate": "envoy.extensions.transport_sockets.tls.v3.TlsCertificate",
    "TlsInspector": "envoy.extensions.filters.listener.tls_inspector.v3.TlsInspector",
    "TlsKeyLog": "envoy.extensions.transport_sockets.tls.v3.TlsKeyLog",
    "TlsParameters": "envoy.extensions.transport_sockets.tls.v3.TlsParameters",
    "TlsSessionTicketKeys": "envoy.extensions.transport_sockets.tls.v3.TlsSessionTicketKeys",
    "TlvEntry": "envoy.config.core.v3.TlvEntry",
    "TokenBucket": "envoy.type.v3.TokenBucket",
    "TraceableFilter": "envoy.config.accesslog.v3.TraceableFilter",
    "Tracing": "envoy.config.route.v3.Tracing",
    "TrackClusterStats": "envoy.config.cluster.v3.TrackClusterStats",
    "TransportProtocolInput": "envoy.extensions.matching.common_inputs.network.v3.TransportProtocolInput",
    "TransportSocket": "envoy.config.core.v3.TransportSocket",
    "Trigger": "envoy.config.overload.v3.Trigger",
    "Type": "google.api.expr.v1alpha1.Type",
    "TypedExtensionConfig": "envoy.config.core.v3.TypedExtensionConfig",
    "TypedStruct": "xds.type.v3.TypedStruct",
    "UdpDefaultWriterFactory": "envoy.extensions.udp_packet_writer.v3.UdpDefaultWriterFactory",
    "UdpGsoBatchWriterFactory": "envoy.extensions.udp_packet_writer.v3.UdpGsoBatchWriterFactory",
    "UdpListenerConfig": "envoy.config.listener.v3.UdpListenerConfig",
    "UdpSocketConfig": "envoy.config.core.v3.UdpSocketConfig",
    "UdpaTypedStruct": "udpa.type.v1.TypedStruct",
    "UnreadyTargetsDumps": "envoy.admin.v3.UnreadyTargetsDumps",
    "UpdateFailureState": "envoy.admin.v3.UpdateFailureState",
    "UpstreamCodec": "envoy.extensions.filters.http.upstream_codec.v3.UpstreamCodec",
    "UpstreamConnectionOptions": "envoy.config.cluster.v3.UpstreamConnectionOptions",
    "UpstreamHttpProtocolOptions": "envoy.config.core.v3.UpstreamHttpProtocolOptions",
    "UpstreamTcpProtocolOptions": "envoy.extensions.upstreams.tcp.v3.TcpProtocolOptions",
    "UpstreamTlsContext": "envoy.extensions.transport_sockets.tls.v3.UpstreamTlsContext",
    "UriSanInput": "envoy.extensions.matching.common_inputs.ssl.v3.UriSanInput",
    "UriTemplateMatchConfig": "envoy.extensions.path.match.uri_template.v3.UriTemplateMatchConfig",
    "UriTemplateRewriteConfig": "envoy.extensions.path.rewrite.uri_template.v3.UriTemplateRewriteConfig",
    "UuidRequestIdConfig": "envoy.extensions.request_id.uuid.v3.UuidRequestIdConfig",
    "ValidationListenerManager": "envoy.config.bootstrap.v3.ValidationListenerManager",
    "ValueMatcher": "envoy.type.matcher.v3.ValueMatcher",
    "Vhds": "envoy.config.route.v3.Vhds",
    "VirtualCluster": "envoy.config.route.v3.VirtualCluster",
    "VirtualHost": "envoy.config.route.v3.VirtualHost",
    "VmConfig": "envoy.extensions.wasm.v3.VmConfig",
    "Wasm": "envoy.extensions.filters.http.wasm.v3.Wasm",
    "WasmService": "envoy.extensions.wasm.v3.WasmService",
    "Watchdog": "envoy.config.bootstrap.v3.Watchdog",
    "Watchdogs": "envoy.config.bootstrap.v3.Watchdogs",
    "WatchedDirectory": "envoy.config.core.v3.WatchedDirectory",
    "WeightedCluster": "envoy.config.route.v3.WeightedCluster",
    "WrrLocality": "envoy.extensions.load_balancing_policies.wrr_locality.v3.WrrLocality",
    "XdsCidrRange": "xds.core.v3.CidrRange",
    "XdsListStringMatcher": "xds.type.matcher.v3.ListStringMatcher",
    "XdsRegexMatcher": "xds.type.matcher.v3.RegexMatcher",
    "XdsStringMatcher": "xds.type.matcher.v3.StringMatcher",
    "XdsTypedExtensionConfig": "xds.core.v3.TypedExtensionConfig",
    "XffConfig": "envoy.extensions.http.original_ip_detection.xff.v3.XffConfig",
    "XffTrustedCidrs": "envoy.extensions.http.original_ip_detection.xff.v3.XffTrustedCidrs",
    "ZipkinConfig": "envoy.config.trace.v3.ZipkinConfig",
}

_ENUMS = {
    "AccessLogType": "envoy.data.accesslog.v3.AccessLogType",
    "ApiVersion": "envoy.config.core.v3.ApiVersion",
    "ClientResourceStatus": "envoy.admin.v3.ClientResourceStatus",
    "CodecClientType": "envoy.type.v3.CodecClientType",
    "DnsLookupFamily": "envoy.extensions.clusters.common.dns.v3.DnsLookupFamily",
    "FailurePolicy": "envoy.extensions.wasm.v3.FailurePolicy",
    "HealthStatus": "envoy.config.core.v3.HealthStatus",
    "MetadataSource": "envoy.config.rbac.v3.MetadataSource",
    "ProxyProtocolTlvMergePolicy": "envoy.extensions.filters.network.tcp_proxy.v3.ProxyProtocolTlvMergePolicy",
    "RateLimitUnit": "envoy.type.v3.RateLimitUnit",
    "RequestMethod": "envoy.config.core.v3.RequestMethod",
    "RoutingPriority": "envoy.config.core.v3.RoutingPriority",
    "StatusCode": "envoy.type.v3.StatusCode",
    "TrafficDirection": "envoy.config.core.v3.TrafficDirection",
    "UpstreamConnectMode": "envoy.extensions.filters.network.tcp_proxy.v3.UpstreamConnectMode",
    "VhRateLimitsOptions": "envoy.extensions.common.ratelimit.v3.VhRateLimitsOptions",
    "XRateLimitHeadersRFCVersion": "envoy.extensions.common.ratelimit.v3.XRateLimitHeadersRFCVersion",
}

if not TYPE_CHECKING:

    def __getattr__(name):
        """A message's class, or what an enum's values are called."""
        if name in _MESSAGES:
            found = message_factory.GetMessageClass(_pool.FindMessageTypeByName(_MESSAGES[name]))
        elif name in _ENUMS:
            found = EnumTypeWrapper(_pool.FindEnumTypeByName(_ENUMS[name]))
        else:
            raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
        globals()[name] = found
        return found
