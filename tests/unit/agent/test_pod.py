"""What a process in a Pod knows of itself."""

from pathlib import Path

from mizzen.agent.pod import (
    concurrency,
    counts_cpu,
    drain_seconds,
    in_pod,
    leaving_seconds,
    node_metadata,
    pod_labels,
    proxy_config,
    server_id,
)


def test_the_environment_tells_whether_this_is_a_pod() -> None:
    assert in_pod({"POD_NAME": "a", "INSTANCE_IP": "10.0.0.1"})
    assert not in_pod({"POD_NAME": "a"})


def test_variables_of_istio_are_metadata() -> None:
    said = {"ISTIO_META_WORKLOAD_NAME": "shop", "ISTIO_META_UNPRIVILEGED_POD": "true", "HOME": "/"}
    assert node_metadata(said) == {"WORKLOAD_NAME": "shop", "UNPRIVILEGED_POD": "true"}


def test_labels_are_read_as_the_downward_api_writes_them(tmp_path: Path) -> None:
    file = tmp_path / "labels"
    file.write_text('app="shop"\npod-template-hash="7d9f"\nversion="v=2"\n')
    assert pod_labels(file) == {"app": "shop", "version": "v=2"}
    assert pod_labels(tmp_path / "none") == {}


def test_threads_are_as_the_pods_annotation_or_the_injector_says(tmp_path: Path) -> None:
    file = tmp_path / "annotations"

    def threads(environment: dict[str, str]) -> int | None:
        return concurrency(proxy_config(environment, file))

    assert threads({}) is None
    assert threads({"PROXY_CONFIG": '{"concurrency":3}\n'}) == 3
    file.write_text('proxy.istio.io/config="concurrency: 2\\nproxyMetadata: {A: \\"b\\"}\\n"\nother="x"\n')
    assert threads({"PROXY_CONFIG": '{"concurrency":3}\n'}) == 2
    for none in ("concurrency: 0", "concurrency: true", "concurrency: -1", "concurrency: many", "[", "x", ""):
        file.write_text(f'proxy.istio.io/config="{none}"\n')
        assert threads({}) is None


def test_how_long_clients_get_is_as_the_variables_say(tmp_path: Path) -> None:
    file = tmp_path / "annotations"
    said = {"PROXY_CONFIG": '{"drainDuration": "45s", "terminationDrainDuration": "90s"}'}
    config = proxy_config(said, file)
    assert (drain_seconds(config), leaving_seconds(config, {})) == (45, 90.0)
    assert leaving_seconds(config, {"TERMINATION_DRAIN_DURATION_SECONDS": "7"}) == 7.0
    assert leaving_seconds(config, {"TERMINATION_DRAIN_DURATION_SECONDS": "soon"}) == 90.0
    config = proxy_config({}, file)
    assert (drain_seconds(config), leaving_seconds(config, {})) == (None, None)


def test_the_annotation_of_a_server_id_counts_before_the_variable(tmp_path: Path) -> None:
    file = tmp_path / "annotations"
    assert server_id({}, file) == ""
    assert server_id({"MIZZEN_SERVER_ID": "01"}, file) == "01"
    file.write_text('mizzen.dev/server-id="0a0b"\n')
    assert server_id({"MIZZEN_SERVER_ID": "01"}, file) == "0a0b"


def test_the_kernel_counts_the_cpu_of_a_container(tmp_path: Path) -> None:
    assert not counts_cpu(tmp_path)
    (tmp_path / "cpu.stat").write_text("usage_usec 1\n")
    assert not counts_cpu(tmp_path)  # the root of all groups has no limit
    (tmp_path / "cpu.max").write_text("max 100000\n")
    assert counts_cpu(tmp_path)
