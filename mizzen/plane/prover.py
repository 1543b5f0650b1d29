"""Makes the requests that prove HTTP/3 mirrors. When, and what follows from them, is decided in `state`."""

import asyncio
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import field

from mizzen.lazy import dataclass
from mizzen.plane.mirror_proof import Subject
from mizzen.plane.proof_schedule import MOST_AT_ONCE, Key, Prove
from mizzen.probe.mirror import Proof, prove_mirror

OnProof = Callable[[Key, Subject, Proof], None]


@dataclass(slots=True)
class Prover:
    """Threads of its own: what waits for an answer keeps nobody else waiting."""

    on_proof: OnProof  # called in the event loop's own thread
    _pool: ThreadPoolExecutor = field(init=False)
    _tasks: "set[asyncio.Task[None]]" = field(default_factory=set)

    def __post_init__(self) -> None:
        self._pool = ThreadPoolExecutor(MOST_AT_ONCE, thread_name_prefix="prove")

    def start(self, effect: Prove) -> None:
        """Begin one."""
        task = asyncio.create_task(self._try(effect))
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def _try(self, effect: Prove) -> None:
        proof = await asyncio.get_running_loop().run_in_executor(self._pool, prove, effect.subject)
        self.on_proof(effect.key, effect.subject, proof)

    def stop(self) -> None:
        """Forget what runs."""
        for task in self._tasks:
            task.cancel()
        self._pool.shutdown(wait=False, cancel_futures=True)


def prove(subject: Subject) -> Proof:
    """Any of the leaves will do: with an RSA and an ECDSA certificate, QUIC shows the ECDSA one."""
    proof = Proof(False, "no certificate is configured")
    for leaf in subject.leaves:
        proof = prove_mirror(
            subject.address,
            subject.port,
            subject.server_name,
            leaf.decode(),
            demands_certificate=subject.demands_certificate,
        )
        if proof.ok:
            break
    return proof
