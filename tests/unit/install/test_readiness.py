from typing import Any

from mizzen.install.readiness import of_crd, of_deployment, of_pod, of_webhook


def deployment(**status: Any) -> dict[str, Any]:
    return {
        "metadata": {"name": "istiod", "namespace": "istio-system", "generation": 2},
        "spec": {"replicas": 1},
        "status": {"observedGeneration": 2, **status},
    }


def pod(**status: Any) -> dict[str, Any]:
    labels = {"pod-template-hash": "a"}
    return {"metadata": {"name": "istiod-1", "uid": "u", "labels": labels}, "status": status}


SCHEDULED = {"type": "PodScheduled", "status": "True"}


def waiting(reason: str, message: str = "", **more: Any) -> dict[str, Any]:
    state = {"waiting": {"reason": reason, "message": message}}
    return pod(conditions=[SCHEDULED], containerStatuses=[{"name": "discovery", "state": state, **more}])


def test_a_deployment_is_ready_when_every_wanted_pod_is_and_no_older_one_is_left() -> None:
    assert of_deployment(deployment(replicas=1, updatedReplicas=1, availableReplicas=1), (), ()).ready
    rolling = of_deployment(deployment(replicas=2, updatedReplicas=1, availableReplicas=1), (), ())
    assert rolling.why == "0 of 1 new Pods are ready"
    rolled = of_deployment(deployment(replicas=2, updatedReplicas=1, availableReplicas=2), (), ())
    assert rolled.why == "1 older Pod has still to go"


def test_a_change_that_nobody_has_seen_is_waited_for() -> None:
    stale = deployment(observedGeneration=1, replicas=1, updatedReplicas=1, availableReplicas=1)
    assert not of_deployment(stale, (), ()).ready


def test_an_image_that_cannot_be_had_is_named() -> None:
    found = of_deployment(deployment(), [waiting("ErrImageNeverPull", "Container image is not present")], ())
    assert found.why == (
        "0 of 1 Pods are ready; "
        "Pod istiod-1: container discovery: ErrImageNeverPull: Container image is not present"
    )


def test_a_container_that_ends_again_and_again_says_with_what() -> None:
    last = {"lastState": {"terminated": {"exitCode": 2, "reason": "Error", "message": "no  root"}}}
    assert of_pod(waiting("CrashLoopBackOff", "back-off", **last)) == (
        "Pod istiod-1: container discovery: CrashLoopBackOff, it ended with exit status 2 (no root)"
    )


def test_a_pod_that_no_node_takes_says_why() -> None:
    refused = {"type": "PodScheduled", "status": "False", "message": "0/1 nodes: Insufficient cpu"}
    assert of_pod(pod(conditions=[refused])) == (
        "Pod istiod-1: no node takes it: 0/1 nodes: Insufficient cpu"
    )


def test_a_volume_that_is_missing_is_read_from_the_newest_event() -> None:
    def event(message: str, time: str) -> dict[str, Any]:
        about = {"involvedObject": {"uid": "u"}, "type": "Warning", "reason": "FailedMount"}
        return {**about, "message": message, "lastTimestamp": time}

    events = [event("old", "2026-01-01"), event("configmap istio-ca-root-cert not found", "2026-01-02")]
    assert of_pod(waiting("ContainerCreating"), events) == (
        "Pod istiod-1: FailedMount: configmap istio-ca-root-cert not found"
    )


def test_what_a_pod_may_not_be_made_for_is_told_by_the_deployment() -> None:
    failed = {"type": "ReplicaFailure", "status": "True", "message": "exceeded quota"}
    late = {"type": "Progressing", "status": "False", "reason": "ProgressDeadlineExceeded"}
    found = of_deployment(deployment(conditions=[failed, late]), (), ())
    assert found.why == "0 of 1 Pods are ready; exceeded quota"
    assert found.hopeless


def test_a_crd_and_a_webhook_are_ready_when_they_can_be_used() -> None:
    assert of_crd({"status": {"conditions": [{"type": "Established", "status": "True"}]}}).ready
    taken = of_crd({"status": {"conditions": [{"type": "NamesAccepted", "status": "False", "message": "m"}]}})
    assert taken.hopeless
    assert not of_crd({}).ready
    assert not of_crd({"status": {"conditions": None}}).ready
    assert not of_webhook({"webhooks": [{"clientConfig": {}}]}).ready
    assert of_webhook({"webhooks": [{"clientConfig": {"caBundle": "x"}}]}).ready
