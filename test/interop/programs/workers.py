"""Workers, definitions and starts by Conductor's Python SDK as its documentation shows them, nothing of ours."""

import json
import sys
import time

from conductor.client.automator.task_handler import TaskHandler
from conductor.client.configuration.configuration import Configuration
from conductor.client.http.models import StartWorkflowRequest
from conductor.client.http.models.workflow_def import WorkflowDef
from conductor.client.http.models.workflow_task import WorkflowTask
from conductor.client.orkes_clients import OrkesClients
from conductor.client.worker.worker_task import worker_task

NAME = "interop_python"
DEADLINE_SECONDS = 100


@worker_task(task_definition_name="python_double", thread_count=20, register_task_def=True)
def python_double(number: int) -> dict:
    return {"doubled": number * 2}


@worker_task(task_definition_name="python_describe", thread_count=20)
def python_describe(doubled: int) -> dict:
    return {"text": f"twice is {doubled}"}


def step(name: str, **inputs: str) -> WorkflowTask:
    return WorkflowTask(
        name=name, task_reference_name=name.removeprefix("python_"), type="SIMPLE", input_parameters=inputs
    )


def main(count: int) -> None:
    # Address and credentials come from CONDUCTOR_SERVER_URL, CONDUCTOR_AUTH_KEY and CONDUCTOR_AUTH_SECRET.
    configuration = Configuration()
    clients = OrkesClients(configuration=configuration)
    metadata, workflows = clients.get_metadata_client(), clients.get_workflow_client()
    definition = WorkflowDef(
        name=NAME,
        version=1,
        schema_version=2,
        tasks=[
            step("python_double", number="${workflow.input.number}"),
            step("python_describe", doubled="${double.output.doubled}"),
        ],
        output_parameters={"text": "${describe.output.text}"},
    )
    metadata.register_workflow_def(definition, True)
    assert metadata.get_workflow_def(NAME, 1).name == NAME

    with TaskHandler(configuration=configuration, scan_for_annotated_workers=True) as handler:
        handler.start_processes()
        ids = [
            workflows.start_workflow(StartWorkflowRequest(name=NAME, version=1, input={"number": number}))
            for number in range(count)
        ]
        run = workflows.execute_workflow(
            StartWorkflowRequest(name=NAME, version=1, input={"number": 21}), wait_for_seconds=30
        )
        deadline = time.monotonic() + DEADLINE_SECONDS
        left = list(ids)
        while left and time.monotonic() < deadline:
            left = [one for one in left if workflows.get_workflow_status(one, False, False).status == "RUNNING"]
            time.sleep(0.2)
    print(json.dumps({"ids": ids, "executed": {"status": run.status, "output": run.output}}))


if __name__ == "__main__":
    main(int(sys.argv[1]))
