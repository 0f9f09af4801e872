"""A scanner outside, by Conductor's Python SDK (pip install conductor-python); see docs/extending.md.

CONDUCTOR_SERVER_URL=http://127.0.0.1:8080/api CONDUCTOR_AUTH_KEY=… CONDUCTOR_AUTH_SECRET=… SIGNATURE=… python scanner.py
"""

import hashlib
import os
import urllib.request

from conductor.client.automator.task_handler import TaskHandler
from conductor.client.configuration.configuration import Configuration
from conductor.client.worker.worker_task import worker_task

SIGNATURE = os.environ["SIGNATURE"].encode()


@worker_task(task_definition_name="scan_outside", thread_count=4)
def scan_outside(readUrl: str) -> dict:  # noqa: N803 (the task's input names it so)
    digest, size, found, tail = hashlib.sha256(), 0, False, b""
    # An error here fails the attempt: it is tried again, and after that the object is `incomplete`.
    with urllib.request.urlopen(readUrl, timeout=60) as body:
        while chunk := body.read(65536):
            digest.update(chunk)
            size += len(chunk)
            found = found or SIGNATURE in tail + chunk
            tail = (tail + chunk)[-len(SIGNATURE) + 1 :] if len(SIGNATURE) > 1 else b""
    return {
        "kind": "malware",
        "engine": {"name": "python", "version": "1"},
        "sha256": digest.hexdigest(),
        "bytesScanned": size,
        "findings": [{"ruleId": "Python.Signature", "title": "The signature"}] if found else [],
    }


if __name__ == "__main__":
    with TaskHandler(configuration=Configuration(), scan_for_annotated_workers=True) as handler:
        handler.start_processes()
        handler.join_processes()
